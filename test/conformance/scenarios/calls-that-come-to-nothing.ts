import { sdp } from '../../support/sip-peer.js';
import type { SrfRequest } from '../../support/srf-app.js';
import type { Scenario } from '../scenario.js';
import type { Stage } from '../stage.js';
import { call, callers, cancellable, hangUp, outcome } from './outgoing-call.js';

const cancel = (stage: Stage, request: SrfRequest, headers: object = {}): Promise<void> =>
  new Promise((resolve) => {
    request.cancel({ headers }, (error) => {
      stage.note(`cancel sent: ${String(error)}`);
      resolve();
    });
  });

const uaccancel: Scenario = {
  name: 'uaccancel',
  shows: 'CANCEL with Reason of a ringing call',
  async run(stage) {
    const { app, peer } = await callers(stage);
    const { ended, request } = cancellable(stage, app, peer);
    const invite = await peer.request('INVITE');
    peer.respond(invite, 180, 'Ringing');
    const sent = await request;
    await stage.quiet();
    await cancel(stage, sent, { Reason: 'SIP;cause=200;text="Call completed elsewhere"' });
    peer.respond(await peer.request('CANCEL'), 200, 'OK');
    peer.respond(invite, 487, 'Request Terminated');
    await ended;
    await peer.request('ACK');
  },
};

const uaccancelearly: Scenario = {
  name: 'uaccancelearly',
  shows: 'CANCEL before any response: held until the first one',
  async run(stage) {
    const { app, peer } = await callers(stage);
    const { ended, request } = cancellable(stage, app, peer);
    const invite = await peer.request('INVITE');
    await cancel(stage, await request);
    peer.respond(invite, 180, 'Ringing');
    peer.respond(await peer.request('CANCEL'), 200, 'OK');
    peer.respond(invite, 487, 'Request Terminated');
    await ended;
    await peer.request('ACK');
  },
};

const cancelrace: Scenario = {
  name: 'cancelrace',
  shows: 'a 200 that crosses the CANCEL',
  async run(stage) {
    const { app, peer } = await callers(stage);
    const { ended, request } = cancellable(stage, app, peer);
    const invite = await peer.request('INVITE');
    peer.respond(invite, 180, 'Ringing');
    const sent = await request;
    await stage.quiet();
    await cancel(stage, sent);
    const cancelled = await peer.request('CANCEL');
    peer.respond(invite, 200, 'OK', { body: sdp(9000) });
    peer.respond(cancelled, 200, 'OK');
    await ended;
    peer.respond(await peer.request('BYE'), 200, 'OK');
  },
};

const uacnoack: Scenario = {
  name: 'uacnoack',
  shows: 'a 200 that comes again after its ACK',
  async run(stage) {
    const { app, peer } = await callers(stage);
    const ended = outcome(stage, call(app, stage.uri(peer)));
    const invite = await peer.request('INVITE');
    peer.respond(invite, 200, 'OK', { body: sdp(9000) });
    const dialog = await ended;
    await peer.request('ACK');
    peer.respond(invite, 200, 'OK', { body: sdp(9000) });
    const again = await peer.request('ACK');
    stage.note(
      `the ACK came again: ${peer.seen.filter(({ cseq }) => cseq.method === 'ACK').every(({ text }) => text === again.text)}`,
    );
    await hangUp(dialog, peer);
  },
};

const uactimeout: Scenario = {
  name: 'uactimeout',
  shows: 'nobody listens (UDP, TCP), nobody answers',
  async run(stage) {
    const { app, peer } = await callers(stage);
    for (const transport of ['udp', 'tcp'] as const) {
      const gone = transport === 'udp' ? await stage.udpPeer('gone') : await stage.tcpPeer('closed', false);
      const uri = stage.uri(gone);
      await gone.close();
      gone.close = () => Promise.resolve();
      Object.defineProperty(gone, 'port', { value: Number(/:(\d+);/.exec(uri)?.[1]) });
      await outcome(stage, call(app, uri));
    }
    const ended = outcome(stage, call(app, stage.uri(peer)));
    await ended;
    stage.note(`retransmitted: ${peer.seen.length >= 5}`);
  },
};

const uacfail: Scenario = {
  name: 'uacfail',
  shows: 'a busy peer, and requests that the engine refuses to send',
  async run(stage) {
    const { app, peer } = await callers(stage);
    const ended = outcome(stage, call(app, stage.uri(peer)));
    peer.respond(await peer.request('INVITE'), 486, 'Busy Here');
    await ended;
    await peer.request('ACK');
    for (const uri of [
      `sip:bob@127.0.0.1:${stage.portFor(peer)}`,
      `sip:bob@${stage.callId('nowhere')}.invalid`,
      'sip:bob@1.2.3.4;transport=tls',
    ])
      await outcome(stage, call(app, uri));
    await new Promise<void>((resolve) => {
      app.request(stage.uri(peer), { method: 'MESSAGE', body: 'hello' }, (error) => {
        stage.note(`MESSAGE: ${error?.message ?? 'sent'}`);
        resolve();
      });
    });
    const control = await stage.control(stage.engine.secret, 'stranger');
    await control.ask('sip||nope;from-tag=x\r\nINFO sip:placeholder SIP/2.0\r\n\r\n');
  },
};

/** Calls of the application that are cancelled, refused or forgotten. */
export const callsThatComeToNothing: readonly Scenario[] = [
  uaccancel,
  uaccancelearly,
  cancelrace,
  uacnoack,
  uactimeout,
  uacfail,
];
