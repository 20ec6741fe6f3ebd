import { tagOf } from '../../../sip/message/index.js';
import { sdp } from '../../support/sip-peer.js';
import type { SrfDialog, SrfRequest, SrfResponse } from '../../support/srf-app.js';
import type { Scenario } from '../scenario.js';
import type { Stage } from '../stage.js';

const outofdialog: Scenario = {
  name: 'outofdialog',
  shows: 'requests outside dialogs, a subscription, what is refused without asking anybody',
  async run(stage) {
    const peer = await stage.udpPeer('A');
    const app = await stage.app();
    for (const method of ['options', 'message', 'register', 'publish', 'notify', 'info'] as const) {
      app.use(method, (request, response) => {
        stage.note(`${method} from ${request.protocol} ${request.source_address}, on ${request.receivedOn}`);
        response.send(200, { headers: method === 'register' ? { Contact: request.get('contact') } : {} });
      });
    }
    app.use('subscribe', (request, response) => {
      void app
        .createUAS(request, response, { headers: { Expires: '60' } })
        .then((dialog) => notifyTwice(stage, dialog));
    });
    await stage.routed();
    for (const method of ['OPTIONS', 'MESSAGE', 'REGISTER', 'PUBLISH', 'NOTIFY', 'INFO']) {
      const event = method === 'NOTIFY' ? ['Event: x', 'Subscription-State: active'] : [];
      stage.request(peer, { method, callId: stage.callId(method), cseq: 1, headers: event });
      await peer.status(200, method);
      await stage.quiet();
    }
    stage.request(peer, {
      method: 'SUBSCRIBE',
      callId: stage.callId('sub'),
      cseq: 1,
      headers: ['Event: presence', 'Expires: 60'],
    });
    for (let count = 0; count < 2; count += 1) peer.respond(await peer.request('NOTIFY'), 200, 'OK');
    await stage.quiet();
    for (const method of ['REFER', 'UPDATE', 'BYE', 'PRACK', 'FOO'])
      stage.request(await stage.udpPeer(method), { method, callId: stage.callId(`lone${method}`), cseq: 1 });
    for (const [name, toTag] of [
      ['unwanted', undefined],
      ['stranger', 'nobody'],
    ] as const) {
      const caller = await stage.udpPeer(name);
      const parts = { callId: stage.callId(name), cseq: 1, branch: `z9hG4bK${stage.callId(name)}` };
      const tag = toTag === undefined ? {} : { toTag };
      stage.request(caller, { ...parts, ...tag, method: 'INVITE', body: sdp(6000) });
      const final = await caller.next((message) => message.kind === 'response' && message.status > 400);
      stage.request(caller, { ...parts, method: 'ACK', toTag: tagOf(final.to) ?? '' });
    }
  },
};

async function notifyTwice(stage: Stage, dialog: SrfDialog): Promise<void> {
  stage.note(`subscription ${dialog.id}`);
  for (const state of ['active', 'terminated']) {
    const headers = { Event: 'presence', 'Subscription-State': state };
    const { status } = await dialog.request({ method: 'NOTIFY', headers });
    stage.note(`NOTIFY ${state} got ${status}`);
  }
}

const noapp: Scenario = {
  name: 'noapp',
  shows: 'requests that no application has asked for',
  async run(stage) {
    const peer = await stage.udpPeer('A');
    for (const method of ['OPTIONS', 'INVITE', 'REGISTER']) {
      const parts = { callId: stage.callId(method), cseq: 1, branch: `z9hG4bK${stage.callId(method)}` };
      stage.request(peer, { ...parts, method, body: method === 'INVITE' ? sdp(6000) : '' });
      const refused = await peer.status(503, method);
      if (method === 'INVITE')
        stage.request(peer, { ...parts, method: 'ACK', toTag: tagOf(refused.to) ?? '' });
    }
  },
};

const badauth: Scenario = {
  name: 'badauth',
  shows: 'a wrong secret',
  async run(stage) {
    const control = await stage.control(undefined);
    stage.note((await control.ask('authenticate|wrong|')).join('|'));
    await control.closed;
    stage.note('closed');
  },
};

const unauthenticated: Scenario = {
  name: 'unauthenticated',
  shows: 'a route without a secret',
  async run(stage) {
    const control = await stage.control(undefined);
    await control.ask('route|options');
  },
};

const unknowntxn: Scenario = {
  name: 'unknowntxn',
  shows: 'a response to nothing, a response without transaction, a word that is no command',
  async run(stage) {
    const { secret } = stage.engine;
    const control = await stage.control(secret, 'first');
    await control.ask('ping');
    await control.ask('sip|deadbeef|\r\nSIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n');
    await control.ask('sip||\r\nSIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n');
    await control.closed;
    stage.note('first closed');
    const second = await stage.control(secret, 'second');
    second.send('bogus|x');
    await second.closed;
    stage.note('second closed');
  },
};

