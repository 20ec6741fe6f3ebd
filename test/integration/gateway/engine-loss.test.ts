import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cdr } from '../../../gateway/call/call-record.js';
import type { SipResponse } from '../../../sip/message/index.js';
import { CutLine } from '../../support/cut-line.js';
import { openEmbeddedEngine, type EngineUnderTest } from '../../support/engine-under-test.js';
import { GatewayProcess } from '../../support/gateway-process.js';
import { callOffice, dialOffice, officeConfiguration, signInAlice } from '../../support/office-gateway.js';
import { sdp, UdpPeer } from '../../support/sip-peer.js';
import { requestBytes } from '../../support/sip-text.js';
import { answer, inDialog, nextRequest } from '../../support/ws-call.js';
import type { WsSipClient } from '../../support/ws-sip-client.js';

/** Engines of the test, behind a line that can be cut, stand in for a drachtio-server that dies and is started again. */
describe('the loss of the SIP engine', () => {
  let engine: EngineUnderTest;
  let line: CutLine;
  let pbx: UdpPeer;
  let folder: string;
  let gateway: GatewayProcess;
  let alice: WsSipClient;

  beforeEach(async () => {
    engine = await openEmbeddedEngine();
    line = await CutLine.to(engine.controlPort);
    pbx = await UdpPeer.open(engine.ports.udp);
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-engine-'));
    const file = join(folder, 'office.yaml');
    await writeFile(file, officeConfiguration({ ...engine, controlPort: line.port }, pbx.port));
    gateway = await GatewayProcess.start(file);
    await gateway.logged('engine.up');
    alice = await signInAlice(gateway.url('pages'));
  });

  afterEach(async () => {
    await alice.close();
    await gateway.stop();
    await line.close();
    await engine.close();
    await pbx.close();
    await rm(folder, { recursive: true });
  });

  /** The engine dies: the gateway first, so that it hears no goodbye. */
  const die = async (): Promise<void> => {
    line.cut();
    await engine.close();
  };

  /** A new engine where the old one was, that knows nothing of it. */
  const comeBack = async (): Promise<void> => {
    engine = await openEmbeddedEngine();
    pbx.aim(engine.ports.udp);
    line.mend(engine.controlPort);
    await gateway.logged('engine.up');
  };

  const readiness = async (): Promise<number> => (await fetch(`${gateway.url('admin')}/readyz`)).status;

  const cdr = async (): Promise<Cdr> => {
    await gateway.logged('call.ended');
    await gateway.stop();
    return JSON.parse(await readFile(join(folder, 'cdr.ndjson'), 'utf8')) as Cdr;
  };

  const assertComeBackLater = ({ status, headers }: SipResponse): void =>
    assert.deepEqual([status, headers.get('Retry-After')], [503, '5']);

  it('ends a call that is up: BYE to the browser, and a record that says why', async () => {
    await callOffice(alice, pbx);
    await die();
    const bye = await nextRequest(alice, 'BYE');
    answer(alice, bye, 200);
    const { termination, durationMs } = await cdr();
    assert.deepEqual([termination.code, termination.result], ['trunk.engine_away', 'gateway']);
    assert.ok(durationMs > 0);
  });

  it('refuses the call of a browser that rings, and the browser may come back', async () => {
    const refused = dialOffice(alice);
    pbx.respond(await pbx.request('INVITE'), 180, 'Ringing');
    await alice.next((text) => text.startsWith('SIP/2.0 180'));
    await die();
    assertComeBackLater(await refused);
    assert.equal((await cdr()).termination.code, 'trunk.engine_away');
  });

  it('cancels the browser that a PBX calls', async () => {
    pbx.send(
      requestBytes(
        'INVITE',
        {
          start: `INVITE sip:alice@127.0.0.1:${engine.ports.udp} SIP/2.0`,
          Via: `SIP/2.0/UDP 127.0.0.1:${pbx.port};branch=z9hG4bKpbx1`,
          Contact: `<sip:bob@127.0.0.1:${pbx.port}>`,
          'Content-Type': 'application/sdp',
        },
        sdp(6000),
      ),
    );
    const invite = await nextRequest(alice, 'INVITE');
    answer(alice, invite, 180);
    await pbx.status(180);
    await die();
    answer(alice, await nextRequest(alice, 'CANCEL'), 200);
    answer(alice, invite, 487);
    assert.equal((await cdr()).termination.code, 'trunk.engine_away');
  });

  it('refuses new calls and is not ready until the engine is back, then serves as before', async () => {
    await callOffice(alice, pbx);
    assert.equal(await readiness(), 200);
    await die();
    answer(alice, await nextRequest(alice, 'BYE'), 200);
    await gateway.logged('engine.down');
    assert.equal(await readiness(), 503);
    assertComeBackLater(await dialOffice(alice));
    await comeBack();
    assert.equal(await readiness(), 200);
    const forgotten = await gateway.logged('trunk.left_dialog');
    assert.equal(forgotten['outcome'], 'unknown');
    const bye = alice.transact(inDialog(alice, 'BYE', await callOffice(alice, pbx)));
    pbx.respond(await pbx.request('BYE'), 200, 'OK');
    assert.equal((await bye).status, 200);
  });
});
