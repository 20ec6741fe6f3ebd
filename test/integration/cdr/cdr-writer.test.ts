import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../sip/clock.js';
import { CdrWriter, type CdrEvents } from '../../../gateway/cdr/cdr-writer.js';
import type { Cdr } from '../../../gateway/call/call-record.js';
import type { CdrConfig } from '../../../gateway/config/config.js';
import { Secret } from '../../../gateway/config/secret.js';
import { HttpReceiver } from '../../support/http-receiver.js';

/** A tenth of a second is a second here: pauses of the webhook pass ten times as fast. */
const quickClock = {
  ...systemClock,
  after: (ms: number, act: () => void) => systemClock.after(ms / 100, act),
};

const record = (callId: string): Cdr => ({
  callId,
  caller: { side: 'browser', legId: 'l_1', sipCallId: 's', who: 'sip:alice@example.com e_1' },
  callee: null,
  dialled: 'sip:600@example.com',
  route: null,
  attempts: [],
  startedAt: '2026-11-21T05:11:32.000Z',
  answeredAt: null,
  endedAt: '2026-11-21T05:11:33.000Z',
  setupMs: null,
  durationMs: 0,
  termination: { result: 'gateway', code: 'route.no_match', status: 404, reason: 'Not Found', by: 'gateway' },
  media: [],
});

