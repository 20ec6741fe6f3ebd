import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'mocha';
import { launchChromium, type TestBrowser } from '../support/chromium.js';
import { requirePeer } from '../support/peers.js';
import { Softphone } from '../support/softphone.js';

const setup = fileURLToPath(new URL('../../../setup.mjs', import.meta.url));
const page = 'http://127.0.0.1:8080';
const aliceHz = 440;

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const free = new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.once('listening', () => resolve(true));
  });
  server.listen(port, '127.0.0.1');
  if (!(await free)) return false;
  server.close();
  await once(server, 'close');
  return true;
}

/** What `npm start` runs, and every line that it prints. */
class QuickStart {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown[]>;
  #heard = (): void => undefined;

  constructor() {
    this.#child = spawn(process.execPath, [setup, 'start', '--'], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#exited = once(this.#child, 'exit');
    const { stdout } = this.#child;
    assert.ok(stdout !== null);
    createInterface({ input: stdout }).on('line', (line) => {
      this.lines.push(line);
      this.#heard();
    });
    void this.#exited.then(() => this.#heard());
  }

  /** Waits for a line and gives its first group. */
  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      for (const line of this.lines) {
        const found = pattern.exec(line);
        if (found !== null) return found[1] ?? '';
      }
      if (this.#child.exitCode !== null)
        assert.fail(`it ended without ${pattern.source}: ${this.lines.join('\n')}`);
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  /** Ctrl-C; gives the exit code. */
  async interrupt(): Promise<unknown> {
    this.#child.kill('SIGINT');
    return (await this.#exited)[0];
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}

/** The words of the log between time and ids. */
const told = (line: string): string => line.replace(/^[0-9:.]+ \w+ +/, '').replace(/ {2}.*$/, '');

describe('the quick start', function () {
  this.timeout(120_000);
  let browser: TestBrowser;
  let quickStart: QuickStart;

  before(async function () {
    const chromium = requirePeer(this, 'chromium');
    if (!(await isFree(8_080)) || !(await isFree(8_081))) {
      process.stdout.write('      (port 8080 or 8081 is in use: these tests are skipped)\n');
      this.skip();
    }
    browser = await launchChromium(chromium, aliceHz);
    quickStart = new QuickStart();
  });
  after(async () => {
    await quickStart?.kill();
    await browser?.close();
  });

  it('prints page, users and echo number, and lets alice hear herself', async () => {
    const password = await quickStart.line(/alice +password +(\S+)$/);
    assert.equal(await quickStart.line(/^ +Softphone +(\S+)$/), page);
    assert.equal(await quickStart.line(/^ +Call +([0-9]+) /), '600');
    const alice = await Softphone.open(browser, page);
    await alice.signIn('alice', password);
    await alice.dial('600');
    await alice.waitForState('In call');
    await alice.waitForTone(aliceHz);
    await alice.hangUp();
    await alice.waitForNotice('Call ended');
    assert.deepEqual(alice.problems, []);
    await alice.close();
  });

  it('tells each step of the call in one line', async () => {
    await quickStart.line(/(call ended)/);
    const steps = quickStart.lines.map(told).filter((line) => /call|INVITE/.test(line));
    const wanted = [
      /^sip:alice@localhost calls sip:600@/,
      /^call takes route echo to echo sip:127\.0\.0\.1:[0-9]+/,
      /^INVITE sent to echo /,
      /^callee is being alerted \(180\)$/,
      /^call answered by echo .* after [0-9]+ ms$/,
      /^call ended after [0-9]+ s: the caller hung up$/,
    ];
    const first = steps.findIndex((line) => wanted[0]?.test(line));
    for (const [index, pattern] of wanted.entries()) assert.match(steps[first + index] ?? '', pattern);
  });

  it('leaves no call behind and shows that in its API', async () => {
    const sizes = (await (await fetch('http://127.0.0.1:8081/api/v1/inspect')).json()) as Record<
      string,
      number
    >;
    for (const table of ['calls', 'media_sessions', 'echo_calls', 'trunk_legs'])
      assert.equal(sizes[table], 0, table);
  });

  it('ends at Ctrl-C', async () => {
    assert.equal(await quickStart.interrupt(), 0);
  });
});
