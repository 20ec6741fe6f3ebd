import { once } from 'node:events';
import { sdp, type UdpPeer } from '../../support/sip-peer.js';
import type { SrfDialog, SrfRequest, SrfResponse } from '../../support/srf-app.js';
import type { Scenario } from '../scenario.js';
import type { Stage } from '../stage.js';
import {
  call,
  callers,
  cancellable,
  explicitTo,
  hangUp,
  inDialog,
  outcome,
  type Invite,
} from './outgoing-call.js';

const uac: Scenario = {
  name: 'uac',
  shows: 'header policy, requests both ways, BYE from the peer, a dialog that is gone',
  async run(stage) {
    const { app, peer } = await callers(stage);
    const headers = {
      'P-Asserted-Identity': '<sip:1@localhost>',
      Via: 'SIP/2.0/UDP 1.2.3.4',
      'Max-Forwards': '12',
      subject: 's',
      'X-foo-bar': '1',
      'x-lower': '2',
      'p-custom': '3',
    };
    const ended = outcome(
      stage,
      app.createUAC(stage.uri(peer), { localSdp: sdp(7000), callingNumber: '15551212', headers }),
    );
    const invite = await peer.request('INVITE');
    const contact = [
      `Contact: <sip:bob@127.0.0.1:${peer.port}>`,
      `Record-Route: <sip:127.0.0.1:${peer.port};lr>`,
    ];
    peer.respond(invite, 200, 'OK', { body: sdp(9000), headers: contact });
    const dialog = await ended;
    await peer.request('ACK');
    if (dialog === undefined) return;
    await requestsOut(stage, dialog, peer);
    await requestsIn(stage, dialog, peer, invite);
    await stage.quiet();
    await dialog.request({ method: 'INFO' }).catch((error: Error) => stage.note(error.message));
  },
};

async function requestsOut(stage: Stage, dialog: SrfDialog, peer: UdpPeer): Promise<void> {
  const reinvited = dialog.request({ method: 'INVITE', body: sdp(7002) });
  peer.respond(await peer.request('INVITE'), 200, 'OK', { body: sdp(9002) });
  await reinvited;
  await peer.request('ACK');
  for (const [method, status, headers, body] of [
    ['INFO', 200, { 'Content-Type': 'application/dtmf-relay' }, 'Signal=1\r\nDuration=100\r\n'],
    ['UPDATE', 200, {}, sdp(7004)],
    ['REFER', 202, { 'Refer-To': '<sip:carol@127.0.0.1:9>', Contact: '<sip:x@127.0.0.1>' }, ''],
  ] as const) {
    const sent = dialog.request({ method, headers, ...(body === '' ? {} : { body }) });
    peer.respond(await peer.request(method), status, status === 200 ? 'OK' : 'Accepted');
    stage.note(`${method} got ${(await sent).status}`);
  }
  await dialog.request({ method: 'MESSAGE', body: 'x' }).catch((error: Error) => stage.note(error.message));
}

async function requestsIn(stage: Stage, dialog: SrfDialog, peer: UdpPeer, invite: Invite): Promise<void> {
  const parts = inDialog(invite);
  dialog.on('info', (_request: SrfRequest, response: SrfResponse) =>
    response.send(200, { headers: { 'X-R': '1' } }),
  );
  stage.request(peer, { ...parts, method: 'INFO', cseq: 101 });
  await peer.status(200, 'INFO');
  dialog.on('modify', (request: SrfRequest, response: SrfResponse) => {
    stage.note(`modify by ${request.method}`);
    response.send(200, { body: sdp(7006) });
  });
  stage.request(peer, { ...parts, method: 'INVITE', cseq: 102, body: sdp(9100) });
  await peer.status(200, 'INVITE');
  stage.request(peer, { ...parts, method: 'ACK', cseq: 102 });
  await stage.quiet();
  stage.request(peer, { ...parts, method: 'FOO', cseq: 103 });
  await peer.status(501, 'FOO');
  dialog.on('update', (_request: SrfRequest, response: SrfResponse) =>
    response.send(200, { body: sdp(7006) }),
  );
  stage.request(peer, { ...parts, method: 'UPDATE', cseq: 104, body: sdp(9102) });
  await peer.status(200, 'UPDATE');
  stage.request(peer, { ...parts, method: 'BYE', cseq: 105 });
  await peer.status(200, 'BYE');
}

const uacauth: Scenario = {
  name: 'uacauth',
  shows: 'digest challenges of REGISTER and INVITE, answered by srf',
  async run(stage) {
    const { app, peer } = await callers(stage);
    const auth = { username: 'bob', password: 'pw' };
    const challenge = ['WWW-Authenticate: Digest realm="x", nonce="abc123", qop="auth", algorithm=MD5'];
    const challenged = async (method: string): Promise<Invite> => {
      peer.respond(await peer.request(method), 401, 'Unauthorized', { headers: challenge });
      return peer.request(method);
    };
    app.request(
      `sip:127.0.0.1:${peer.port};transport=udp`,
      {
        method: 'REGISTER',
        headers: { From: '<sip:bob@127.0.0.1>', To: '<sip:bob@127.0.0.1>', Contact: '<sip:bob@localhost>' },
        auth,
      },
      (_error, request) =>
        request.on('response', (response: SrfResponse) => stage.note(`REGISTER got ${response.status}`)),
    );
    peer.respond(await challenged('REGISTER'), 200, 'OK');
    await stage.quiet();
    const ended = outcome(stage, call(app, stage.uri(peer), { auth }));
    peer.respond(await challenged('INVITE'), 200, 'OK', { body: sdp(9000) });
    const dialog = await ended;
    await stage.quiet();
    await hangUp(dialog, peer);
  },
};