describe('call data records', () => {
  let folder: string;
  let receiver: HttpReceiver;
  let writer: CdrWriter | undefined;
  let told: string[];

  const events: CdrEvents = {
    cdrFailed: ({ cause, record: line }) =>
      told.push(line === undefined ? `failed: ${String(cause)}` : `given up: ${line}`),
    cdrWebhookDown: ({ cause }) => told.push(`down: ${cause}`),
    cdrWebhookUp: () => told.push('up'),
    cdrRejected: ({ status }) => told.push(`rejected: ${status}`),
  };

  const open = async (change: Partial<CdrConfig>): Promise<CdrWriter> => {
    const config = { file: undefined, webhook: undefined, ...change };
    writer = await CdrWriter.open({ config, events, clock: quickClock });
    return writer;
  };

  const file = (maxBytes: number, keep = 3): Partial<CdrConfig> => ({
    file: { path: join(folder, 'cdr.ndjson'), maxBytes, keep },
  });

  const webhook = (token?: string): Partial<CdrConfig> => ({
    webhook: {
      url: receiver.url,
      token: token === undefined ? undefined : new Secret(token),
      timeoutMs: 500,
      queue: join(folder, 'queue'),
    },
  });

  const callIdsOf = (text: string): string[] =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as Cdr).callId);

  const posted = (): string[] => receiver.received.map(({ body }) => (JSON.parse(body) as Cdr).callId);

  const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `c_${index}`);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-cdr-'));
    receiver = await HttpReceiver.open();
    told = [];
  });

  afterEach(async () => {
    await writer?.close();
    await receiver.close();
    await rm(folder, { recursive: true });
  });

  describe('in a file', () => {
    it('are one JSON line each, in order', async () => {
      const opened = await open(file(0));
      for (const id of ids(1_000)) opened.write(record(id));
      await opened.close();
      assert.deepEqual(callIdsOf(await readFile(join(folder, 'cdr.ndjson'), 'utf8')), ids(1_000));
    });

    it('begin a new file when one is full, and keep so many of the old ones', async () => {
      const size = JSON.stringify(record('c_0')).length + 1;
      const opened = await open(file(size * 2 + 1, 2));
      for (const id of ids(10)) {
        opened.write(record(id));
        while (opened.waiting > 0) await new Promise((resolve) => setImmediate(resolve));
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await opened.close();
      const names = (await readdir(folder)).sort();
      assert.equal(names.length, 3, names.join());
      const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
      assert.deepEqual(texts.flatMap(callIdsOf).sort(), ids(10).slice(4));
    });

    it('follow a file that logrotate has moved away', async () => {
      const opened = await open(file(0));
      opened.write(record('c_before'));
      while (opened.waiting > 0) await new Promise((resolve) => setImmediate(resolve));
      await rename(join(folder, 'cdr.ndjson'), join(folder, 'moved'));
      opened.write(record('c_after'));
      await opened.close();
      assert.deepEqual(callIdsOf(await readFile(join(folder, 'moved'), 'utf8')), ['c_before']);
      assert.deepEqual(callIdsOf(await readFile(join(folder, 'cdr.ndjson'), 'utf8')), ['c_after']);
    });

    it('wait for a disk that takes nothing', async () => {
      const path = join(folder, 'later', 'cdr.ndjson');
      const opened = await open({ file: { path, maxBytes: 0, keep: 1 } });
      opened.write(record('c_0'));
      while (told.length === 0) await new Promise((resolve) => setImmediate(resolve));
      assert.match(told.join(), /^failed: Error: ENOENT/);
      await mkdir(join(folder, 'later'));
      while (opened.waiting > 0) await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(callIdsOf(await readFile(path, 'utf8')), ['c_0']);
    });

    it('are told one by one when the disk takes nothing up to the end', async () => {
      const opened = await open({
        file: { path: join(folder, 'later', 'cdr.ndjson'), maxBytes: 0, keep: 1 },
      });
      for (const id of ids(2)) opened.write(record(id));
      await opened.close();
      assert.deepEqual(
        told.slice(-2),
        ids(2).map((id) => `given up: ${JSON.stringify(record(id))}`),
      );
      assert.equal(opened.waiting, 0);
    });
  });

  describe('by webhook', () => {
    it('are posted with token and idempotency key', async () => {
      (await open(webhook('secret'))).write(record('c_0'));
      await receiver.until((received) => received.length === 1);
      const [{ headers, body } = { headers: {}, body: '' }] = receiver.received;
      assert.equal(headers.authorization, 'Bearer secret');
      assert.equal(headers['idempotency-key'], 'c_0');
      assert.equal(headers['content-type'], 'application/json');
      assert.deepEqual(JSON.parse(body), record('c_0'));
    });

    it('wait for a receiver that is down, also over a restart, and none is lost', async () => {
      await receiver.stop();
      const first = await open(webhook());
      for (const id of ids(60)) first.write(record(id));
      while (!told.some((line) => line.startsWith('down: ')))
        await new Promise((resolve) => setImmediate(resolve));
      await first.close();
      const second = await open(webhook());
      for (const id of ids(100).slice(60)) second.write(record(id));
      while (told.filter((line) => line.startsWith('down: ')).length < 2)
        await new Promise((resolve) => setImmediate(resolve));
      await receiver.start();
      await receiver.until(() => new Set(posted()).size === 100);
      assert.deepEqual([...new Set(posted())].sort(), ids(100).sort());
      while (second.waiting > 0) await new Promise((resolve) => setImmediate(resolve));
      assert.ok(told.includes('up'));
      await second.close();
      assert.equal(await readFile(join(folder, 'queue'), 'utf8'), '');
    });

    it('are posted again after 5xx and 429, not after other refusals, which are kept aside', async () => {
      const refusals = new Map([
        ['c_0', [500, 204]],
        ['c_1', [429, 204]],
        ['c_2', [400]],
      ]);
      receiver.answer = ({ headers }) => refusals.get(String(headers['idempotency-key']))?.shift() ?? 204;
      const opened = await open(webhook());
      for (const id of ids(4)) opened.write(record(id));
      await receiver.until((received) => received.length === 6);
      while (opened.waiting > 0) await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(posted().sort(), ['c_0', 'c_0', 'c_1', 'c_1', 'c_2', 'c_3']);
      assert.deepEqual(callIdsOf(await readFile(join(folder, 'queue.rejected'), 'utf8')), ['c_2']);
      assert.ok(told.includes('rejected: 400'));
    });

    it('go on after a line that a crash has cut short', async () => {
      const whole = JSON.stringify(record('c_0'));
      await writeFile(join(folder, 'queue'), `${whole}\n${whole.slice(0, 40)}`);
      (await open(webhook())).write(record('c_1'));
      await receiver.until((received) => received.length === 2);
      assert.deepEqual(posted(), ['c_0', 'c_1']);
    });

    it('go on when the disk does not take how far they are', async () => {
      await mkdir(join(folder, 'queue.done.new'));
      const opened = await open(webhook());
      opened.write(record('c_0'));
      await receiver.until((received) => received.length === 1);
      while (told.length === 0) await new Promise((resolve) => setImmediate(resolve));
      assert.match(told.join(), /^down: its queue fails: EISDIR/);
      opened.write(record('c_1'));
      await receiver.until(() => posted().includes('c_1'));
      await rmdir(join(folder, 'queue.done.new'));
      opened.write(record('c_2'));
      await receiver.until(() => posted().includes('c_2'));
      while (opened.waiting > 0) await new Promise((resolve) => setImmediate(resolve));
      while (!told.includes('up')) await new Promise((resolve) => setImmediate(resolve));
      await opened.close();
      assert.equal(await readFile(join(folder, 'queue'), 'utf8'), '');
    });

    it('are posted again when they are refused for good and the disk does not keep them', async () => {
      await mkdir(join(folder, 'queue.rejected'));
      receiver.answer = 400;
      const opened = await open(webhook());
      opened.write(record('c_0'));
      while (told.length === 0) await new Promise((resolve) => setImmediate(resolve));
      assert.match(told.join(), /^down: its queue fails: EISDIR/);
      await rmdir(join(folder, 'queue.rejected'));
      while (opened.waiting > 0) await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(callIdsOf(await readFile(join(folder, 'queue.rejected'), 'utf8')), ['c_0']);
      receiver.answer = 204;
      opened.write(record('c_1'));
      await receiver.until(() => posted().includes('c_1'));
    });

    it('are not followed to where a redirect leads', async () => {
      receiver.answer = 302;
      receiver.headers = { location: receiver.url };
      const opened = await open(webhook());
      opened.write(record('c_0'));
      await receiver.until((received) => received.length === 1);
      receiver.answer = 204;
      await receiver.until((received) => received.length === 2);
      assert.match(told[0] ?? '', /^down: /);
    });
  });
});
