import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { digestResponse, ha1, parseAuthorization, serializeChallenge } from '../../sip/message/index.js';
import { callsFromSipp, type FlowIn } from '../support/sipp/describe-flows.js';
import type { Take } from '../support/sipp/flow-lab.js';
import { bye, inDialogFlows } from '../support/sipp/in-dialog-flows.js';
import { longHeaders, sippSdp } from '../support/sipp/script.js';
import { answer, answered, answers, refuses, rings } from '../support/sipp/taken-calls.js';
import type { SrfDialog } from '../support/srf-app.js';

const branch = 'z9hG4bK-other-[pid]-[call_number]';

const established: readonly FlowIn[] = inDialogFlows.map((flow) => ({
  ...flow,
  play: (caller) => {
    const headers = flow.refresher === undefined ? [] : ['Supported: timer', 'Session-Expires: 90'];
    flow.play(caller.invite(1, { headers }).gets(100).gets(180).gets(200).sends('ACK', 1));
    if (flow.endsCall !== true) bye(caller);
  },
  take: (call) => {
    call.response.send(180);
    const side = flow.refresher === 'SIPp' ? 'uac' : 'uas';
    const headers = { 'Session-Expires': `90;refresher=${side}`, Require: 'timer' };
    const use = async (dialog: SrfDialog): Promise<void> => {
      const destroyed = once(dialog, 'destroy');
      const acknowledged = Promise.race([once(dialog, 'ack'), destroyed]);
      await flow.act({ app: call.app, dialog, acknowledged, destroyed });
      if (flow.endsCall !== true) await destroyed;
    };
    return answer(call, use, flow.refresher === undefined ? {} : headers);
  },
}));

const setUps: readonly FlowIn[] = [
  {
    name: 'INVITE comes again while it rings',
    play: (caller) => bye(answered(caller.invite().gets(100).gets(180).invite().gets(180))),
    take: async (call) => {
      call.response.send(180);
      await setTimeout(300);
      await answers(call);
    },
    only: 'udp',
  },
  {
    name: 'INVITE comes over two ways, and one is refused as merged',
    play: (caller) =>
      bye(
        answered(
          caller.invite().gets(100).gets(180).invite(1, { branch }).gets(482).ackFailure(1, { branch }),
        ),
      ),
    take: async (call) => {
      call.response.send(180);
      await setTimeout(300);
      await answers(call);
    },
  },
  {
    name: 'the first two 200 are lost',
    play: (caller) => bye(answered(caller.invite().gets(100).gets(180).gets(200).gets(200))),
    take: rings,
    needsTime: true,
  },
  {
    name: 'the answer is never acknowledged',
    play: (caller) =>
      caller
        .invite()
        .gets(100)
        .gets(180)
        .gets(200)
        .skips(200)
        .takes('BYE', [['Reason', 'ACK timeout']])
        .answers('BYE', 200),
    take: async (call) => {
      call.response.send(180);
      await answer(call, (dialog) => {
        const destroyed = once(dialog, 'destroy');
        call.giveUp();
        return destroyed;
      });
    },
  },
  {
    name: 'the application hangs up before the ACK, which is late',
    play: (caller) =>
      caller
        .invite()
        .gets(100)
        .gets(200)
        .gets(200)
        .gets(200)
        .sends('ACK', 1)
        .takes('BYE')
        .answers('BYE', 200),
    take: (call) => answer(call, (dialog) => dialog.destroy()),
    needsTime: true,
  },
  {
    name: 'the offer comes late, and the answer in ACK',
    play: (caller) =>
      bye(
        caller
          .invite(1, { body: '' })
          .gets(100)
          .gets(200)
          .sends('ACK', 1, { body: sippSdp(6000) }),
      ),
    take: (call) =>
      answer(call, async (dialog) => {
        await once(dialog, 'destroy');
        assert.match(dialog.remote.sdp, /m=audio 6000/);
      }),
  },
  {
    name: 'INVITE and its answer are long',
    play: (caller) => {
      const headers = Object.entries(longHeaders).map(([name, value]) => `${name}: ${value}`);
      caller
        .invite(1, { headers })
        .gets(100)
        .gets(200, 'INVITE', [['X-Long-39', 'x{180}']]);
      bye(caller.sends('ACK', 1));
    },
    take: async (call) => {
      assert.equal(call.request.get('X-Long-39'), longHeaders['X-Long-39']);
      assert.match(call.request.body, /m=audio 6000/);
      await answer(call, (dialog) => once(dialog, 'destroy'), longHeaders);
    },
  },
  {
    name: 'the call is refused',
    play: (caller) => caller.invite().gets(100).gets(486).ackFailure(),
    take: refuses(486),
  },
  {
    name: 'the call is refused, and the ACK is lost',
    play: (caller) => caller.invite().gets(100).gets(486).gets(486).ackFailure(),
    take: refuses(486),
    only: 'udp',
    needsTime: true,
  },
  {
    name: 'the call goes elsewhere by 302',
    play: (caller) => {
      caller
        .invite()
        .gets(100)
        .gets(302, 'INVITE', [['Contact', 'sip:elsewhere@']])
        .ackFailure();
      const uri = 'sip:elsewhere@[remote_ip]:[remote_port]';
      bye(caller.invite(2, { uri }).gets(100).gets(200).sends('ACK', 2));
    },
    take: (call) => {
      const { request } = call;
      if (request.uri.startsWith('sip:elsewhere@')) return answers(call);
      return refuses(302, { Contact: `<sip:elsewhere@${request.receivedOn}>` })(call);
    },
  },
  {
    name: 'a session interval that is too brief is refused by 422',
    play: (caller) => {
      const brief = { headers: ['Supported: timer', 'Session-Expires: 60'] };
      caller
        .invite(1, brief)
        .gets(100)
        .gets(422, 'INVITE', [['Min-SE', '90']])
        .ackFailure();
      const enough = { headers: ['Supported: timer', 'Session-Expires: 90'] };
      bye(caller.invite(2, enough).gets(100).gets(200).sends('ACK', 2));
    },
    take: (call) =>
      call.request.get('session-expires') === '60' ? refuses(422, { 'Min-SE': '90' })(call) : answers(call),
  },
];

