import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { callsToSipp, type FlowOut } from '../support/sipp/describe-flows.js';
import { bye, inDialogFlows } from '../support/sipp/in-dialog-flows.js';
import { answer, answered, call, calls, hungUp, isHungUp, isRefused } from '../support/sipp/made-calls.js';
import { longHeaders, type Script } from '../support/sipp/script.js';
import { sdp } from '../support/sip-peer.js';
import { statusOf, type SrfApp, type SrfDialog, type SrfResponse } from '../support/srf-app.js';

const acknowledged = Promise.resolve();

const established: readonly FlowOut[] = inDialogFlows.map((flow) => ({
  ...flow,
  play: (callee) => {
    const side = flow.refresher === 'SIPp' ? 'uas' : 'uac';
    const headers = ['Require: timer', `Session-Expires: 90;refresher=${side}`];
    flow.play(answered(callee, flow.refresher === undefined ? [] : headers));
    if (flow.endsCall !== true) bye(callee);
  },
  make: async (app, uri) => {
    const headers = { Supported: 'timer', 'Session-Expires': '90' };
    const dialog = await call(app, uri, flow.refresher === undefined ? {} : { headers });
    const destroyed = once(dialog, 'destroy');
    await flow.act({ app, dialog, acknowledged, destroyed });
    if (flow.endsCall !== true) await destroyed;
  },
}));

const setUps: readonly FlowOut[] = [
  {
    name: 'INVITE is lost, twice',
    play: (callee) =>
      hungUp(
        callee.takes('INVITE').takes('INVITE').takes('INVITE').answers('INVITE', 200, answer).takes('ACK'),
      ),
    make: calls,
    only: 'udp',
    needsTime: true,
  },
  {
    name: 'the ACK is lost, twice',
    play: (callee) => {
      answered(callee)
        .answers('INVITE', 200, answer)
        .takes('ACK')
        .answers('INVITE', 200, answer)
        .takes('ACK');
      bye(callee);
    },
    make: isHungUp(),
  },
  {
    name: 'the application offers late, and its ACK with the answer comes late and is lost',
    play: (callee) => {
      callee.takes('INVITE').answers('INVITE', 200, answer).answers('INVITE', 200, answer);
      callee.takes('ACK', [['Content-Type', 'application/sdp']]).answers('INVITE', 200, answer);
      bye(callee.takes('ACK', [['Content-Type', 'application/sdp']]));
    },
    make: async (app, uri) => {
      const offered = await app.createUAC(uri, { noAck: true });
      const { sdp: offer, ack } = offered as unknown as LateOffer;
      assert.match(offer, /m=audio 6000/);
      await setTimeout(100);
      await once(await ack(sdp(7000)), 'destroy');
    },
  },
  {
    name: 'INVITE is long, and the callee takes nothing but this transport',
    play: (callee) => {
      callee.takes('INVITE', [['X-Long-39', 'x{180}']]).answers('INVITE', 180);
      bye(callee.answers('INVITE', 200, answer).takes('ACK'));
    },
    make: isHungUp({ headers: longHeaders }),
  },
  {
    name: 'INVITE is too long for the UDP address that is called',
    play: (callee) => bye(answered(callee)),
    make: (app, uri) => isHungUp({ headers: longHeaders })(app, uri.replace('=tcp', '=udp')),
    only: 'tcp',
  },
  {
    name: 'the call is refused',
    play: (callee) => callee.takes('INVITE').answers('INVITE', 100).answers('INVITE', 486).takes('ACK'),
    make: isRefused(486),
  },
  {
    name: 'the call is refused, and the ACK is lost',
    play: (callee) =>
      callee.takes('INVITE').answers('INVITE', 486).takes('ACK').answers('INVITE', 486).takes('ACK'),
    make: isRefused(486),
    only: 'udp',
  },
  {
    name: 'the callee sends the call elsewhere by 302',
    play: (callee) => {
      const headers = ['Contact: <sip:elsewhere@[reachable]>'];
      callee.takes('INVITE').answers('INVITE', 302, { headers }).takes('ACK');
      bye(
        callee
          .takes('INVITE', [['To', 'sip:elsewhere@']])
          .answers('INVITE', 200, answer)
          .takes('ACK'),
      );
    },
    make: (app, uri) =>
      again(app, uri, 302, (response) => ({
        uri: /<(.*)>/.exec(response.get('contact'))?.[1] ?? '',
        headers: {},
      })),
  },
  {
    name: 'the callee wants a longer session interval by 422',
    play: (callee) => {
      callee.takes('INVITE', [['Session-Expires', '90']]);
      callee.answers('INVITE', 422, { headers: ['Min-SE: 120'] }).takes('ACK');
      const headers = ['Require: timer', 'Session-Expires: 120;refresher=uac'];
      callee.takes('INVITE', [['Session-Expires', '120']]);
      bye(callee.answers('INVITE', 200, { ...answer, headers }).takes('ACK'));
    },
    make: (app, uri) =>
      again(app, uri, 422, (response) => ({
        uri,
        headers: { 'Session-Expires': response.get('min-se'), 'Min-SE': response.get('min-se') },
      })),
  },
];

interface LateOffer {
  readonly sdp: string;
  readonly ack: (answer: string) => Promise<SrfDialog>;
}

/** Is refused with that status, and calls again with the same Call-ID as the response says. */
async function again(
  app: SrfApp,
  uri: string,
  status: number,
  better: (response: SrfResponse) => { readonly uri: string; readonly headers: Record<string, string> },
): Promise<void> {
  const refused: unknown = await call(app, uri, {
    headers: { Supported: 'timer', 'Session-Expires': '90' },
  }).catch((error: unknown) => error);
  assert.equal(statusOf(refused), status);
  const { res } = refused as { readonly res: SrfResponse };
  const next = better(res);
  const headers = { Supported: 'timer', 'Call-ID': res.get('call-id'), ...next.headers };
  await once(await call(app, next.uri, { headers }), 'destroy');
}

const challenge = 'Digest realm="sipp", nonce="once", algorithm=MD5';

const challenged: readonly FlowOut[] = ([401, 407] as const).flatMap((status) => {
  const headers = [`${status === 401 ? 'WWW' : 'Proxy'}-Authenticate: ${challenge}`];
  const refused = (callee: Script): Script => callee.answers('INVITE', status, { headers }).takes('ACK');
  const field = status === 401 ? 'Authorization' : 'Proxy-Authorization';
  return [
    {
      name: `the callee challenges with ${status}`,
      play: (callee: Script) => {
        refused(callee.takes('INVITE'));
        if (status === 401) callee.takesAuthentic('joe', 'secret');
        else callee.takes('INVITE', [[field, 'Digest username="joe"']]);
        bye(callee.answers('INVITE', 200, answer).takes('ACK', [[field, 'joe']]));
      },
      make: isHungUp({ auth: { username: 'joe', password: 'secret' } }),
    },
    {
      name: `the callee challenges with ${status}, twice, because the password is wrong`,
      play: (callee: Script) => refused(refused(callee.takes('INVITE')).takes('INVITE', [[field, 'joe']])),
      make: isRefused(status, { auth: { username: 'joe', password: 'wrong' } }),
    },
  ];
});

describe('SIPp as callee', () => {
  callsToSipp([...established, ...setUps, ...challenged]);
});
