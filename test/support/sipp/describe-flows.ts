import { requirePeer } from '../peers.js';
import { FlowLab, flowTransports, type FlowTransport, type Make, type Take } from './flow-lab.js';
import { Script } from './script.js';

const timeoutMs = 15_000;

interface Flow {
  readonly name: string;
  /** SIPp's part. */
  play(script: Script): unknown;
  /** Something is lost and must be repeated, as streams need not. */
  readonly overUdpOnly?: boolean;
}

/** SIPp calls. */
export interface FlowIn extends Flow {
  readonly take: Take;
}

/** SIPp is called. */
export interface FlowOut extends Flow {
  readonly make: Make;
}

/** The tests of a suite: every flow over every transport that it fits. */
export function callsFromSipp(flows: readonly FlowIn[]): void {
  testFlows(flows, 'caller', (lab, transport, script, { take }) => lab.callsIn(transport, script, take));
}

/** The tests of a suite: every flow over every transport that it fits. */
export function callsToSipp(flows: readonly FlowOut[]): void {
  testFlows(flows, 'callee', (lab, transport, script, { make }) => lab.callsOut(transport, script, make));
}

function testFlows<AnyFlow extends Flow>(
  flows: readonly AnyFlow[],
  role: Script['role'],
  run: (lab: FlowLab, transport: FlowTransport, script: Script, flow: AnyFlow) => Promise<void>,
): void {
  let lab: FlowLab;

  before(async function () {
    lab = await FlowLab.start(requirePeer(this, 'sipp'));
  });

  after(() => lab?.close());

  for (const transport of flowTransports) {
    for (const flow of flows) {
      if (flow.overUdpOnly === true && transport !== 'udp') continue;
      it(`${flow.name}, over ${transport.toUpperCase()}`, () => {
        const script = new Script(role);
        flow.play(script);
        return run(lab, transport, script, flow);
      }).timeout(timeoutMs);
    }
  }

  it('leaves nothing behind', () => lab.idle()).timeout(timeoutMs);
}
