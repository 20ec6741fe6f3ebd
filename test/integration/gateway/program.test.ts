import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../../gateway/main.js', import.meta.url));

const configuration = `listen:
  http: { address: 127.0.0.1, port: 0 }
  admin: { address: 127.0.0.1, port: 0, token: \${ADMIN_TOKEN} }
domains: [{ name: example.com, users: [{ name: alice, password: \${ALICE_PASSWORD} }] }]
sip: { embedded: { listen: ["udp:127.0.0.1:0"] } }
media: { relay: { address: 127.0.0.1, ports: 21000-21099 } }
`;

const environment = {
  PATH: process.env['PATH'],
  ADMIN_TOKEN: 'token-value',
  ALICE_PASSWORD: 'password-value',
};

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(args: string[], input = '', env: NodeJS.ProcessEnv = environment): Promise<Outcome> {
  const child = spawn(process.execPath, [program, ...args], { env });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

interface LogLine {
  readonly event?: string;
  readonly admin?: string;
  readonly pages?: string;
  readonly cause?: string;
}

/** Waits for the log line of an event. */
async function untilEvent(child: ChildProcess, event: string, seen: string[]): Promise<LogLine> {
  assert.ok(child.stdout !== null);
  for await (const line of createInterface({ input: child.stdout })) {
    seen.push(line);
    const entry = JSON.parse(line) as LogLine;
    if (entry.event === event) return entry;
  }
  return assert.fail(`the program ended before ${event}: ${seen.join('\n')}`);
}

describe('the program', () => {
  let folder: string;
  let file: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-program-'));
    file = join(folder, 'webtrunk.yaml');
    await writeFile(file, configuration);
  });

  after(() => rm(folder, { recursive: true }));

  it('explains itself', async () => {
    const { code, stdout } = await run(['--help']);
    assert.equal(code, 0);
    assert.match(stdout, /webtrunk start \[--config FILE\]/);
  });

  it('tells its version', async () => {
    assert.match((await run(['--version'])).stdout, /^[0-9]+\.[0-9]+\.[0-9]+\n$/);
  });

  it('exits with 2 when it is used wrongly', async () => {
    const { code, stderr } = await run(['strat']);
    assert.equal(code, 2);
    assert.match(stderr, /^webtrunk: there is no command strat\n/);
  });

  it('says that a configuration is right', async () => {
    const { code, stdout } = await run(['check', file]);
    assert.equal(code, 0);
    assert.equal(stdout, `${file} is right (domains: 1, trunks: 0, routes: 0)\n`);
  });

  it('warns of what may go wrong, and shows the trunks in full but for secrets', async () => {
    const doubtful = join(folder, 'doubtful.yaml');
    const trunk = 'name: pbx, type: auth, auth: { username: gw, password: hidden }';
    const trunks = `trunks: [{ ${trunk}, hosts: [{ uri: "sip:nowhere.invalid" }] }]\n`;
    await writeFile(doubtful, `${configuration.replace('21000-21099', '21000-21019')}${trunks}`);
    const { code, stdout } = await run(['check', doubtful]);
    assert.equal(code, 0);
    assert.match(stdout, /^ {2}line 6: media\.relay\.ports: 20 ports are enough for 5 calls/m);
    assert.match(stdout, /^ {2}line 7: trunks\[0\]\.hosts\[0\]\.uri: nowhere\.invalid has no address/m);
    assert.match(stdout, /^ {6}password: "\[secret\]"$/m);
    assert.match(stdout, /^ {8}priority: 10$/m);
    assert.equal(stdout.includes('hidden'), false);
  });

  it('exits with 2 when a port is taken, and names it with its line', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const taken = join(folder, 'taken.yaml');
    await writeFile(taken, configuration.replace('port: 0', `port: ${port}`));
    const { code, stderr } = await run(['check', taken]);
    server.close();
    assert.equal(code, 2);
    assert.match(stderr, new RegExp(`line 2: listen\\.http: tcp 127\\.0\\.0\\.1:${port} is in use`));
  });

  it('exits with 2 and every problem when a configuration is wrong', async () => {
    const wrong = join(folder, 'wrong.yaml');
    await writeFile(wrong, configuration.replace('domains', 'domain'));
    const { code, stderr } = await run(['check', wrong]);
    assert.equal(code, 2);
    assert.match(stderr, /line 4: domain: unknown key \(did you mean "domains"\?\)/);
    assert.match(stderr, /domains: missing/);
  });

  it('hashes a password for a users file', async () => {
    const { code, stdout } = await run(['user', 'hash', 'alice', 'example.com'], 'secret\n');
    assert.equal(code, 0);
    assert.match(stdout, /^alice:example\.com:[0-9a-f]{32}\n$/);
  });

  it('keeps a users file', async () => {
    const users = join(folder, 'users.htdigest');
    const user = (...args: string[]) => run(['user', ...args, '--file', users], 'secret\n');
    await writeFile(users, '# ours\n');
    assert.equal((await user('add', 'alice', 'Example.com')).code, 0);
    assert.equal((await user('add', 'bob', 'example.com')).code, 0);
    assert.match((await user('add', 'bob', 'example.com')).stderr, /bob@example\.com is in .* already/);
    const before = await readFile(users, 'utf8');
    assert.match(before, /^# ours\nalice:example\.com:[0-9a-f]{32}\nbob:example\.com:[0-9a-f]{32}\n$/);
    await run(['user', 'passwd', 'alice', 'example.com', '--file', users], 'another\n');
    const after = await readFile(users, 'utf8');
    assert.notEqual(after, before);
    assert.equal(after.split('\n')[2], before.split('\n')[2]);
    assert.equal((await user('list')).stdout, 'alice@example.com\nbob@example.com\n');
    assert.equal((await user('remove', 'bob', 'example.com')).code, 0);
    assert.equal((await user('list')).stdout, 'alice@example.com\n');
    assert.match((await user('passwd', 'bob', 'example.com')).stderr, /bob@example\.com is not in /);
  });

  it('starts, answers, drains at SIGTERM and exits with 0, with no secret in its log', async () => {
    const child = spawn(process.execPath, [program, 'start', '--config', file], { env: environment });
    const lines: string[] = [];
    try {
      const { admin, pages } = await untilEvent(child, 'started', lines);
      assert.equal((await fetch(`${admin}/readyz`)).status, 200);
      assert.equal((await fetch(`${admin}/metrics`)).status, 401);
      const headers = { authorization: 'Bearer token-value' };
      const metrics = await (await fetch(`${admin}/metrics`, { headers })).text();
      assert.match(metrics, /^webtrunk_started 1$/m);
      assert.match(metrics, /^webtrunk_engine_unserved_total\{cause="overload"\} 0$/m);
      const page = (await (await fetch(`${pages}/config.json`)).json()) as { domain: string };
      assert.equal(page.domain, 'example.com');
      child.kill('SIGTERM');
      const [code] = (await once(child, 'exit')) as [number | null];
      assert.equal(code, 0);
      for (const secret of ['token-value', 'password-value']) {
        assert.equal(lines.join('\n').includes(secret), false);
      }
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('exits with 1 and names the port that is taken', async () => {
    const child = spawn(process.execPath, [program, 'start', '--config', file], { env: environment });
    try {
      const { pages } = await untilEvent(child, 'started', []);
      const port = new URL(pages ?? '').port;
      const second = join(folder, 'second.yaml');
      await writeFile(second, configuration.replace('port: 0', `port: ${port}`));
      const { code, stderr } = await run(['start', '--config', second]);
      assert.equal(code, 1);
      assert.equal(
        stderr,
        `webtrunk cannot start: 127.0.0.1:${port} is in use by another program (stop that, or write another port in the configuration)\n`,
      );
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
});
