import assert from 'node:assert/strict';
import type { CalleeLeg, CallerLeg, IncomingCall, LegListener } from '../../sip/leg.js';
import { freePort } from '../support/free-port.js';
import { requirePeer } from '../support/peers.js';
import { startSipp } from '../support/run-sipp.js';
import { TrunkRig } from '../support/trunk-rig.js';

const calls = 300;
const callsPerSecond = 100;
/** RFC 3261 timer J and D keep finished transactions in the engine; here only calls count. */
const ofCalls = ['legs', 'requests', 'dialogs', 'transactions', 'pendingRequests', 'pendingInvites'];

describe('trunk legs between two SIPps', function () {
  this.timeout(40_000);
  let sipp: string;
  let rig: TrunkRig;
  const ends: string[] = [];

  before(function () {
    sipp = requirePeer(this, 'sipp');
  });
  afterEach(() => rig.close());

  /** Joins a call to a callee at `uri`: the shortest back-to-back user agent there is. */
  function join(incoming: IncomingCall, uri: string): void {
    const caller: CallerLeg = incoming.leg;
    const ended = (other: () => void): LegListener => ({
      reoffer: () => undefined,
      request: (request) => request.respond(200),
      ended: ({ cause }) => {
        ends.push(cause);
        other();
      },
    });
    const callee: CalleeLeg = rig.stack.invite(
      { requestUri: uri },
      { legId: `l_${ends.length}`, sdp: incoming.sdp, from: incoming.from, to: { uri }, headers: [] },
      {
        ...ended(() => caller.hangUp()),
        progress: ({ status, reason }) => caller.progress(status, reason),
        answered: (answer) => {
          answer.ack();
          caller.answer(answer.sdp ?? '').catch(() => undefined);
        },
        failed: (failure) => caller.reject(failure),
      },
    );
    caller.listen(ended(() => callee.hangUp()));
  }

  for (const transport of ['udp', 'tcp'] as const) {
    it(`carries ${calls} calls over ${transport.toUpperCase()} and keeps nothing of them`, async () => {
      ends.length = 0;
      const port = await freePort();
      const uri = `sip:callee@127.0.0.1:${port};transport=${transport}`;
      rig = await TrunkRig.start({ incoming: (call) => join(call, uri) });
      const program = { program: sipp, transport, calls, timeoutSeconds: 30 };
      const callee = startSipp({ ...program, scenario: 'callee.xml', port });
      const caller = startSipp({
        ...program,
        scenario: 'caller.xml',
        port: await freePort(),
        target: rig.portOf(transport),
        callsPerSecond,
      });
      const [out, taken] = await Promise.all([caller.result, callee.result]);
      assert.deepEqual([out.successful, out.failed], [calls, 0], out.errors);
      assert.deepEqual([taken.successful, taken.failed], [calls, 0], taken.errors);
      assert.equal(ends.length, 2 * calls);
      const left = Object.entries(rig.leftovers()).filter(([name]) => ofCalls.includes(name));
      assert.deepEqual(left, []);
    });
  }
});
