import assert from 'node:assert/strict';
import { once } from 'node:events';
import { tagOf, type SipRequest } from '../../sip/message/index.js';
import { EngineLab, requestText } from '../support/engine-lab.js';
import { sdp, type Seen, type SipPeer } from '../support/sip-peer.js';
import {
  statusOf,
  type SrfApp,
  type SrfDialog,
  type SrfRequest,
  type SrfResponse,
} from '../support/srf-app.js';

describe('engine: calls of the application', () => {
  let lab: EngineLab;
  let app: SrfApp;
  let peer: SipPeer;

  beforeEach(async () => {
    lab = await EngineLab.start();
    app = await lab.app();
    peer = await lab.udpPeer();
  });

  afterEach(() => lab.close());

  const uri = (to: SipPeer = peer): string =>
    `sip:bob@127.0.0.1:${to.port};transport=${to.transport.toLowerCase()}`;

  const failing = async (call: Promise<unknown>): Promise<number> => {
    try {
      await call;
    } catch (error) {
      return statusOf(error);
    }
    throw new Error('the call was answered');
  };

  const answered = async (to: SipPeer = peer): Promise<{ dialog: SrfDialog; invite: SipRequest & Seen }> => {
    const call = app.createUAC(uri(to), { localSdp: sdp(7000) });
    const invite = await to.request('INVITE');
    to.respond(invite, 200, 'OK', { body: sdp(9000) });
    const dialog = await call;
    await to.request('ACK');
    return { dialog, invite };
  };

  const hangUp = async (dialog: SrfDialog, to: SipPeer = peer): Promise<void> => {
    const done = dialog.destroy();
    to.respond(await to.request('BYE'), 200, 'OK');
    await done;
  };

  it('tells of 100 Trying only when that is wanted', async () => {
    const seen = async (application: SrfApp, to: SipPeer): Promise<number[]> => {
      const statuses: number[] = [];
      const cbProvisional = ({ status }: SrfResponse): unknown => statuses.push(status);
      const call = application.createUAC(uri(to), { localSdp: sdp(7000) }, { cbProvisional });
      const invite = await to.request('INVITE');
      to.respond(invite, 100, 'Trying', { headers: [] });
      to.respond(invite, 180, 'Ringing');
      to.respond(invite, 486, 'Busy Here', { headers: [] });
      assert.equal(await failing(call), 486);
      return statuses;
    };
    assert.deepEqual(await seen(app, peer), [180]);
    const telling = lab.owned(await EngineLab.start({ tellsTrying: true }));
    assert.deepEqual(await seen(await telling.app(), await telling.udpPeer()), [100, 180]);
  });

  it('applies the header policy of PROTOCOL §6', async () => {
    const call = app.createUAC(uri(), {
      localSdp: sdp(7000),
      callingNumber: '15551212',
      headers: {
        'P-Asserted-Identity': '<sip:1@localhost>',
        Via: 'SIP/2.0/UDP 1.2.3.4',
        Route: '<sip:1.2.3.4;lr>',
        'Max-Forwards': '12',
        Subject: 's',
        'X-foo-bar': '1',
        'x-lower': '2',
        'p-custom': '3',
        To: '<sip:bob@example.com>',
      },
    });
    const invite = await peer.request('INVITE');
    const own = `127.0.0.1:${lab.udpPort}`;
    assert.deepEqual(invite.headers.getAll('via').length, 1);
    assert.match(invite.headers.get('via') ?? '', new RegExp(`^SIP/2.0/UDP ${own};rport;branch=z9hG4bK`));
    assert.equal(invite.headers.has('route'), false);
    assert.equal(invite.headers.get('max-forwards'), '12');
    assert.match(invite.headers.get('from') ?? '', new RegExp(`^<sip:15551212@${own}>;tag=`));
    assert.equal(invite.headers.get('to'), '<sip:bob@example.com>');
    assert.equal(invite.headers.get('contact'), `<sip:15551212@${own}>`);
    assert.equal(invite.headers.get('p-asserted-identity'), `<sip:1@${own}>`);
    assert.match(invite.text, /\r\nSubject: s\r\n/);
    assert.match(invite.text, /\r\nX-foo-bar: 1\r\nx-lower: 2\r\nP-Custom: 3\r\n/);
    assert.match(invite.text, /\r\nContent-Type: application\/sdp\r\n/);
    assert.equal(invite.headers.has('user-agent'), false);
    peer.respond(invite, 404, 'Not Found');
    assert.equal(await failing(call), 404);
    await peer.request('ACK');
    await lab.idle();
  });

  for (const transport of ['udp', 'tcp'] as const) {
    it(`calls, exchanges requests both ways and hangs up over ${transport}`, async () => {
      if (transport === 'tcp') peer = await lab.tcpPeer(false);
      const provisional: number[] = [];
      const call = app.createUAC(
        uri(),
        { localSdp: sdp(7000) },
        { cbProvisional: ({ status }) => provisional.push(status) },
      );
      const invite = await peer.request('INVITE');
      const suffix = transport === 'tcp' ? ';transport=tcp' : '';
      const own = `127.0.0.1:${transport === 'tcp' ? lab.tcpPort : lab.udpPort}`;
      assert.equal(invite.headers.get('contact'), `<sip:${own}${suffix}>`);
      assert.equal(invite.headers.get('to'), `<sip:bob@127.0.0.1:${peer.port}>`);
      peer.respond(invite, 100, 'Trying');
      peer.respond(invite, 180, 'Ringing');
      peer.respond(invite, 200, 'OK', {
        body: sdp(9000),
        headers: [
          `Contact: <sip:bob@127.0.0.1:${peer.port}${suffix}>`,
          `Record-Route: <sip:second.invalid;lr>`,
          `Record-Route: <sip:127.0.0.1:${peer.port};lr${suffix}>`,
        ],
      });
      const dialog = await call;
      assert.deepEqual(provisional, [180]);
      assert.equal(dialog.remote.sdp, sdp(9000));
      assert.equal(dialog.sip.remoteTag, 'peer');
      const ack = await peer.request('ACK');
      assert.equal(ack.cseq.number, invite.cseq.number);
      assert.deepEqual(ack.headers.getAll('route'), [
        `<sip:127.0.0.1:${peer.port};lr${suffix}>`,
        '<sip:second.invalid;lr>',
      ]);
      assert.equal(ack.requestUri, `sip:bob@127.0.0.1:${peer.port}${suffix}`);

      const info = dialog.request({ method: 'INFO', headers: { 'Content-Type': 'text/plain' }, body: 'x' });
      const received = await peer.request('INFO');
      assert.equal(received.cseq.number, invite.cseq.number + 1);
      peer.respond(received, 200, 'OK');
      assert.equal((await info).status, 200);

      const port = transport === 'tcp' ? lab.tcpPort : lab.udpPort;
      const parts = { port, callId: invite.callId, fromTag: 'peer', toTag: tagOf(invite.from) ?? '' };
      const modify = once(dialog, 'modify') as Promise<[SrfRequest, SrfResponse]>;
      peer.send(requestText(peer, { ...parts, method: 'INVITE', cseq: 101, body: sdp(9100) }));
      const [, response] = await modify;
      response.send(200, { body: sdp(7006) });
      assert.equal((await peer.status(200, 'INVITE')).body.toString(), sdp(7006));
      peer.send(requestText(peer, { ...parts, method: 'ACK', cseq: 101 }));
      const destroyed = once(dialog, 'destroy');
      peer.send(requestText(peer, { ...parts, method: 'BYE', cseq: 102 }));
      await peer.status(200, 'BYE');
      await destroyed;
      await lab.idle();
    });
  }

  it('repeats the ACK for a retransmitted 200 without asking the application', async () => {
    const { dialog, invite } = await answered();
    const first = peer.seen.find(({ cseq }) => cseq.method === 'ACK');
    peer.respond(invite, 200, 'OK', { body: sdp(9000) });
    const again = await peer.request('ACK');
    assert.equal(again.text, first?.text);
    await hangUp(dialog);
    await lab.idle();
  });

  it('retransmits an unanswered INVITE and gives up with 408', async () => {
    const call = failing(app.createUAC(uri(), { localSdp: sdp(7000) }));
    const first = await peer.request('INVITE');
    const second = await peer.request('INVITE');
    assert.equal(second.text, first.text);
    assert.equal(await call, 408);
    assert.equal(peer.seen.length, 7);
    await lab.idle();
  });

  it('answers 503 for a refused connection', async () => {
    const closed = await lab.tcpPeer(false);
    const { port } = closed;
    await closed.close();
    closed.close = () => Promise.resolve();
    assert.equal(
      await failing(app.createUAC(`sip:bob@127.0.0.1:${port};transport=tcp`, { localSdp: sdp(7000) })),
      503,
    );
    await lab.idle();
  });

  it('answers 503 for a name without address', async () => {
    let sentProtocol: string | undefined;
    const call = app.createUAC(
      'sip:bob@nowhere.invalid;transport=udp',
      { localSdp: sdp(7000) },
      {
        cbRequest: (_error, request) => (sentProtocol = request.protocol),
      },
    );
    assert.equal(await failing(call), 503);
    assert.equal(sentProtocol, 'unknown');
    await lab.idle();
  });

  it('acknowledges a failure itself and repeats that ACK', async () => {
    const call = failing(app.createUAC(uri(), { localSdp: sdp(7000) }));
    const invite = await peer.request('INVITE');
    peer.respond(invite, 486, 'Busy Here');
    assert.equal(await call, 486);
    const ack = await peer.request('ACK');
    assert.equal(ack.topVia.params.get('branch'), invite.topVia.params.get('branch'));
    assert.equal(ack.requestUri, invite.requestUri);
    assert.equal(tagOf(ack.to), 'peer');
    peer.respond(invite, 486, 'Busy Here');
    assert.equal((await peer.request('ACK')).text, ack.text);
    await lab.idle();
  });

  it('cancels a ringing call and passes the Reason on', async () => {
    const call = app.createUAC(
      uri(),
      { localSdp: sdp(7000) },
      {
        cbRequest: (_error, request) => {
          void peer.request('INVITE').then((invite) => {
            peer.respond(invite, 180, 'Ringing');
            setTimeout(
              () =>
                request.cancel(
                  { headers: { Reason: 'SIP;cause=200;text="Call completed elsewhere"' } },
                  () => undefined,
                ),
              50,
            );
          });
        },
      },
    );
    const outcome = failing(call);
    const cancel = await peer.request('CANCEL');
    const invite = peer.seen.find((message) => message.kind === 'request' && message.method === 'INVITE');
    assert.ok(invite?.kind === 'request');
    assert.equal(cancel.headers.get('reason'), 'SIP;cause=200;text="Call completed elsewhere"');
    assert.equal(cancel.topVia.params.get('branch'), invite.topVia.params.get('branch'));
    assert.equal(cancel.cseq.number, invite.cseq.number);
    assert.equal(cancel.headers.get('to'), invite.headers.get('to'));
    peer.respond(cancel, 200, 'OK');
    peer.respond(invite, 487, 'Request Terminated');
    assert.equal(await outcome, 487);
    await peer.request('ACK');
    await lab.idle();
  });

  it('holds a CANCEL until the first provisional response', async () => {
    let outcome: Promise<number> | undefined;
    const sent = await new Promise<SrfRequest>((resolve) => {
      outcome = failing(
        app.createUAC(uri(), { localSdp: sdp(7000) }, { cbRequest: (_error, request) => resolve(request) }),
      );
    });
    const invite = await peer.request('INVITE');
    await new Promise((resolve) => sent.cancel({}, resolve));
    assert.equal(
      await peer.silent((message) => message.kind === 'request' && message.method === 'CANCEL', 200),
      true,
    );
    peer.respond(invite, 100, 'Trying');
    const cancel = await peer.request('CANCEL');
    peer.respond(cancel, 200, 'OK');
    peer.respond(invite, 487, 'Request Terminated');
    assert.equal(await outcome, 487);
    await lab.idle();
  });

  it('gives a cancelled call up when no final response comes', async () => {
    let sent: SrfRequest | undefined;
    const outcome = failing(
      app.createUAC(uri(), { localSdp: sdp(7000) }, { cbRequest: (_error, request) => (sent = request) }),
    );
    peer.respond(await peer.request('INVITE'), 180, 'Ringing');
    await new Promise((resolve) => setTimeout(resolve, 50));
    sent?.cancel({}, () => undefined);
    peer.respond(await peer.request('CANCEL'), 200, 'OK');
    assert.equal(await outcome, 487);
    await lab.idle();
  });

  it('ends a call that was answered while it was cancelled', async () => {
    let sent: SrfRequest | undefined;
    const call = app.createUAC(
      uri(),
      { localSdp: sdp(7000) },
      { cbRequest: (_error, request) => (sent = request) },
    );
    const invite = await peer.request('INVITE');
    peer.respond(invite, 180, 'Ringing');
    await new Promise((resolve) => setTimeout(resolve, 50));
    sent?.cancel({}, () => undefined);
    const cancel = await peer.request('CANCEL');
    peer.respond(invite, 200, 'OK', { body: sdp(9000) });
    peer.respond(cancel, 200, 'OK');
    const dialog = await call;
    const destroyed = once(dialog, 'destroy');
    await peer.request('ACK');
    const bye = await peer.request('BYE');
    assert.equal(bye.headers.get('reason'), 'SIP;cause=200;text="ACK-BYE due to cancel race condition"');
    assert.equal((await destroyed)[1], 'ACK-BYE due to cancel race condition');
    peer.respond(bye, 200, 'OK');
    await lab.idle();
  });

  it('acknowledges and ends the second fork that answers', async () => {
    const provisional: string[] = [];
    const call = app.createUAC(
      uri(),
      { localSdp: sdp(7000) },
      { cbProvisional: (response) => provisional.push(response.get('to')) },
    );
    const invite = await peer.request('INVITE');
    peer.respond(invite, 183, 'P', { toTag: 'T1', body: sdp(9000) });
    peer.respond(invite, 180, 'R', { toTag: 'T2' });
    peer.respond(invite, 200, 'OK', { toTag: 'T2', body: sdp(9002) });
    const dialog = await call;
    assert.equal(dialog.sip.remoteTag, 'T2');
    assert.equal(provisional.length, 2);
    assert.equal(tagOf((await peer.request('ACK')).to), 'T2');
    peer.respond(invite, 200, 'OK', { toTag: 'T1', body: sdp(9000) });
    assert.equal(tagOf((await peer.request('ACK')).to), 'T1');
    const bye = await peer.request('BYE');
    assert.equal(tagOf(bye.to), 'T1');
    peer.respond(bye, 200, 'OK');
    peer.respond(invite, 200, 'OK', { toTag: 'T1', body: sdp(9000) });
    assert.equal(tagOf((await peer.request('ACK')).to), 'T1');
    const done = dialog.destroy();
    const own = await peer.request('BYE');
    assert.equal(tagOf(own.to), 'T2');
    peer.respond(own, 200, 'OK');
    await done;
    await lab.idle();
  });

  it('follows so many forks and no more, and takes the answer of one of them', async () => {
    const call = app.createUAC(uri(), { localSdp: sdp(7000) });
    const invite = await peer.request('INVITE');
    const before = lab.engine.counters.strayResponses;
    for (let fork = 1; fork <= 70; fork++) peer.respond(invite, 180, 'Ringing', { toTag: `T${fork}` });
    peer.respond(invite, 200, 'OK', { toTag: 'T70', body: sdp(9000) });
    const dialog = await call;
    assert.equal(dialog.sip.remoteTag, 'T70');
    assert.equal(lab.engine.counters.strayResponses - before, 6);
    await peer.request('ACK');
    const done = dialog.destroy();
    peer.respond(await peer.request('BYE'), 200, 'OK');
    await done;
    await lab.idle();
  });

  it('answers digest challenges of REGISTER, INVITE and BYE through srf', async () => {
    const auth = { username: 'bob', password: 'pw' };
    const challenge = ['WWW-Authenticate: Digest realm="x", nonce="abc123", qop="auth", algorithm=MD5'];
    const authorized = async (method: string): Promise<SipRequest & Seen> => {
      const first = await peer.request(method);
      peer.respond(first, 401, 'Unauthorized', { headers: challenge });
      const second = await peer.request(method);
      assert.equal(second.cseq.number, first.cseq.number + 1);
      assert.equal(second.callId, first.callId);
      assert.equal(tagOf(second.from), tagOf(first.from));
      assert.match(second.headers.get('authorization') ?? '', /^Digest username="bob"/);
      return second;
    };
    const registered = new Promise<SrfResponse>((resolve) => {
      app.request(
        `sip:127.0.0.1:${peer.port};transport=udp`,
        {
          method: 'REGISTER',
          headers: { From: '<sip:bob@127.0.0.1>', To: '<sip:bob@127.0.0.1>', Contact: '<sip:bob@localhost>' },
          auth,
        },
        (_error, request) => request.on('response', resolve),
      );
    });
    const register = await authorized('REGISTER');
    assert.equal(register.headers.get('contact'), `<sip:bob@127.0.0.1:${lab.udpPort}>`);
    peer.respond(register, 200, 'OK');
    assert.equal((await registered).status, 200);

    const call = app.createUAC(uri(), { localSdp: sdp(7000), auth });
    const invite = await authorized('INVITE');
    peer.respond(invite, 200, 'OK', { body: sdp(9000) });
    const dialog = await call;
    const ack = await peer.next(
      (message) =>
        message.kind === 'request' && message.method === 'ACK' && message.cseq.number === invite.cseq.number,
    );
    assert.equal(ack.headers.get('authorization'), invite.headers.get('authorization'));
    const done = dialog.destroy();
    peer.respond(await authorized('BYE'), 200, 'OK');
    await done;
    await lab.idle();
  });

  it('sends a late offer and puts the answer into the ACK', async () => {
    const call = app.createUAC(uri(), { noAck: true }) as unknown as Promise<{
      sdp: string;
      ack: (sdp: string) => Promise<SrfDialog>;
    }>;
    const invite = await peer.request('INVITE');
    assert.equal(invite.body.length, 0);
    peer.respond(invite, 200, 'OK', { body: sdp(9000) });
    const offer = await call;
    assert.equal(offer.sdp, sdp(9000));
    const dialog = await offer.ack(sdp(7000));
    const ack = await peer.request('ACK');
    assert.equal(ack.body.toString(), sdp(7000));
    assert.equal(ack.headers.get('content-type'), 'application/sdp');
    await hangUp(dialog);
    await lab.idle();
  });

  it('ends an answered call whose 200 has no Contact', async () => {
    const call = app.createUAC(uri(), { localSdp: sdp(7000) });
    const invite = await peer.request('INVITE');
    peer.respond(invite, 200, 'OK', { body: sdp(9000), headers: [] });
    assert.equal(await failing(call), 500);
    await peer.request('ACK');
    const bye = await peer.request('BYE');
    assert.equal(bye.requestUri, invite.requestUri);
    peer.respond(bye, 200, 'OK');
    await lab.idle();
  });

  it('answers a BYE that crosses its own', async () => {
    const { dialog, invite } = await answered();
    const done = dialog.destroy();
    const ours = await peer.request('BYE');
    peer.send(
      requestText(peer, {
        method: 'BYE',
        port: lab.udpPort,
        callId: invite.callId,
        fromTag: 'peer',
        toTag: tagOf(invite.from) ?? '',
        cseq: 7,
      }),
    );
    await peer.status(200, 'BYE');
    peer.respond(ours, 481, 'Call/Transaction Does Not Exist');
    await done;
    await lab.idle();
  });

  const refused: [name: string, uri: () => string, options: object, text: RegExp][] = [
    ['a request to itself', () => `sip:bob@127.0.0.1:${lab.udpPort}`, {}, /^can not send request to myself$/],
    [
      'a transport that is not there',
      () => 'sip:bob@1.2.3.4;transport=tls',
      {},
      /^requested protocol\/transport not available$/,
    ],
    ['sips', () => 'sips:bob@1.2.3.4', {}, /^requested protocol\/transport not available$/],
    ['a body without Content-Type', () => uri(), { body: 'hello' }, /^missing content-type$/],
    ['a broken From', () => uri(), { headers: { From: '<sip:' } }, /^invalid from value provided by client/],
    [
      'a broken Refer-To',
      () => uri(),
      { headers: { 'Refer-To': '<<>>' } },
      /^Error creating sip transaction for uac request$/,
    ],
    ['a Request-URI that is none', () => 'mailto:bob', {}, /^invalid request-uri: mailto:bob$/],
  ];
  for (const [name, target, options, text] of refused) {
    it(`refuses ${name}`, async () => {
      const error = await new Promise<(Error & { code?: string }) | null>((resolve) => {
        app.request(target(), { method: 'MESSAGE', ...options }, resolve);
      });
      assert.match(error?.message ?? '', text);
      assert.equal(error?.code, 'EDRACHTIO');
      assert.equal(peer.seen.length, 0);
    });
  }

  it('says ENODIALOG when the dialog is gone', async () => {
    const { dialog } = await answered();
    await hangUp(dialog);
    await assert.rejects(dialog.request({ method: 'INFO' }), { code: 'ENODIALOG' });
  });
});
