import { tagOf, type SipResponse } from '../../../sip/message/index.js';
import { sdp, type Seen, type UdpPeer } from '../../support/sip-peer.js';
import type { SrfApp, SrfDialog, SrfRequest, SrfResponse } from '../../support/srf-app.js';
import type { Scenario } from '../scenario.js';
import type { Stage } from '../stage.js';

type Handler = (request: SrfRequest, response: SrfResponse, app: SrfApp) => void;

/** An application that takes INVITE, and a peer that calls it. */
async function called(stage: Stage, handler: Handler): Promise<UdpPeer> {
  const peer = await stage.udpPeer('A');
  const app = await stage.app();
  app.invite((request, response) => handler(request, response, app));
  await stage.routed();
  return peer;
}

/** Answers, and notes what becomes of the dialog. */
function answer(
  stage: Stage,
  app: SrfApp,
  request: SrfRequest,
  response: SrfResponse,
  headers: object = {},
): Promise<SrfDialog> {
  const call = app.createUAS(request, response, { localSdp: sdp(8000), headers });
  void call.then(
    (dialog) => {
      stage.note(`dialog ${dialog.id}`);
      dialog.on('ack', () => stage.note('ack'));
      dialog.on('destroy', (_bye: SrfRequest, reason: string) => stage.note(`destroyed: ${reason}`));
    },
    (error: Error) => stage.note(`failed: ${error.message}`),
  );
  return call;
}

const toTag = (response: SipResponse & Seen): string => tagOf(response.to) ?? '';

async function acknowledged(
  stage: Stage,
  peer: UdpPeer,
  parts: { callId: string; cseq: number; branch?: string },
  status: number,
): Promise<string> {
  const tag = toTag(await peer.status(status, 'INVITE'));
  stage.request(peer, { ...parts, method: 'ACK', toTag: tag });
  return tag;
}

async function bye(
  stage: Stage,
  peer: UdpPeer,
  parts: { callId: string; cseq: number; toTag: string },
): Promise<void> {
  stage.request(peer, { ...parts, method: 'BYE' });
  await peer.status(200, 'BYE');
}

const uas: Scenario = {
  name: 'uas',
  shows: 'answer, re-INVITE both ways, INFO, OPTIONS, BYE, a late BYE',
  async run(stage) {
    let dialog: SrfDialog | undefined;
    const peer = await called(stage, (request, response, app) => {
      const headers = { 'X-A': '1', 'User-Agent': 'ua', Contact: '<sip:svc@localhost>' };
      void answer(stage, app, request, response, headers).then((made) => {
        dialog = made;
        made.on('modify', (_request: SrfRequest, reply: SrfResponse) => reply.send(200, { body: sdp(8002) }));
        made.on('info', (_request: SrfRequest, reply: SrfResponse) => reply.send(200));
      });
    });
    const callId = stage.callId('uas');
    const invite = { callId, method: 'INVITE', body: sdp(6000) };
    stage.request(peer, {
      ...invite,
      cseq: 1,
      headers: ['Supported: timer', `Record-Route: <sip:127.0.0.1:${peer.port};lr>`],
    });
    const tag = await acknowledged(stage, peer, { callId, cseq: 1 }, 200);
    await stage.quiet();
    stage.request(peer, { ...invite, cseq: 2, toTag: tag });
    await acknowledged(stage, peer, { callId, cseq: 2 }, 200);
    await stage.quiet();
    for (const [index, method] of ['INFO', 'OPTIONS'].entries()) {
      stage.request(peer, { callId, method, cseq: 3 + index, toTag: tag });
      await peer.status(200, method);
      await stage.quiet();
    }
    const modified = dialog?.request({ method: 'INVITE', body: sdp(8004) });
    peer.respond(await peer.request('INVITE'), 200, 'OK', { body: sdp(6004) });
    stage.note(`re-INVITE got ${(await modified)?.status ?? 0}`);
    await peer.request('ACK');
    await bye(stage, peer, { callId, cseq: 5, toTag: tag });
    await stage.quiet();
    stage.request(peer, { callId, method: 'BYE', cseq: 6, toTag: tag });
    await peer.status(481, 'BYE');
  },
};

