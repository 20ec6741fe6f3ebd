import { parentPort, workerData } from 'node:worker_threads';
import { browserSdp } from '../bench/messages.js';
import { sdp } from '../support/sip-peer.js';
import type { LoadAnswer, LoadCommand, LoadOrder } from './abuse-load.js';
import { Load } from './load.js';
import { SoakPbx } from './soak-pbx.js';

/** The thread of {@link AbuseLoad}: good phones and a PBX, which no attacker's work may delay. */
const order = workerData as LoadOrder;
const sdpBytes = 1_500;
const pbxRtpPort = 9_000;

if (parentPort === null) throw new Error('it is a thread of its own');
const port = parentPort;
const pbx = await SoakPbx.open(sdp(pbxRtpPort));
let load: Load | undefined;

async function obey(command: LoadCommand): Promise<LoadAnswer> {
  switch (command.kind) {
    case 'sign_in':
      pbx.gatewayPort = command.sipPort;
      load = new Load({ ...order, pbx, wsUrl: command.wsUrl, phoneSdp: browserSdp(sdpBytes) });
      await load.signIn();
      return { kind: 'done' };
    case 'run':
      return run(command.seconds);
    case 'hang_up':
      load?.close();
      return { kind: 'done' };
    case 'close':
      load?.close();
      await pbx.close();
      return { kind: 'done' };
  }
}

async function run(seconds: number): Promise<LoadAnswer> {
  if (load === undefined) throw new Error('nobody has signed in');
  const { begun, ended } = load;
  load.failures.clear();
  load.ringMs = [];
  await load.run(seconds);
  const failures = [...load.failures].map(([what, count]) => `${count} × ${what}`);
  return { kind: 'ran', begun: load.begun - begun, ended: load.ended - ended, failures, ringMs: load.ringMs };
}

port.on('message', (command: LoadCommand) => {
  void obey(command).then(
    (answer) => {
      port.postMessage(answer);
      if (command.kind === 'close') port.close();
    },
    (thrown: unknown) => port.postMessage({ kind: 'failed', why: String(thrown) } satisfies LoadAnswer),
  );
});
port.postMessage({ kind: 'opened', pbxPort: pbx.port } satisfies LoadAnswer);