const fork: Scenario = {
  name: 'fork',
  shows: 'two branches ring, both answer',
  async run(stage) {
    const { app, peer } = await callers(stage);
    const { ended } = cancellable(stage, app, peer);
    const invite = await peer.request('INVITE');
    peer.respond(invite, 183, 'P', { toTag: 'T1', body: sdp(9000) });
    peer.respond(invite, 180, 'R', { toTag: 'T2' });
    await stage.quiet();
    peer.respond(invite, 200, 'OK', { toTag: 'T2', body: sdp(9002) });
    const dialog = await ended;
    await peer.request('ACK');
    peer.onMessage = (message) => {
      if (message.kind === 'request' && message.method === 'BYE') peer.respond(message, 200, 'OK');
    };
    peer.respond(invite, 200, 'OK', { toTag: 'T1', body: sdp(9000) });
    await peer.request('ACK');
    await stage.quiet();
    await dialog?.destroy();
  },
};

const threepcc: Scenario = {
  name: 'threepcc',
  shows: 'the offer in the 200, the answer in the ACK',
  async run(stage) {
    const { app, peer } = await callers(stage);
    const offer = app.createUAC(stage.uri(peer), {
      noAck: true,
      ...explicitTo(stage.uri(peer)),
    }) as unknown as Promise<{
      ack: (body: string) => Promise<SrfDialog>;
    }>;
    peer.respond(await peer.request('INVITE'), 200, 'OK', { body: sdp(9000) });
    const dialog = await (await offer).ack(sdp(7000));
    await peer.request('ACK');
    await hangUp(dialog, peer);
  },
};

const uacprack: Scenario = {
  name: 'uacprack',
  shows: 'a reliable 183 of the peer (RFC 3262)',
  async run(stage) {
    const { app, peer } = await callers(stage);
    const ended = outcome(
      stage,
      call(app, stage.uri(peer), explicitTo(stage.uri(peer), { Supported: '100rel' })),
    );
    const invite = await peer.request('INVITE');
    const contact = `Contact: <sip:bob@127.0.0.1:${peer.port}>`;
    peer.respond(invite, 183, 'Progress', {
      body: sdp(9000),
      headers: [contact, 'Require: 100rel', 'RSeq: 77'],
    });
    peer.respond(await peer.request('PRACK'), 200, 'OK');
    await stage.quiet();
    peer.respond(invite, 200, 'OK', { body: sdp(9000) });
    const dialog = await ended;
    await peer.request('ACK');
    await hangUp(dialog, peer);
  },
};

const register: Scenario = {
  name: 'register',
  shows: 'OPTIONS to a next hop of its own, twice',
  async run(stage) {
    const { app, peer } = await callers(stage);
    const proxy = `sip:127.0.0.1:${peer.port};transport=udp`;
    for (let count = 0; count < 2; count += 1) {
      const answered = new Promise<SrfResponse>((resolve) => {
        app.request(
          `sip:127.0.0.1:${peer.port}`,
          { method: 'OPTIONS', proxy, headers: { To: `<sip:127.0.0.1:${peer.port}>` } },
          (_error, request) => request.on('response', resolve),
        );
      });
      peer.respond(await peer.request('OPTIONS'), 200, 'OK');
      stage.note(`OPTIONS got ${(await answered).status}`);
    }
  },
};

async function withSessionTimer(stage: Stage, sessionExpires: string): Promise<UdpPeer> {
  const { app, peer } = await callers(stage);
  const headers = { 'Session-Expires': '90', Supported: 'timer' };
  const ended = outcome(stage, call(app, stage.uri(peer), explicitTo(stage.uri(peer), headers)));
  peer.respond(await peer.request('INVITE'), 200, 'OK', {
    body: sdp(9000),
    headers: [
      `Contact: <sip:bob@127.0.0.1:${peer.port}>`,
      `Session-Expires: ${sessionExpires}`,
      'Require: timer',
    ],
  });
  const dialog = await ended;
  if (dialog !== undefined) void once(dialog, 'destroy').catch((error: unknown) => stage.note(String(error)));
  await peer.request('ACK');
  return peer;
}

const sessionuac: Scenario = {
  name: 'sessionuac',
  shows: 'a session that the peer was to refresh and did not (RFC 4028)',
  async run(stage) {
    const peer = await withSessionTimer(stage, '6;refresher=uas');
    peer.respond(await peer.request('BYE', 8000), 200, 'OK');
  },
};

const sessionrefresh: Scenario = {
  name: 'sessionrefresh',
  shows: 'a session that the engine refreshes, and ends when the refresh is refused',
  async run(stage) {
    const peer = await withSessionTimer(stage, '14;refresher=uac');
    peer.respond(await peer.request('INVITE', 15_000), 481, 'Call/Transaction Does Not Exist');
    peer.respond(await peer.request('BYE'), 200, 'OK');
  },
};

export const callsOfTheApplication: readonly Scenario[] = [
  uac,
  uacauth,
  fork,
  threepcc,
  uacprack,
  register,
  sessionuac,
  sessionrefresh,
];