const challenge = serializeChallenge({ realm: 'engine', nonce: 'once', algorithm: 'MD5', qop: [] });

/** Challenges, and takes the call that comes with the right answer. */
const challenges =
  (status: 401 | 407): Take =>
  (call) => {
    const { request } = call;
    const given = request.get(status === 401 ? 'authorization' : 'proxy-authorization');
    const credentials = parseAuthorization(given ?? '');
    const name = status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate';
    if (credentials === undefined) return refuses(status, { [name]: challenge })(call);
    const expected = digestResponse({
      ...{ ha1: ha1('joe', 'engine', 'secret'), algorithm: 'MD5', nonce: 'once' },
      ...{ method: 'INVITE', uri: credentials.uri },
    });
    return credentials.response === expected ? answers(call) : refuses(403)(call);
  };

const challenged: readonly FlowIn[] = ([401, 407] as const).flatMap((status) => [
  {
    name: `the call is challenged with ${status}`,
    play: (caller) => {
      caller.invite().gets(100).challenged(status).ackFailure();
      const headers = ['[authentication username=joe password=secret]'];
      bye(caller.invite(2, { headers }).gets(100).gets(200).sends('ACK', 2));
    },
    take: challenges(status),
  },
  {
    name: `the call is challenged with ${status} and knows a wrong password`,
    play: (caller) => {
      caller.invite().gets(100).challenged(status).ackFailure();
      const headers = ['[authentication username=joe password=wrong]'];
      caller.invite(2, { headers }).gets(100).gets(403).ackFailure(2);
    },
    take: challenges(status),
  },
]);

describe('SIPp as caller', () => {
  callsFromSipp([...established, ...setUps, ...challenged]);
});
