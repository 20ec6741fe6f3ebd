import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { newCallId, newTag, type SipResponse } from '../../../sip/message/index.js';
import { browserSdp } from '../../bench/messages.js';
import { domain, passwordOf, userName } from '../../bench/target.js';
import { SoakPhone } from '../../soak/soak-phone.js';
import type { SoakDialog } from '../../soak/soak-ua.js';
import type { Fault } from '../../support/faults.js';
import { GatewayProcess } from '../../support/gateway-process.js';

const faults = new URL('../../support/faults.js', import.meta.url);
const sdp = browserSdp(1_500);
/** Until the overload is over, which takes a second. */
const askEveryMs = 200;
/** More of them, and nothing in the process can be relied on. */
const mostDefects = 10;

describe('a webtrunk in which something goes wrong', () => {
  let folder: string;
  let gateway: GatewayProcess;
  let alice: SoakPhone;
  let bob: SoakPhone;
  let carol: SoakPhone;
  let atAlice: SoakDialog;
  let atBob: SoakDialog;

  /** Alice's call with Bob is up. */
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-faults-'));
    const config = join(folder, 'webtrunk.yaml');
    const users = [0, 1, 2].map((at) => `{ name: ${userName(at)}, password: ${passwordOf(userName(at))} }`);
    await writeFile(
      config,
      `listen:
  http: { address: 127.0.0.1, port: 0 }
  admin: { address: 127.0.0.1, port: 0 }
domains: [{ name: ${domain}, users: [${users.join(', ')}] }]
sip: { embedded: { listen: ["udp:127.0.0.1:0"] } }
media: { engine: passthrough }
routes: [{ name: users, match: ".*", to: users }]
`,
    );
    gateway = await GatewayProcess.start(config, faults);
    const url = `${gateway.url('pages').replace('http', 'ws')}/ws`;
    const phones = [0, 1, 2].map((at) => new SoakPhone(userName(at), url, sdp));
    for (const phone of phones) await phone.connect();
    const [first, second, third] = phones;
    assert.ok(first !== undefined && second !== undefined && third !== undefined);
    [alice, bob, carol] = [first, second, third];
    [atAlice, atBob] = await Promise.all([call(alice, bob), bob.ua.answered(bob.user)]);
  });

  afterEach(async () => {
    for (const phone of [alice, bob, carol]) phone.drop();
    await gateway.stop();
    await rm(folder, { recursive: true });
  });

  const call = (from: SoakPhone, to: SoakPhone): Promise<SoakDialog> =>
    from.ua.call(from.aor, to.aor, () => undefined);

  /** What is answered to a new call. */
  const newCall = (caller: SoakPhone, callee: SoakPhone): Promise<SipResponse> => {
    const from = `<${caller.aor}>;tag=${newTag()}`;
    const to = `<${callee.aor}>`;
    return caller.ua.transact(caller.ua.text('INVITE', callee.aor, newCallId(), from, to, 1, sdp));
  };

  const metrics = async (): Promise<string> => (await fetch(`${gateway.url('admin')}/metrics`)).text();

  for (const fault of ['uncaught_exception', 'unhandled_rejection'] as const satisfies Fault[]) {
    it(`logs and counts an ${fault}, takes no more calls, and ends with 1 once those that are up have ended`, async () => {
      const carolClosed = new Promise<number>((resolve) => (carol.onClose = resolve));
      gateway.tell(fault);
      const { source, err } = await gateway.logged('defect');
      assert.equal(source, fault);
      assert.match(JSON.stringify(err), /a fault.*faults\.js/);
      assert.equal((await gateway.logged('draining'))['cause'], 'defect');
      assert.match(await metrics(), new RegExp(`^webtrunk_defects_total\\{source="${fault}"\\} 1$`, 'm'));

      assert.equal(await carolClosed, 1001, 'she has no call');
      const refused = await newCall(bob, carol);
      assert.equal(refused.status, 503);
      assert.match(refused.headers.get('Retry-After') ?? '', /^\d+$/);
      await alice.ua.reinvite(atAlice, 'sendonly');
      await alice.reconnect();
      await bob.ua.reinvite(atBob, 'sendrecv');
      await alice.ua.hangUp(atAlice);
      await atBob.hungUp;

      await gateway.ended();
      assert.equal(gateway.exitCode, 1);
      await gateway.logged('stopped');
    });
  }

  it('is cut by more defects than a few: both ends hear BYE', async () => {
    for (let i = 0; i <= mostDefects; i++) gateway.tell('unhandled_rejection');
    await Promise.all([atAlice.hungUp, atBob.hungUp]);
    await gateway.ended();
    assert.equal(gateway.exitCode, 1);
  });

  it('refuses new calls while it has too much to do; calls that are up go on, and then new ones are taken again', async () => {
    gateway.tell('busy');
    let answer = await newCall(carol, bob);
    // Busy nobody answers 486; that it is overloaded it knows after some time.
    while (answer.status === 486) answer = await newCall(carol, bob);
    assert.equal(answer.status, 503);
    assert.match(answer.headers.get('Retry-After') ?? '', /^\d+$/);
    await alice.ua.reinvite(atAlice, 'sendonly');
    await bob.reconnect();
    await bob.ua.reinvite(atBob, 'sendrecv');

    gateway.tell('rest');
    while (answer.status === 503) {
      await delay(askEveryMs);
      answer = await newCall(carol, bob);
    }
    assert.equal(answer.status, 486);
    await bob.ua.hangUp(atBob);
    await atAlice.hungUp;
    assert.doesNotMatch(await metrics(), /^webtrunk_defects_total\{.*\} [1-9]/m);
  }).timeout(30_000);
});
