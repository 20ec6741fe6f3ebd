import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { systemClock } from '../../../sip/clock.js';
import { SipFailure } from '../../../sip/failure.js';
import { silentLog } from '../../../sip/log.js';
import type { MediaProcessExit } from '../../../sip/media/relay-process/media-process.js';
import {
  startRelayProcesses,
  type RelayProcesses,
} from '../../../sip/media/relay-process/relay-processes.js';
import { audioPort, somePorts, TimeoutRecord, until } from '../../support/media-session.js';
import { RtpPhone, rtpPacket } from '../../support/rtp-phone.js';
import { WebrtcPeer } from '../../support/webrtc-peer.js';

const plain = { profile: 'plain', codecs: ['PCMU'] } as const;

describe('relay in processes of its own', () => {
  let relay: RelayProcesses;
  let exits: MediaProcessExit[];
  const open: { close(): void }[] = [];

  const start = (processes: number): void => {
    exits = [];
    relay = startRelayProcesses({
      address: '127.0.0.1',
      ports: somePorts(),
      quarantineMs: 0,
      processes,
      log: silentLog,
      clock: systemClock,
      died: (exit) => exits.push(exit),
    });
  };

  const owned = <Thing extends { close(): void }>(thing: Thing): Thing => {
    open.push(thing);
    return thing;
  };

  afterEach(async () => {
    for (const one of open.splice(0)) one.close();
    const pids = [...relay.pids];
    await relay.close();
    assert.equal(relay.size, 0);
    assert.deepEqual(relay.pids, []);
    for (const pid of pids) assert.equal(existsSync(`/proc/${pid}`), false);
  });

  /** A browser calls a phone; resolves when media can flow. */
  const call = async (listener = new TimeoutRecord()) => {
    const session = owned(relay.createSession('c_test', listener));
    const browser = owned(new WebrtcPeer());
    const phone = owned(await RtpPhone.start());
    session.addEnd('l_browser', { profile: 'webrtc' });
    session.addEnd('l_phone', plain);
    const toPhone = await session.offer('l_browser', 'l_phone', await browser.offer());
    browser.takeAnswer(await session.answer('l_phone', 'l_browser', phone.sdp('0')));
    await browser.reached('open');
    return { session, listener, browser, phone, toPhone };
  };

  const carriesAudio = async ({ browser, phone, toPhone }: Awaited<ReturnType<typeof call>>) => {
    const [heard, received] = [phone.packets.length, browser.packets.length];
    browser.send(rtpPacket(0, 7, 'from the browser'));
    assert.deepEqual(await phone.packet(heard + 1), rtpPacket(0, 7, 'from the browser'));
    phone.send(rtpPacket(0, 9, 'from the phone'), audioPort(toPhone));
    assert.deepEqual(await browser.packet(received + 1), rtpPacket(0, 9, 'from the phone'));
  };

  const kill = (pid: number | undefined): void => {
    assert.ok(pid !== undefined);
    process.kill(pid, 'SIGSEGV');
  };

  it('carries audio, tells its figures, and holds nothing after the call', async () => {
    start(1);
    const made = await call();
    await carriesAudio(made);
    const stats = await made.session.finalStats?.();
    assert.deepEqual(
      stats?.map(({ endId, packetsReceived, codec }) => [endId, packetsReceived, codec]),
      [
        ['l_browser', 1, 'PCMU'],
        ['l_phone', 1, 'PCMU'],
      ],
    );
    made.session.close();
    await until(() => Object.values(relay.sizes()).every((size) => size === 0) && relay.size === 0);
  });

  it('tells typed failures across the border', async () => {
    start(1);
    const session = owned(relay.createSession('c_test', new TimeoutRecord()));
    session.addEnd('l_browser', { profile: 'webrtc' });
    session.addEnd('l_phone', plain);
    await assert.rejects(session.offer('l_browser', 'l_phone', 'no SDP'), (thrown) => {
      assert.ok(thrown instanceof SipFailure);
      assert.deepEqual([thrown.code, thrown.status], ['media.sdp_malformed', 400]);
      return true;
    });
  });

  it('loses the calls of the process that dies, and no others', async () => {
    start(2);
    const calls = [await call(), await call()];
    const [pid] = relay.pids;
    kill(pid);
    await until(() => exits.length === 1);
    assert.deepEqual([exits[0]?.reason, exits[0]?.sessions, exits[0]?.pid], ['SIGSEGV', 1, pid]);
    const lost = calls.filter(({ listener }) => listener.timeouts.length > 0);
    assert.deepEqual(
      lost.flatMap(({ listener }) => listener.timeouts.map(({ endId, failure }) => [endId, failure.code])),
      [['l_browser', 'media.engine_lost']],
    );
    for (const made of calls) if (!lost.includes(made)) await carriesAudio(made);
  });

  it('refuses what is under way and new calls while it is down, and takes them when it is back', async () => {
    start(1);
    await call();
    kill(relay.pids[0]);
    const session = owned(relay.createSession('c_late', new TimeoutRecord()));
    session.addEnd('l_browser', { profile: 'webrtc' });
    session.addEnd('l_phone', plain);
    const browser = owned(new WebrtcPeer());
    await assert.rejects(session.offer('l_browser', 'l_phone', await browser.offer()), {
      code: 'media.engine_lost',
    });
    await until(() => exits.length === 1);
    assert.throws(() => relay.createSession('c_down', new TimeoutRecord()), {
      code: 'media.engine_down',
      headers: [['Retry-After', '2']],
    });
    await until(() => relay.pids.length === 1);
    await carriesAudio(await call());
  });

  it('waits longer from death to death', async () => {
    start(1);
    for (const count of [1, 2]) {
      await until(() => relay.pids.length === 1);
      kill(relay.pids[0]);
      await until(() => exits.length === count);
    }
    assert.deepEqual(
      exits.map(({ restartMs }) => restartMs),
      [500, 1000],
    );
  });

  it('does not begin with fewer ports than processes need', () => {
    start(1);
    const ports = { min: 20_000, max: 20_003 };
    const options = { address: '127.0.0.1', ports, processes: 3, log: silentLog, clock: systemClock };
    assert.throws(() => startRelayProcesses({ ...options, died: () => undefined }), RangeError);
  });

  it('goes when nobody closes it but its parent dies', async () => {
    start(1);
    const module = new URL('../../../sip/media/relay-process/relay-processes.js', import.meta.url);
    const clock = new URL('../../../sip/clock.js', import.meta.url);
    const script = `
      import { startRelayProcesses } from '${module.href}';
      import { systemClock } from '${clock.href}';
      const log = { debug() {}, info() {}, warn() {}, error() {} };
      const ports = { min: 20000, max: 20019 };
      const options = { address: '127.0.0.1', ports, processes: 1, log, clock: systemClock, died() {} };
      process.stdout.write(String(startRelayProcesses(options).pids[0]));`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [text] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(text.toString());
    assert.ok(existsSync(`/proc/${pid}`));
    parent.kill('SIGKILL');
    await until(() => !existsSync(`/proc/${pid}`));
  });
});