const appgone: Scenario = {
  name: 'appgone',
  shows: 'an application that crashes during two calls, another that takes one over by its dialog id',
  async run(stage) {
    const peer = await stage.udpPeer('A');
    const app = await stage.app('first');
    app.invite((request, response) => {
      void app.createUAS(request, response, { localSdp: sdp(8000) }).catch(() => undefined);
    });
    await stage.routed();
    const calls: { callId: string; toTag: string }[] = [];
    for (const name of ['one', 'two']) {
      const callId = stage.callId(name);
      stage.request(peer, { callId, method: 'INVITE', cseq: 1, body: sdp(6000) });
      const toTag = tagOf((await peer.status(200)).to) ?? '';
      stage.request(peer, { callId, method: 'ACK', cseq: 1, toTag });
      await stage.quiet();
      calls.push({ callId, toTag });
    }
    const [left, adopted] = calls;
    if (left === undefined || adopted === undefined) return;
    stage.crash('first');
    await stage.quiet();
    stage.request(peer, { ...left, method: 'INFO', cseq: 2 });
    await peer.status(481, 'INFO');
    const branch = `z9hG4bK${stage.callId('gone')}`;
    stage.request(peer, { ...left, branch, method: 'INVITE', cseq: 3, body: sdp(6002) });
    await peer.status(481, 'INVITE');
    stage.request(peer, { ...left, branch, method: 'ACK', cseq: 3 });
    const control = await stage.control(stage.engine.secret, 'second');
    for (const method of ['INFO', 'BYE']) {
      const asked = control.ask(
        `sip||${adopted.callId};from-tag=f1\r\n${method} sip:placeholder SIP/2.0\r\n\r\n`,
      );
      peer.respond(await peer.request(method), 200, 'OK');
      await asked;
      await stage.quiet();
    }
  },
};

const b2bcancel: Scenario = {
  name: 'b2bcancel',
  shows: 'two legs of one application: early media, then CANCEL with Reason',
  async run(stage) {
    const caller = await stage.udpPeer('A');
    const callee = await stage.udpPeer('B');
    const app = await stage.app();
    app.invite((request, response) => bridge(request, response, stage.uri(callee)));
    const bridge = (request: SrfRequest, response: SrfResponse, uri: string): void => {
      let outgoing: SrfRequest | undefined;
      request.on('cancel', (cancel: SrfRequest) => {
        response.send(487);
        outgoing?.cancel({ headers: { Reason: cancel.get('reason') } }, () => undefined);
      });
      app
        .createUAC(
          uri,
          { localSdp: request.body, headers: { To: `<${uri}>` } },
          {
            cbRequest: (_error, sent) => (outgoing = sent),
            cbProvisional: (progress) => response.send(progress.status, { body: progress.body }),
          },
        )
        .catch((error: Error) => stage.note(error.message));
    };
    await stage.routed();
    const parts = { callId: stage.callId('b2b'), cseq: 1, branch: `z9hG4bK${stage.callId('b2b')}` };
    stage.request(caller, { ...parts, method: 'INVITE', body: sdp(6000) });
    const invite = await callee.request('INVITE');
    callee.respond(invite, 183, 'Progress', { body: sdp(9000) });
    await caller.status(183);
    await stage.quiet();
    stage.request(caller, { ...parts, method: 'CANCEL', headers: ['Reason: SIP;cause=200'] });
    callee.respond(await callee.request('CANCEL'), 200, 'OK');
    callee.respond(invite, 487, 'Request Terminated');
    const refused = await caller.status(487, 'INVITE');
    stage.request(caller, { ...parts, method: 'ACK', toTag: tagOf(refused.to) ?? '' });
    await callee.request('ACK');
  },
};

const proxy: Scenario = {
  name: 'proxy',
  shows: 'a frame that asks for proxying',
  async run(stage) {
    const peer = await stage.udpPeer('A');
    const target = await stage.udpPeer('B');
    const control = await stage.control(stage.engine.secret);
    await control.ask('route|invite');
    const parts = { callId: stage.callId('proxy'), cseq: 1, branch: `z9hG4bK${stage.callId('proxy')}` };
    stage.request(peer, { ...parts, method: 'INVITE', body: sdp(6000) });
    let frame = await control.next();
    while (!frame.includes('INVITE')) frame = await control.next();
    const transaction = (frame.split('\r\n', 1)[0] ?? '').split('|')[8] ?? '';
    target.onMessage = (message) => {
      if (message.kind === 'request' && message.method === 'INVITE')
        target.respond(message, 486, 'Busy Here');
    };
    const uri = stage.uri(target);
    const asked = await control.ask(
      `proxy|${transaction}|remainInDialog|fullResponse|followRedirects|serial|2s||${uri}\r\nINVITE ${uri} SIP/2.0\r\nX-P: 1\r\n\r\n`,
    );
    if (asked[0] === 'NOK')
      await control.ask(`sip|${transaction}|\r\nSIP/2.0 486 Busy Here\r\nCSeq: 1 INVITE\r\n\r\n`);
    const refused = await peer.status(486);
    stage.request(peer, { ...parts, method: 'ACK', toTag: tagOf(refused.to) ?? '' });
  },
};

export const otherRequests: readonly Scenario[] = [
  outofdialog,
  noapp,
  badauth,
  unauthenticated,
  unknowntxn,
  appgone,
  b2bcancel,
  proxy,
];
