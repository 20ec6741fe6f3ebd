import { findPeer, requirePeer } from '../peers.js';
import { makeTestAuthority } from '../test-certificate.js';
import { FlowLab, type FlowTransport, type Make, type Take } from './flow-lab.js';
import { Script } from './script.js';

const timeoutMs = 15_000;

interface Flow {
  readonly name: string;
  /** SIPp's part. */
  play(script: Script): unknown;
  /** It makes sense over no other transport. */
  readonly only?: FlowTransport;
  /** Something is sent again or runs out; else time stands still in the engine. */
  readonly needsTime?: boolean;
}

/** SIPp calls. */
export interface FlowIn extends Flow {
  readonly take: Take;
}

/** SIPp is called. */
export interface FlowOut extends Flow {
  readonly make: Make;
}

/** The tests of a suite: every flow over UDP, TCP and TLS at the same time. */
export function callsFromSipp(flows: readonly FlowIn[]): void {
  testFlows(flows, 'caller', (lab, script, { take, needsTime }) =>
    lab.callsIn(script, take, needsTime === true ? 'runs' : 'stands'),
  );
}

/** The tests of a suite: every flow over UDP, TCP and TLS at the same time. */
export function callsToSipp(flows: readonly FlowOut[]): void {
  testFlows(flows, 'callee', (lab, script, { make, needsTime }) =>
    lab.callsOut(script, make, needsTime === true ? 'runs' : 'stands'),
  );
}

function testFlows<AnyFlow extends Flow>(
  flows: readonly AnyFlow[],
  role: Script['role'],
  run: (lab: FlowLab, script: Script, flow: AnyFlow) => Promise<void>,
): void {
  const labs: FlowLab[] = [];
  const all = (act: (lab: FlowLab) => Promise<void>) => Promise.all(labs.map(act));

  before(async function () {
    const sipp = requirePeer(this, 'sipp');
    labs.push(await FlowLab.start(sipp, 'udp'), await FlowLab.start(sipp, 'tcp'));
    const stunnel = findPeer('stunnel4');
    const authority = stunnel === undefined ? undefined : makeTestAuthority();
    if (stunnel !== undefined && authority !== undefined)
      labs.push(await FlowLab.startTls(sipp, stunnel, authority));
    else process.stdout.write('      (stunnel4 or openssl is not installed: nothing is tried over TLS)\n');
  });

  after(() => all((lab) => lab.close()));

  for (const flow of flows) {
    const { name, only } = flow;
    it(only === undefined ? name : `${name}, over ${only.toUpperCase()}`, async () => {
      await all(async (lab) => {
        if (only !== undefined && lab.transport !== only) return;
        const script = new Script(role);
        flow.play(script);
        await run(lab, script, flow).catch((error: Error) => {
          throw new Error(`over ${lab.transport}: ${error.message}`, { cause: error });
        });
      });
    }).timeout(timeoutMs);
  }

  it('leaves nothing behind', () => all((lab) => lab.idle())).timeout(timeoutMs);
}
