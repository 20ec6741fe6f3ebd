import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tagOf, type SipRequest } from '../../../sip/message/index.js';
import { CutLine } from '../../support/cut-line.js';
import { openEngine, type EngineUnderTest } from '../../support/engine-under-test.js';
import { GatewayProcess } from '../../support/gateway-process.js';
import { ipTrunk, startGateway } from '../../support/gateway.js';
import { idle } from '../../support/idle.js';
import {
  callAlice,
  callOffice,
  dialOffice,
  inviteAlice,
  officeConfiguration,
  signInAlice,
} from '../../support/office-gateway.js';
import { UdpPeer } from '../../support/sip-peer.js';
import { answer, nextRequest } from '../../support/ws-call.js';
import type { WsSipClient } from '../../support/ws-sip-client.js';

/** The engine of the test stands in for a drachtio-server: it outlives the gateway. */
describe('calls that a crash leaves in the SIP engine', () => {
  let engine: EngineUnderTest;
  let pbx: UdpPeer;
  let folder: string;
  let config: string;
  let journal: string;
  let alice: WsSipClient | undefined;
  const processes: GatewayProcess[] = [];

  beforeEach(async () => {
    engine = await openEngine();
    pbx = await UdpPeer.open(engine.ports.udp);
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-crash-'));
    config = join(folder, 'office.yaml');
    journal = join(folder, 'office.dialogs.ndjson');
    await writeFile(config, officeConfiguration(engine, pbx.port));
  });

  afterEach(async () => {
    await alice?.close();
    for (const gateway of processes.splice(0)) await gateway.stop();
    await engine.close();
    await pbx.close();
    await rm(folder, { recursive: true });
  });

  const start = async (): Promise<GatewayProcess> => {
    const gateway = await GatewayProcess.start(config);
    processes.push(gateway);
    await gateway.logged('engine.up');
    return gateway;
  };

  const signedIn = (): WsSipClient => {
    assert.ok(alice !== undefined);
    return alice;
  };

  const noted = async (): Promise<string[]> => (await readFile(journal, 'utf8')).split('\n').slice(0, -1);

  /** Resolves when the end of the journal looks like this. */
  const written = async (lines: RegExp): Promise<void> => {
    while (!lines.test((await noted()).join('\n'))) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  for (const [direction, call] of [
    ['to the PBX', () => callOffice(signedIn(), pbx)],
    ['from the PBX', () => callAlice(signedIn(), pbx, engine.ports.udp)],
  ] as const) {
    it(`${direction} are ended with BYE when webtrunk starts again`, async () => {
      const first = await start();
      alice = await signInAlice(first.url('pages'));
      await call();
      await written(/\{"began":"[^"]+;from-tag=[^"]+","at":"20[^"]+Z"\}$/);
      await first.kill();

      const second = await start();
      const bye = await pbx.request('BYE');
      assert.equal(bye.headers.get('Reason'), 'SIP;cause=503;text="Call control was lost"');
      pbx.respond(bye, 200, 'OK');
      const line = await second.logged('trunk.left_dialog');
      assert.deepEqual(
        [line['dialogId'], line['outcome'], line['detail']],
        [dialogOf(bye, direction), 'ended', 'BYE: 200 OK'],
      );
      const metrics = await (await fetch(`${second.url('admin')}/metrics`)).text();
      assert.match(metrics, /^webtrunk_left_dialogs_total\{outcome="ended"\} 1$/m);
      await second.stop();
      assert.deepEqual(await noted(), []);
    });
  }

  it('are ended while they ring: CANCEL to the PBX, 503 to its own call', async () => {
    const first = await start();
    alice = await signInAlice(first.url('pages'));
    const dialled = dialOffice(alice).catch(() => undefined);
    const ours = await pbx.request('INVITE');
    pbx.respond(ours, 180, 'Ringing');
    inviteAlice(pbx, engine.ports.udp);
    answer(alice, await nextRequest(alice, 'INVITE'), 180);
    await pbx.status(180);
    await written(/"by":"us"[^]*"by":"peer"/);
    await first.kill();
    await dialled;

    const second = await start();
    const cancel = await pbx.request('CANCEL');
    assert.equal(cancel.callId, ours.callId);
    pbx.respond(cancel, 200, 'OK');
    pbx.respond(ours, 487, 'Request Terminated');
    assert.equal((await pbx.status(503)).headers.get('Retry-After'), '5');
    const lines = [await second.logged('trunk.left_dialog'), await second.logged('trunk.left_dialog')];
    assert.ok(lines.some(({ detail }) => detail === 'CANCEL'));
  });

  it('are forgotten when the engine has forgotten them', async () => {
    await writeFile(journal, '{"began":"nobody@knows;from-tag=it","at":"2026-01-01T00:00:00.000Z"}\n{"beg');
    const gateway = await start();
    const line = await gateway.logged('trunk.left_dialog');
    assert.deepEqual([line['outcome'], line['level']], ['unknown', 'info']);
    await gateway.stop();
    assert.deepEqual(await noted(), []);
  });

  it('are ended when only the connection to the engine was lost, once it is back', async () => {
    const line = await CutLine.to(engine.controlPort);
    const gateway = await startGateway({
      engine: { ...engine, controlPort: line.port },
      journal,
      media: 'passthrough',
      trunks: [ipTrunk('office', `sip:127.0.0.1:${pbx.port};transport=udp`)],
      routes: [toOffice],
    });
    try {
      alice = await signInAlice(gateway.pageUrl);
      await callOffice(alice, pbx);
      const since = alice.received.length;
      line.cut();
      answer(alice, await nextRequest(alice, 'BYE', since), 200);
      line.mend();
      const bye = await pbx.request('BYE');
      pbx.respond(bye, 481, 'Gone already');
      await idle(gateway, ['trunk_journal']);
      assert.match(await gateway.metrics.text(), /left_dialogs_total\{outcome="unknown"\} 1/);
    } finally {
      await gateway.close();
      await line.close();
    }
    assert.deepEqual(await noted(), []);
  });
});

const toOffice = {
  name: 'office',
  match: /^[0-9]+$/,
  fromTrunk: undefined,
  to: { kind: 'trunks' as const, trunks: ['office'] },
};

/** drachtio's name of the dialog that our BYE ends: it has the From tag of the INVITE. */
function dialogOf(bye: SipRequest, direction: string): string {
  const caller = direction === 'to the PBX' ? bye.from : bye.to;
  return `${bye.callId};from-tag=${tagOf(caller) ?? ''}`;
}