const reject: Scenario = {
  name: 'reject',
  shows: 'a final response with headers, repeated until the ACK',
  async run(stage) {
    const peer = await called(stage, (_request, response) =>
      response.send(486, 'Busy', { headers: { 'X-Foo': 'bar', 'Retry-After': '5' } }),
    );
    const parts = { callId: stage.callId('reject'), cseq: 1, branch: `z9hG4bK${stage.callId('r')}` };
    stage.request(peer, { ...parts, method: 'INVITE', body: sdp(6000) });
    await peer.status(486);
    await acknowledged(stage, peer, parts, 486);
    stage.note('the 486 came again');
  },
};

/** Cancels an INVITE; `ringing` when the application has sent 180 before. */
function cancelled(name: string, shows: string, ringing: boolean): Scenario {
  return {
    name,
    shows,
    async run(stage) {
      const peer = await called(stage, (request, response) => {
        request.on('cancel', (cancel: SrfRequest) => {
          stage.note(`cancelled by ${cancel.method}, ${cancel.get('reason') ?? 'no reason'}`);
          response.send(487, {}, (error) => stage.note(`487: ${String(error)}`));
        });
        if (ringing) response.send(180);
      });
      const parts = { callId: stage.callId(name), cseq: 1, branch: `z9hG4bK${stage.callId('c')}` };
      stage.request(peer, { ...parts, method: 'INVITE', body: sdp(6000) });
      await peer.status(ringing ? 180 : 100);
      await stage.quiet();
      const headers = ['Reason: SIP;cause=200;text="Call completed elsewhere"'];
      stage.request(peer, { ...parts, method: 'CANCEL', headers });
      await peer.status(200, 'CANCEL');
      await acknowledged(stage, peer, parts, 487);
    },
  };
}

const acktimeout: Scenario = {
  name: 'acktimeout',
  shows: 'a 200 that nobody acknowledges',
  async run(stage) {
    const peer = await called(
      stage,
      (request, response, app) => void answer(stage, app, request, response).catch(() => undefined),
    );
    stage.request(peer, {
      callId: stage.callId('acktimeout'),
      method: 'INVITE',
      cseq: 1,
      body: sdp(6000),
    });
    peer.respond(await peer.request('BYE', stage.engine.patienceMs), 200, 'OK');
    const copies = peer.seen.filter((message) => message.kind === 'response' && message.status === 200);
    stage.note(`the 200 came again and again: ${copies.length > 6}`);
  },
};

const uasprack: Scenario = {
  name: 'uasprack',
  shows: 'a reliable 183 of the application (RFC 3262)',
  async run(stage) {
    const peer = await called(stage, (request, response, app) => {
      response.send(
        183,
        { body: sdp(8000), headers: { Require: '100rel' } },
        (error) => stage.note(`183: ${String(error)}`),
        (prack) => {
          stage.note(`prack ${prack.method}`);
          void answer(stage, app, request, response).catch(() => undefined);
        },
      );
    });
    const callId = stage.callId('uasprack');
    stage.request(peer, {
      callId,
      method: 'INVITE',
      cseq: 1,
      body: sdp(6000),
      headers: ['Supported: 100rel'],
    });
    const progress = await peer.status(183);
    const parts = { callId, toTag: toTag(progress) };
    const rack = `RAck: ${progress.headers.get('rseq') ?? ''} 1 INVITE`;
    stage.request(peer, { ...parts, method: 'PRACK', cseq: 2, headers: [rack] });
    await peer.status(200, 'PRACK');
    await acknowledged(stage, peer, { callId, cseq: 1 }, 200);
    await stage.quiet();
    await bye(stage, peer, { ...parts, cseq: 3 });
  },
};

const uas100relmissing: Scenario = {
  name: 'uas100relmissing',
  shows: 'a reliable 183 to a peer that cannot take it',
  async run(stage) {
    const peer = await called(stage, (_request, response) => {
      response.send(183, { body: sdp(8000), headers: { Require: '100rel' } }, (error) => {
        stage.note(`183: ${String(error)}`);
        response.send(480);
      });
    });
    const parts = { callId: stage.callId('norel'), cseq: 1, branch: `z9hG4bK${stage.callId('n')}` };
    stage.request(peer, { ...parts, method: 'INVITE', body: sdp(6000) });
    await acknowledged(stage, peer, parts, 480);
  },
};

