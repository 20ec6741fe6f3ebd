import assert from 'node:assert/strict';
import { systemClock } from '../../sip/clock.js';
import { silentLog } from '../../sip/log.js';
import { parseMessage, type SipRequest } from '../../sip/message/index.js';
import { messageTrace, type MessageTrace } from '../../sip/trace.js';
import { connectTrunkStack, type TrunkStack } from '../../sip/trunk/srf.js';
import { EngineLab, labSecret } from '../support/engine-lab.js';
import { EventLog } from '../support/event-log.js';
import { contactAt, FrontedPhone } from '../support/fronted-phone.js';
import { KamailioFront, type FrontTransport } from '../support/kamailio-front.js';
import { requirePeer } from '../support/peers.js';
import { sdp, type SipPeer } from '../support/sip-peer.js';
import { makeTestAuthority, type TestAuthority } from '../support/test-certificate.js';
import { LegLog, listenerFor, type StackEvents } from '../support/trunk-rig.js';

/** Longer than Kamailio takes for anything, shorter than one waits. */
const timers = { t1Ms: 100, t2Ms: 400, t4Ms: 500 };
const ours = sdp(7000);
const oursAgain = sdp(7002);

/** How webtrunk, the phone, and the phone after it has moved are reached. */
const ways: readonly (readonly [FrontTransport, FrontTransport, FrontTransport])[] = [
  ['tcp', 'tcp', 'tcp'],
  ['tcp', 'udp', 'tcp'],
  ['tcp', 'tcp', 'udp'],
  ['udp', 'tcp', 'udp'],
  ['tls', 'tls', 'tls'],
  ['tls', 'udp', 'tcp'],
  ['tls', 'tcp', 'tls'],
  ['tcp', 'tls', 'udp'],
];

