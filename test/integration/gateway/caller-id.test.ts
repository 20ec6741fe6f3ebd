import assert from 'node:assert/strict';
import type { SipRequest, SipResponse } from '../../../sip/message/index.js';
import type { CallerIdConfig, RouteConfig } from '../../../gateway/config/config.js';
import { ipTrunk, passwordOf, startGateway, usersRoute, type Gateway } from '../../support/gateway.js';
import { idle } from '../../support/idle.js';
import { sdp, UdpPeer, type Seen } from '../../support/sip-peer.js';
import { answer, nextRequest } from '../../support/ws-call.js';
import { WsSipClient } from '../../support/ws-sip-client.js';

/** What a page can write to look like somebody else; none of it may be on the wire to a PBX. */
const forged: Readonly<Record<string, readonly string[]>> = {
  'the display name of From': ['From: "forged" <sip:alice@localhost>;tag=f1'],
  'P-Asserted-Identity': ['P-Asserted-Identity: "forged" <sip:+1900forged@bank.example>'],
  'P-Asserted-Identity in other spelling': ['p-ASSERTED-identity : <tel:+1900;ext=forged>'],
  'P-Asserted-Identity over two lines': ['P-Asserted-Identity:\r\n <sip:forged@bank.example>'],
  'P-Preferred-Identity': ['P-Preferred-Identity: <sip:forged@bank.example>'],
  'Remote-Party-ID': ['Remote-Party-ID: <sip:forged@bank.example>;screen=yes'],
  Diversion: ['Diversion: <sip:forged@bank.example>;reason=unconditional'],
  'History-Info': ['History-Info: <sip:forged@bank.example>;index=1'],
  'Referred-By': ['Referred-By: <sip:forged@bank.example>'],
  'Reply-To': ['Reply-To: <sip:forged@bank.example>'],
  Identity: ['Identity: forged;info=<https://bank.example/forged.cer>'],
  'Call-Info': ['Call-Info: <https://bank.example/forged.png>;purpose=icon'],
  Organization: ['Organization: forged'],
  'Alert-Info': ['Alert-Info: <https://bank.example/forged.wav>'],
  'User-Agent': ['User-Agent: forged'],
  'User-to-User': ['User-to-User: forged;encoding=hex'],
  'P-Charging-Vector': ['P-Charging-Vector: icid-value=forged'],
  'an X- header': ['X-Account: forged', 'X-Forged: forged'],
  'Proxy-Authorization': ['Proxy-Authorization: Digest username="forged"'],
  'a Contact': ['Contact: "forged" <sip:forged@bank.example>'],
  Route: ['Route: <sip:forged@bank.example;lr>'],
  'the display name of To': ['To: "forged" <sip:600@localhost>'],
};

const number = '+15551230001';