const earlyupdate: Scenario = {
  name: 'earlyupdate',
  shows: 'UPDATE and INFO before the call is answered (RFC 3311)',
  async run(stage) {
    let answerNow = (): void => undefined;
    const peer = await called(stage, (request, response, app) => {
      request.on('update', (_update: SrfRequest, reply: SrfResponse) => {
        stage.note('update');
        reply.send(200, { body: sdp(8002), headers: { 'Content-Type': 'application/sdp' } });
      });
      response.send(183, { body: sdp(8000) });
      answerNow = () => void answer(stage, app, request, response).catch(() => undefined);
    });
    const callId = stage.callId('earlyupdate');
    stage.request(peer, { callId, method: 'INVITE', cseq: 1, body: sdp(6000) });
    const parts = { callId, toTag: toTag(await peer.status(183)) };
    await stage.quiet();
    stage.request(peer, { ...parts, method: 'UPDATE', cseq: 2, body: sdp(6002) });
    await peer.status(200, 'UPDATE');
    stage.request(peer, { ...parts, method: 'INFO', cseq: 3 });
    await stage.quiet();
    answerNow();
    await acknowledged(stage, peer, { callId, cseq: 1 }, 200);
    await stage.quiet();
    await bye(stage, peer, { ...parts, cseq: 4 });
  },
};

const sessiondefault: Scenario = {
  name: 'sessiondefault',
  shows: 'an offered session timer that the application does not take, then one that is too short',
  async run(stage) {
    const peer = await called(
      stage,
      (request, response, app) => void answer(stage, app, request, response).catch(() => undefined),
    );
    const callId = stage.callId('sessiondefault');
    const invite = { callId, method: 'INVITE', body: sdp(6000) };
    const timer = ['Supported: timer', 'Session-Expires: 1800', 'Min-SE: 90'];
    stage.request(peer, { ...invite, cseq: 1, headers: timer });
    const tag = await acknowledged(stage, peer, { callId, cseq: 1 }, 200);
    await stage.quiet();
    const branch = `z9hG4bK${stage.callId('s')}`;
    stage.request(peer, {
      ...invite,
      cseq: 2,
      branch,
      toTag: tag,
      headers: ['Session-Expires: 60;refresher=uac'],
    });
    const final = await peer.next(
      (message) => message.kind === 'response' && message.cseq.number === 2 && message.status >= 200,
    );
    const isRefused = final.kind === 'response' && final.status >= 300;
    stage.request(peer, {
      callId,
      method: 'ACK',
      cseq: 2,
      toTag: tag,
      ...(isRefused ? { branch } : {}),
    });
    await stage.quiet();
    const refresh = ['Session-Expires: 1800;refresher=uac'];
    stage.request(peer, { callId, method: 'UPDATE', cseq: 3, toTag: tag, headers: refresh });
    await peer.status(200, 'UPDATE');
    await bye(stage, peer, { callId, cseq: 4, toTag: tag });
  },
};

const sessionuas: Scenario = {
  name: 'sessionuas',
  shows: 'a session timer that the application takes and refreshes',
  async run(stage) {
    const peer = await called(
      stage,
      (request, response, app) =>
        void answer(stage, app, request, response, {
          'Session-Expires': '90;refresher=uas',
          Require: 'timer',
        }).catch(() => undefined),
    );
    const callId = stage.callId('sessionuas');
    const timer = ['Supported: timer', 'Session-Expires: 90'];
    stage.request(peer, { callId, method: 'INVITE', cseq: 1, body: sdp(6000), headers: timer });
    const tag = await acknowledged(stage, peer, { callId, cseq: 1 }, 200);
    await stage.quiet();
    await bye(stage, peer, { callId, cseq: 2, toTag: tag });
  },
};

export const callsFromTheNetwork: readonly Scenario[] = [
  uas,
  reject,
  cancelled('quickcancel', 'CANCEL before the application has answered', false),
  cancelled('cancel180', 'CANCEL of a ringing call', true),
  acktimeout,
  uasprack,
  uas100relmissing,
  earlyupdate,
  sessiondefault,
  sessionuas,
];