describe('Kamailio in front, record-routing', function () {
  this.timeout(20_000);
  let program: string;

  before(function () {
    program = requirePeer(this, 'kamailio');
  });

  for (const [near, far, moved] of ways) {
    const overTls = [near, far, moved].includes('tls');
    describe(`${near} to webtrunk, ${far} to a phone that moves to another port over ${moved}`, () => {
      let authority: TestAuthority | undefined;
      let front: KamailioFront;
      let lab: EngineLab;
      let stack: TrunkStack;
      let events: EventLog<StackEvents>;
      let phone: FrontedPhone;
      let sent: SipRequest[];

      const note = (published: unknown): void => {
        const { direction, transport, message } = published as MessageTrace;
        const parsed = parseMessage(Buffer.from(message));
        if (direction !== 'out' || parsed.kind !== 'request') return;
        assert.equal(transport, near);
        sent.push(parsed);
      };

      before(async function () {
        if (overTls) {
          requirePeer(this, 'kamailio-tls-modules');
          authority = makeTestAuthority();
          if (authority === undefined) return this.skip();
        }
        front = await KamailioFront.start(program, authority);
      });
      after(() => front?.close());

      beforeEach(async () => {
        sent = [];
        const tls =
          authority === undefined
            ? undefined
            : {
                ...authority.issue('DNS:localhost', 'IP:127.0.0.1'),
                peers: [{ host: '127.0.0.1', ca: authority.ca }],
              };
        lab = await EngineLab.start({
          listen: [{ transport: near, address: '127.0.0.1', port: 0 }],
          ...(tls === undefined ? {} : { tls }),
          timers,
        });
        events = new EventLog();
        const address = { host: '127.0.0.1', port: lab.engine.controlPort, secret: labSecret };
        stack = connectTrunkStack(address, listenerFor(events), silentLog, systemClock);
        await events.next('connected');
        phone = await FrontedPhone.start(far, front, authority);
        messageTrace.subscribe(note);
      });
      afterEach(async () => {
        messageTrace.unsubscribe(note);
        await stack?.close();
        await lab?.close();
        await phone?.close();
      });

      /** webtrunk calls the phone. */
      const callPhone = async () => {
        const log = new LegLog();
        const leg = stack.invite(
          { requestUri: phone.contact, nextHop: front.uri(near) },
          {
            legId: 'l_1',
            sdp: ours,
            from: { uri: 'sip:alice@gw.example' },
            to: { uri: 'sip:phone@pbx.example' },
            headers: [],
          },
          log,
        );
        phone.answer(await phone.called(), phone.place);
        (await log.next('answered')).ack();
        assert.equal((await phone.place.request('ACK')).requestUri, phone.contact);
        return { leg, log };
      };

      /** The phone calls webtrunk. */
      const phoneCalls = async () => {
        const [listener] = lab.engine.local;
        const calling = phone.call(`sip:alice@127.0.0.1:${listener?.port};transport=${near}`);
        const { call, leg: log } = await events.next('call');
        await Promise.all([call.leg.answer(ours), calling]);
        return { leg: call.leg, log };
      };

      /** The request came to that place through Kamailio, and the whole way was that of the route set. */
      const cameThrough = (request: SipRequest, place: SipPeer): void => {
        assert.equal(request.requestUri, contactAt(place));
        assert.equal(request.topVia.transport, place.transport);
        assert.equal(request.topVia.port, front.portOf(lower(place.transport)));
        assert.equal(request.headers.getAll('via').length, 2);
        assert.equal(request.headers.has('route'), false);
        const ownRequest = [...sent].reverse().find(({ cseq }) => sameSequence(cseq, request.cseq));
        assert.equal(ownRequest?.requestUri, contactAt(place));
        assert.deepEqual(ownRequest.headers.getAll('route'), [...phone.routes].reverse());
      };

      /** webtrunk changes the call and the phone, at that place, agrees. */
      const reinvited = async (leg: Parameters<typeof hangUp>[0]['leg'], place: SipPeer): Promise<void> => {
        const reoffer = leg.reoffer(oursAgain);
        const invite = await place.request('INVITE');
        assert.equal(invite.body.toString(), oursAgain);
        cameThrough(invite, place);
        phone.answer(invite, place);
        (await reoffer).ack();
        cameThrough(await phone.place.request('ACK'), phone.place);
      };

      /** The phone changes the call and webtrunk agrees. */
      const phoneReinvites = async (log: LegLog): Promise<void> => {
        const done = phone.reinvite();
        const reoffer = await log.next('reoffer');
        await Promise.all([reoffer.accept(ours), done]);
      };

      /** The phone says where it is now, and nothing else. */
      const phoneUpdates = async (): Promise<void> => {
        await phone.send('UPDATE').status(200, 'UPDATE');
      };

      const hangUp = async ({ leg, log }: Awaited<ReturnType<typeof callPhone | typeof phoneCalls>>) => {
        leg.hangUp();
        const bye = await phone.place.request('BYE');
        cameThrough(bye, phone.place);
        phone.answer(bye, phone.place);
        assert.deepEqual(await log.next('ended'), { cause: 'local' });
        nothingIsLeft();
      };

      const phoneHangsUp = async (log: LegLog): Promise<void> => {
        await phone.send('BYE').status(200, 'BYE');
        assert.equal((await log.next('ended')).cause, 'remote');
        nothingIsLeft();
      };

      const nothingIsLeft = (): void => {
        assert.deepEqual(stack.sizes(), { legs: 0, requests: 0, dialogs: 0, transactions: 0 });
        assert.equal(lab.engine.sizes()['dialogs'], 0);
      };

      it('has itself recorded once for each transport', async () => {
        const call = await callPhone();
        const transports = phone.routes.map((route) => /;transport=(\w+)/.exec(route)?.[1] ?? 'udp');
        assert.deepEqual(transports, near === far ? [near] : [far, near]);
        assert.equal(
          phone.routes.every((route) => route.includes(';r2=on')),
          near !== far,
        );
        await hangUp(call);
      });

      it('carries a call to the phone, changed by both sides, that the phone ends', async () => {
        const { leg, log } = await callPhone();
        await reinvited(leg, phone.place);
        await phoneReinvites(log);
        await phoneHangsUp(log);
      });

      it('carries a call of the phone, changed by both sides, that webtrunk ends', async () => {
        const call = await phoneCalls();
        await phoneReinvites(call.log);
        await reinvited(call.leg, phone.place);
        await hangUp(call);
      });

      for (const [who, begin] of [
        ['webtrunk', callPhone],
        ['the phone', phoneCalls],
      ] as const) {
        it(`connects anew when Kamailio was restarted in a call of ${who}`, async () => {
          const call = await begin();
          await front.restart();
          await reinvited(call.leg, phone.place);
          await hangUp(call);
        });

        it(`follows the phone that re-INVITEs from elsewhere, in a call of ${who}`, async () => {
          const call = await begin();
          const left = await phone.move(moved);
          await phoneReinvites(call.log);
          const before = requestsAt(left);
          await reinvited(call.leg, phone.place);
          await hangUp(call);
          assert.equal(requestsAt(left), before);
        });

        it(`follows the phone that sends UPDATE from elsewhere, in a call of ${who}`, async () => {
          const call = await begin();
          const left = await phone.move(moved);
          await phoneUpdates();
          const before = requestsAt(left);
          await reinvited(call.leg, phone.place);
          await hangUp(call);
          assert.equal(requestsAt(left), before);
        });

        it(`follows the phone that answers our re-INVITE from elsewhere, in a call of ${who}`, async () => {
          const { leg, log } = await begin();
          const place = phone.place;
          await phone.move(moved);
          await reinvited(leg, place);
          const before = requestsAt(place);
          await reinvited(leg, phone.place);
          await phoneHangsUp(log);
          assert.equal(requestsAt(place), before);
        });
      }
    });
  }
});

const requestsAt = ({ seen }: SipPeer): number => seen.filter(({ kind }) => kind === 'request').length;

const lower = (transport: SipPeer['transport']): FrontTransport =>
  transport === 'UDP' ? 'udp' : transport === 'TCP' ? 'tcp' : 'tls';

const sameSequence = (one: SipRequest['cseq'], other: SipRequest['cseq']): boolean =>
  one.number === other.number && one.method === other.method;