describe('who calls, as trunks and browsers see it', () => {
  let gateway: Gateway;
  let alice: WsSipClient;
  let office: UdpPeer;
  let carrier: UdpPeer;

  const callerId = (change: Partial<CallerIdConfig>): CallerIdConfig => ({
    send: ['from'],
    privacy: 'honour',
    onMismatch: 'replace',
    ...change,
  });

  const route = (name: string, match: RegExp, trunk: string, fromTrunk?: string): RouteConfig => ({
    name,
    match,
    fromTrunk,
    to: { kind: 'trunks', trunks: [trunk] },
  });

  before(async () => {
    office = await UdpPeer.open(0, '127.0.0.2');
    carrier = await UdpPeer.open(0, '127.0.0.3');
    for (const peer of [office, carrier]) peer.onMessage = (message) => refuse(peer, message);
    const atOffice = `sip:127.0.0.2:${office.port};transport=udp`;
    const atCarrier = `sip:127.0.0.3:${carrier.port};transport=udp`;
    gateway = await startGateway({
      media: 'passthrough',
      shown: { alice: { callerId: number, callerIds: ['+15551230009'] } },
      trunks: [
        ipTrunk('office', atOffice, {
          inbound: { allow: undefined, numbers: undefined, trustIdentity: true },
          numbers: { out: 'national', in: 'e164', country: 'US', strip: 1, prefix: '0' },
          headers: { in: ['X-Queue'], out: [], diversion: 'keep' },
        }),
        ipTrunk('carrier', atCarrier, {
          callerId: callerId({ send: ['from', 'pai', 'rpid'] }),
          headers: { in: [], out: ['X-Ticket', 'X-Queue'], diversion: 'keep' },
        }),
        ipTrunk('strict', atCarrier, { callerId: callerId({ onMismatch: 'reject' }) }),
      ],
      routes: [
        usersRoute,
        route('transit', /^\+1800/, 'carrier', 'office'),
        route('carrier', /^7/, 'carrier'),
        route('strict', /^8/, 'strict'),
        route('office', /./, 'office'),
      ],
    });
    for (const peer of [office, carrier]) peer.aim(Number(gateway.sipAddress.split(':')[1]));
    alice = await WsSipClient.connect(gateway.wsUrl, { user: 'alice', password: passwordOf('alice') });
    assert.equal((await alice.register()).status, 200);
  });

  after(async () => {
    await alice?.close();
    await idle(gateway);
    await gateway?.close();
    await office?.close();
    await carrier?.close();
  });

  const refuse = (peer: UdpPeer, message: Seen): void => {
    if (message.kind === 'request' && message.method === 'INVITE') peer.respond(message, 486, 'Busy Here');
  };

  /** Sends an INVITE of alice, and acknowledges that it was refused. */
  const call = async (uri: string, headers: readonly string[]): Promise<SipResponse> => {
    const body = sdp(7000);
    const text = alice.request('INVITE', uri, {
      headers: ['Content-Type: application/sdp', ...headers],
      body,
    });
    const final = await alice.transact(text);
    const kept = text.split('\r\n').filter((line) => /^(?:Via|From|Call-ID|Max-Forwards):/.test(line));
    const to = `To: ${final.headers.get('to') ?? ''}`;
    const ack = [`ACK ${uri} SIP/2.0`, ...kept, to, `CSeq: ${final.cseq.number} ACK`, 'Content-Length: 0'];
    alice.send([...ack, '', ''].join('\r\n'));
    return final;
  };

  const dial = (dialled: string, headers: readonly string[] = []): Promise<SipResponse> => {
    const own = headers.some((line) => line.startsWith('To:')) ? [] : [`To: <sip:${dialled}@localhost>`];
    return call(`sip:${dialled}@localhost`, [...own, ...headers]);
  };

  /** The INVITE that the peer gets for a call of alice. */
  const wire = async (
    peer: UdpPeer,
    dialled: string,
    headers: readonly string[] = [],
  ): Promise<SipRequest & Seen> => {
    const final = await dial(dialled, headers);
    assert.equal(final.status, 486, `${final.status} ${final.reason}`);
    return peer.request('INVITE');
  };

  /** Sends an INVITE as a PBX would, and gives the text. */
  const ring = (peer: UdpPeer, dialled: string, headers: readonly string[]): void => {
    const branch = `z9hG4bK${peer.seen.length}${dialled.length}${Math.random().toString(36).slice(2)}`;
    const host = peer === office ? '127.0.0.2' : '127.0.0.3';
    const body = sdp(9000);
    peer.send(
      [
        `INVITE sip:${dialled}@127.0.0.1 SIP/2.0`,
        `Via: SIP/2.0/UDP ${host}:${peer.port};branch=${branch}`,
        'Max-Forwards: 70',
        ...(headers.some((line) => line.startsWith('From:'))
          ? []
          : ['From: "Reception" <sip:5551237777@pbx>;tag=p1']),
        `To: <sip:${dialled}@127.0.0.1>`,
        `Call-ID: ${branch}`,
        'CSeq: 1 INVITE',
        `Contact: <sip:pbx@${host}:${peer.port}>`,
        ...headers,
        'Content-Type: application/sdp',
        `Content-Length: ${Buffer.byteLength(body)}`,
        '',
        body,
      ].join('\r\n'),
    );
  };

  /** What alice's phone gets for a call of the office; it declines. */
  const rung = async (headers: readonly string[]): Promise<SipRequest> => {
    const since = alice.received.length;
    ring(office, 'alice', headers);
    const invite = await nextRequest(alice, 'INVITE', since);
    answer(alice, invite, 486);
    await office.status(486, 'INVITE');
    return invite;
  };

  describe('from a browser that forges', () => {
    for (const [what, lines] of Object.entries(forged)) {
      it(`never has ${what} on the wire`, async () => {
        for (const [peer, dialled] of [
          [office, '600'],
          [carrier, '700'],
        ] as const) {
          const invite = await wire(
            peer,
            dialled,
            lines.map((line) => line.replace('sip:600@', `sip:${dialled}@`)),
          );
          assert.doesNotMatch(invite.text, /forged|bank\.example/i);
          assert.match(invite.headers.get('from') ?? '', /^"Alice" <sip:(\+1)?5551230001@/);
        }
      });
    }

    it('never has another user in From on the wire: that is refused', async () => {
      const before = office.seen.length;
      assert.equal((await dial('600', ['From: <sip:bob@localhost>;tag=f2'])).status, 403);
      assert.equal(office.seen.length, before);
    });

    it('never has parameters of the dialled URI on the wire; header fields in it are refused', async () => {
      const to = (uri: string): Promise<SipResponse> => call(uri, ['To: <sip:600@localhost>']);
      assert.equal((await to('sip:600@localhost;user=phone;x=forged')).status, 486);
      assert.doesNotMatch((await office.request('INVITE')).text, /forged/);
      assert.equal((await to('sip:600@localhost?P-Asserted-Identity=forged')).status, 400);
    });
  });

  describe('to a trunk', () => {
    it('is in From, P-Asserted-Identity and Remote-Party-ID by rule', async () => {
      const { headers } = await wire(carrier, '700');
      const who = `"Alice" <sip:${number}@127.0.0.3:${carrier.port}>`;
      assert.ok(headers.get('from')?.startsWith(`${who};tag=`), headers.get('from'));
      assert.equal(headers.get('p-asserted-identity'), who);
      assert.equal(headers.get('remote-party-id'), `${who};party=calling;screen=yes;privacy=off`);
      assert.equal(headers.get('privacy'), undefined);
    });

    it('is another number of the user when the phone asks for it, and refused when it is not its own', async () => {
      const { headers } = await wire(carrier, '700', ['P-Preferred-Identity: <sip:+15551230009@x>']);
      assert.match(headers.get('p-asserted-identity') ?? '', /sip:\+15551230009@/);
      const before = carrier.seen.length;
      assert.equal((await dial('800', ['P-Preferred-Identity: <sip:+19005550000@x>'])).status, 403);
      assert.equal(carrier.seen.length, before);
      assert.ok(gateway.lines.some((line) => JSON.stringify(line).includes('caller_id.refused')));
    });

    it('hides in From when the caller wants that', async () => {
      const { headers } = await wire(carrier, '700', ['Privacy: id']);
      assert.match(headers.get('from') ?? '', /^"Anonymous" <sip:anonymous@anonymous\.invalid>;tag=/);
      assert.match(headers.get('p-asserted-identity') ?? '', /sip:\+15551230001@/);
      assert.equal(headers.get('privacy'), 'id');
      const anonymous = ['From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=f3'];
      const again = await wire(office, '600', anonymous);
      assert.doesNotMatch(again.text, /5551230001|alice/i);
    });

    it('is written, as what was dialled is, in the form of the trunk', async () => {
      const invite = await wire(office, '915551239999');
      assert.equal(invite.requestUri, `sip:05551239999@127.0.0.2:${office.port}`);
      assert.match(invite.headers.get('to') ?? '', /<sip:05551239999@/);
      assert.match(invite.headers.get('from') ?? '', /<sip:5551230001@/);
    });

    it('goes with the header fields that the trunk asks for', async () => {
      const { headers } = await wire(carrier, '700', ['X-Ticket: 42', 'X-Other: 43']);
      assert.equal(headers.get('x-ticket'), '42');
      assert.equal(headers.get('x-other'), undefined);
    });
  });

  describe('from a trunk', () => {
    it('is what it asserts when it is trusted, with the number in full', async () => {
      const invite = await rung(['P-Asserted-Identity: "Boss" <sip:5551238888@pbx>, <tel:+15551238888>']);
      assert.match(invite.headers.get('from') ?? '', /^"Boss" <sip:\+15551238888@localhost>/);
      assert.match((await rung([])).headers.get('from') ?? '', /^"Reception" <sip:\+15551237777@localhost>/);
    });

    it('hides when it wants to', async () => {
      const invite = await rung(['P-Asserted-Identity: <sip:5551238888@pbx>', 'Privacy: id']);
      assert.match(invite.headers.get('from') ?? '', /anonymous@anonymous\.invalid/);
      assert.equal(invite.headers.get('p-asserted-identity'), undefined);
      assert.doesNotMatch(invite.headers.get('from') ?? '', /8888|Reception/);
    });

    it('goes with its diversions and the header fields that are taken', async () => {
      const { headers } = await rung([
        'Diversion: <sip:5551230002@pbx>;reason=user-busy',
        'History-Info: <sip:5551230002@pbx>;index=1',
        'X-Queue: sales',
        'X-Other: 1',
      ]);
      assert.match(headers.get('diversion') ?? '', /5551230002/);
      assert.match(headers.get('history-info') ?? '', /index=1/);
      assert.equal(headers.get('x-queue'), 'sales');
      assert.equal(headers.get('x-other'), undefined);
    });

    it('goes on to another trunk with what that one wants', async () => {
      ring(office, '18005550000', [
        'P-Asserted-Identity: <sip:5551238888@pbx>',
        'Diversion: <sip:5551230002@pbx>;reason=user-busy',
        'X-Queue: sales',
      ]);
      const invite = await carrier.request('INVITE');
      await office.status(486, 'INVITE');
      assert.match(invite.requestUri, /^sip:\+18005550000@/);
      assert.match(invite.headers.get('p-asserted-identity') ?? '', /sip:\+15551238888@/);
      assert.match(invite.headers.get('diversion') ?? '', /5551230002/);
      assert.equal(invite.headers.get('x-queue'), 'sales');
    });
  });
});
