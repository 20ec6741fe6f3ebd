import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../support/free-port.js';
import {
  makeTestAuthority,
  type TestAuthority,
  type TestCertificate,
} from '../../support/test-certificate.js';

const program = fileURLToPath(new URL('../../../gateway/main.js', import.meta.url));

type Event = Readonly<Record<string, unknown>> & { readonly event?: string };

const fingerprintOf = ({ cert }: TestCertificate): string => new X509Certificate(cert).fingerprint256;

describe('renewed certificates', () => {
  let authority: TestAuthority;
  let first: TestCertificate;
  let folder: string;
  let ports: { readonly pages: number; readonly sip: number };
  let child: ChildProcess;
  const sockets: TLSSocket[] = [];
  const events: Event[] = [];
  let waiting: (() => void) | undefined;

  const place = async ({ cert, key }: TestCertificate): Promise<void> => {
    await writeFile(join(folder, 'tls.crt'), cert);
    await writeFile(join(folder, 'tls.key'), key);
  };

  const until = async (name: string): Promise<Event> => {
    for (;;) {
      const index = events.findIndex(({ event }) => event === name);
      const [found] = index < 0 ? [] : events.splice(index, 1);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (waiting = resolve));
    }
  };

  const reach = async (port: number): Promise<{ socket: TLSSocket; fingerprint: string }> => {
    const socket = connect({ host: '127.0.0.1', port, ca: authority.ca, servername: 'localhost' });
    sockets.push(socket);
    await once(socket, 'secureConnect');
    return { socket, fingerprint: socket.getPeerCertificate().fingerprint256 };
  };

  before(async function () {
    const made = makeTestAuthority();
    if (made === undefined) return this.skip();
    authority = made;
    first = authority.issue('DNS:localhost');
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-certificates-'));
    await place(first);
    ports = { pages: await freePort(), sip: await freePort() };
    const file = join(folder, 'webtrunk.yaml');
    await writeFile(
      file,
      `listen:
  https: { address: 127.0.0.1, port: ${ports.pages}, cert: tls.crt, key: tls.key }
  admin: { address: 127.0.0.1, port: 0 }
domains: [{ name: example.com, users: [{ name: alice, password: secret }] }]
sip: { embedded: { listen: ["tls:127.0.0.1:${ports.sip}"], tls: { cert: tls.crt, key: tls.key } } }
media: { relay: { address: 127.0.0.1, ports: 21000-21099 } }
trunks: [{ name: pbx, type: ip, hosts: [{ uri: "sips:127.0.0.1" }] }]
`,
    );
    child = spawn(process.execPath, [program, 'start', '--config', file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    assert.ok(child.stdout !== null);
    createInterface({ input: child.stdout }).on('line', (line) => {
      events.push(JSON.parse(line) as Event);
      waiting?.();
    });
    await until('started');
  });

  after(async () => {
    for (const socket of sockets) socket.destroy();
    child.kill('SIGTERM');
    await once(child, 'exit');
    await rm(folder, { recursive: true });
  });

  it('are shown after SIGHUP, to browsers and PBXs, while connections stay', async () => {
    const before = await reach(ports.sip);
    assert.equal(before.fingerprint, fingerprintOf(first));
    const renewed = authority.issue('DNS:localhost');
    await place(renewed);
    child.kill('SIGHUP');
    const { applied } = await until('reloaded');
    assert.deepEqual(applied, ['listen.https.cert', 'listen.https.key', 'sip.tls.cert', 'sip.tls.key']);
    for (const port of [ports.pages, ports.sip])
      assert.equal((await reach(port)).fingerprint, fingerprintOf(renewed));
    before.socket.write('\r\n\r\n');
    const [pong] = (await once(before.socket, 'data')) as [Buffer];
    assert.equal(pong.toString(), '\r\n');
    first = renewed;
  });

  it('are not shown when the key is not theirs', async () => {
    const { cert } = authority.issue('DNS:localhost');
    await place({ cert, key: first.key });
    child.kill('SIGHUP');
    const { cause } = await until('reload.failed');
    assert.match(String(cause), /the key is not that of the certificate/);
    assert.equal((await reach(ports.sip)).fingerprint, fingerprintOf(first));
  });
});
