import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { WebSocket, type ClientOptions } from 'ws';
import { loadConfig } from '../../../gateway/config/load.js';
import { ConfigError } from '../../../gateway/config/problem.js';
import { ha1 } from '../../../sip/message/index.js';
import { requireOwnEngine } from '../../support/engine-under-test.js';
import { freePort } from '../../support/free-port.js';
import { GatewayProcess } from '../../support/gateway-process.js';
import { sdp, UdpPeer } from '../../support/sip-peer.js';
import { TokenIssuer } from '../../support/token-issuer.js';
import { within } from '../../support/within.js';
import { acknowledge, inDialog } from '../../support/ws-call.js';
import { WsSipClient } from '../../support/ws-sip-client.js';

const program = fileURLToPath(new URL('../../../gateway/main.js', import.meta.url));
const printTraces = new URL('../../support/print-traces.js', import.meta.url);

const alicePassword = 'alice-Wq7xkR2m';
const adminToken = 'admin-T0kenZp4v';
const turnSecret = 'turn-s3cretJk9d';
const instanceId = '<urn:uuid:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0>';
const trunkPassword = 'trunk-pW8bnLx1';
const redisPassword = 'redis-pWc5hYt6';

/** What is to be found nowhere: each by what it is. */
const configured: readonly (readonly [what: string, text: string])[] = [
  ['the password of a user', alicePassword],
  ['what is as good as it', ha1('alice', 'digest.test', alicePassword, 'MD5')],
  ['the token of operators', adminToken],
  ['the secret of a TURN server', turnSecret],
  ['the password of a trunk', trunkPassword],
  ['what is as good as that', ha1('gw', 'carrier.test', trunkPassword, 'MD5')],
  ['the password of Redis', redisPassword],
];

function assertSilent(said: string, secrets: readonly (readonly [what: string, text: string])[]): void {
  for (const [what, text] of secrets) {
    const at = said.indexOf(text);
    assert.equal(at, -1, `${what} is told: …${said.slice(Math.max(0, at - 300), at + text.length + 50)}`);
  }
}

describe('secrets', function () {
  this.timeout(30_000);
  let folder: string;
  let issuer: TokenIssuer;
  let carrier: UdpPeer;
  let sipPort: number;

  before(function () {
    requireOwnEngine(this);
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-secrets-'));
    issuer = await TokenIssuer.start();
    carrier = await UdpPeer.open(0);
    sipPort = await freePort();
    carrier.aim(sipPort);
  });

  afterEach(async () => {
    await issuer.close();
    await carrier.close();
    await rm(folder, { recursive: true });
  });

  /** A configuration with every secret that there is. `change`: lines that replace those of the same key. */
  const configuration = async (change: Readonly<Record<string, string>> = {}): Promise<string> => {
    const uri = `sip:127.0.0.1:${carrier.port};transport=udp`;
    const sections: Record<string, string> = {
      listen: `{ http: { address: 127.0.0.1, port: 0 }, admin: { address: 127.0.0.1, port: 0, token: ${adminToken} } }`,
      websocket: '{ origins: ["https://phone.example.com"] }',
      domains: `[{ name: digest.test, users: [{ name: alice, password: ${alicePassword} }] }, { name: token.test, auth: jwt }]`,
      jwt: `{ jwks_url: "${issuer.jwksUrl}", audience: webtrunk, cookie: wt }`,
      sip: `{ embedded: { listen: ["udp:127.0.0.1:${sipPort}"] } }`,
      media: '{ engine: passthrough }',
      ice: `{ servers: [{ urls: ["turn:127.0.0.1:3478"], secret: ${turnSecret} }] }`,
      trunks: `[{ name: pbx, type: register, hosts: [{ uri: "${uri}" }], auth: { username: gw, password: ${trunkPassword} }, from: { user: gw, domain: carrier.test }, register: { expires: 60s, retry: 1s } }]`,
      routes: '[{ name: out, match: "^[0-9]+$", to: { trunks: [pbx] } }]',
      cdr: '{ file: cdr.ndjson }',
      log: '{ level: debug, format: json }',
      ...change,
    };
    const file = join(folder, 'webtrunk.yaml');
    await writeFile(
      file,
      `${Object.entries(sections)
        .map(([key, value]) => `${key}: ${value}`)
        .join('\n')}\n`,
    );
    return file;
  };

  /** The carrier asks for the password of every request, once refuses it, and takes calls. */
  const serveCarrier = (): void => {
    let refused = false;
    const challenge = 'Digest realm="carrier.test", nonce="n1", algorithm=MD5, qop="auth"';
    carrier.onMessage = (message) => {
      if (message.kind !== 'request' || message.method === 'ACK') return;
      const isAuthorized = /^(?:Proxy-)?Authorization:/im.test(message.text);
      if (!isAuthorized && message.method === 'REGISTER') {
        return carrier.respond(message, 401, 'Unauthorized', { headers: [`WWW-Authenticate: ${challenge}`] });
      }
      if (!isAuthorized && message.method === 'INVITE') {
        const headers = [`Proxy-Authenticate: ${challenge}`];
        return carrier.respond(message, 407, 'Proxy Authentication Required', { headers });
      }
      if (message.method === 'REGISTER' && !refused) {
        refused = true;
        return carrier.respond(message, 403, 'Forbidden');
      }
      carrier.respond(message, 200, 'OK', message.method === 'INVITE' ? { body: sdp(9000) } : {});
    };
  };

  it('are in no line of the log at level debug, no trace, no error answer, no CDR and no page of operators', async () => {
    serveCarrier();
    const gateway = await GatewayProcess.start(await configuration(), printTraces);
    const answered: string[] = [];
    const secrets = [...configured];
    const wsUrl = `${gateway.url('pages').replace('http:', 'ws:')}/ws`;
    const http = async (path: string, base: string, token?: string): Promise<Response> => {
      const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
      return fetch(new URL(path, base), { headers });
    };
    const hear = async (answer: Response): Promise<void> => {
      answered.push([...answer.headers].join('\n'), await answer.text());
    };
    try {
      // Digest: a wrong password, the right one, a call through the trunk that asks for its own.
      const alice = await WsSipClient.connect(wsUrl, {
        user: 'alice',
        password: alicePassword,
        domain: 'digest.test',
      });
      assert.equal((await alice.register({}, { password: `not-${adminToken}` })).status, 403);
      const registered = await alice.register();
      assert.equal(registered.status, 200);
      const ticket = registered.headers.get('x-webtrunk-ticket') ?? assert.fail('no ticket');
      const headers = ['To: <sip:600@digest.test>', 'Content-Type: application/sdp'];
      const invite = alice.request('INVITE', 'sip:600@digest.test', { headers, body: sdp(7000) });
      const call = await alice.transact(invite);
      assert.equal(call.status, 200);
      acknowledge(alice, call);
      assert.equal((await alice.transact(inDialog(alice, 'BYE', call))).status, 200);
      answered.push(...alice.received.filter((text) => !text.includes(ticket)));
      await alice.close();

      // TURN: with the ticket and with none that is good.
      const turn = (await (await http('/api/ice-servers', gateway.url('pages'), ticket)).json()) as {
        iceServers: { credential: string }[];
      };
      secrets.push(
        ['a ticket', ticket],
        ['a TURN password', turn.iceServers[0]?.credential ?? assert.fail()],
      );
      await hear(await http('/api/ice-servers', gateway.url('pages'), `x${ticket}`));

      // Tokens: by query, cookie, subprotocol and header; good ones, one that has ended, one of a stranger.
      const stranger = await TokenIssuer.start();
      const claims = { sip_aor: 'sip:bob@token.test' };
      const good = [await issuer.sign(claims), await issuer.sign(claims), await issuer.sign(claims)];
      const bad = [await issuer.sign({ ...claims, expiresIn: -100 }), await stranger.sign(claims)];
      await stranger.close();
      secrets.push(...[...good, ...bad].map((token) => ['a token', token] as const));
      const signIn = async (
        token: string,
        [query, protocols, options, header]: [string, string[], ClientOptions, string[]],
      ): Promise<void> => {
        const socket = new WebSocket(`${wsUrl}${query}`, ['sip', ...protocols], options);
        const bob = await WsSipClient.over(socket, {
          user: 'bob',
          password: '',
          domain: 'token.test',
          instanceId,
        });
        const { status } = await bob.transact(bob.registerText({ headers: header }));
        assert.equal(status, good.includes(token) ? 200 : 401);
        answered.push(...bob.received.map((text) => text.replace(/^X-Webtrunk-Ticket: .*$/m, '')));
        await bob.close();
      };
      for (const token of [...good, ...bad]) {
        await signIn(token, [`?access_token=${token}`, [], {}, []]);
        await signIn(token, ['', [`bearer.${token}`], {}, []]);
        await signIn(token, ['', [], { headers: { Cookie: `wt=${token}` } }, []]);
        await signIn(token, ['', [], {}, [`Authorization: Bearer ${token}`]]);
      }
      const elsewhere = new WebSocket(`${wsUrl}?access_token=${good[0] ?? ''}`, 'sip', {
        origin: 'https://evil.example.com',
      });
      const [refusal] = (await once(elsewhere, 'error')) as [Error];
      answered.push(refusal.message);

      // Operators.
      const admin = gateway.url('admin');
      await hear(await http('/api/v1/calls', admin, `${adminToken}x`));
      for (const path of ['/', '/metrics', '/readyz', '/nothing', '/api/v1/inspect']) {
        await hear(await http(path, admin, adminToken));
      }
      for (const table of ['flows', 'endpoints', 'bindings', 'calls', 'trunks']) {
        await hear(await http(`/api/v1/${table}`, admin, adminToken));
      }
      await configuration({ store: `redis://:${redisPassword}@127.0.0.1:notaport` });
      const reload = await fetch(new URL('/api/v1/reload', admin), {
        method: 'POST',
        headers: { Authorization: `Bearer ${adminToken}` },
      });
      assert.equal(reload.status, 422);
      await hear(reload);
    } finally {
      await gateway.stop();
    }
    const cdrs = await readFile(join(folder, 'cdr.ndjson'), 'utf8');
    const said = gateway.lines.map((line) => JSON.stringify(line));
    for (const wanted of ['"event":"trace"', '"message.challenged"', '"trunk":"pbx"', 'reload.failed']) {
      assert.ok(
        said.some((line) => line.includes(wanted)),
        `${wanted} is in the log`,
      );
    }
    assert.match(cdrs, /"dialled":"sip:600@digest\.test"/);
    assertSilent([...said, ...answered, cdrs].join('\n'), secrets);
  });

  it('are not told when the store, which needs one, cannot be reached', async () => {
    const port = await freePort();
    const store = `redis://user:${redisPassword}@127.0.0.1:${port}`;
    const gateway = spawn(process.execPath, [program, 'start', '--config', await configuration({ store })]);
    let output = '';
    const ends = once(gateway, 'close');
    const told = new Promise<void>((resolve) => {
      for (const stream of [gateway.stdout, gateway.stderr]) {
        stream.on('data', (data: Buffer) => {
          output += data.toString();
          if (output.includes(`127.0.0.1:${port}`) || output.includes('store.')) resolve();
        });
      }
    });
    try {
      await within(10_000, 'a word about the store', Promise.race([told, ends]));
    } finally {
      gateway.kill('SIGKILL');
      await ends;
    }
    assert.match(output, /store|Redis/i);
    assertSilent(output, configured);
  });

  for (const [what, change] of [
    [
      'a port that is none beside a token',
      { listen: `{ http: { port: x }, admin: { port: 99999, token: ${adminToken} } }` },
    ],
    ['a list in place of a token', { listen: `{ http: { port: 0 }, admin: { token: [${adminToken}] } }` }],
    [
      'a group in place of a password',
      { domains: `[{ name: d.test, users: [{ name: alice, password: { is: ${alicePassword} } }] }]` },
    ],
    [
      'a key that is misspelt',
      { domains: `[{ name: d.test, users: [{ name: alice, pasword: ${alicePassword} }] }]` },
    ],
    [
      'a password in place of a group',
      { trunks: `[{ name: pbx, type: auth, hosts: [{ uri: "sip:127.0.0.1" }], auth: ${trunkPassword} }]` },
    ],
    ['a password in place of a list', { domains: `[{ name: d.test, users: ${alicePassword} }]` }],
    ['a secret among bad URLs', { ice: `{ servers: [{ urls: ["stunn:x"], secret: ${turnSecret} }] }` }],
    ['a store without a port that is one', { store: `redis://:${redisPassword}@127.0.0.1:notaport` }],
    ['a store of another kind', { store: `postgres://user:${redisPassword}@127.0.0.1` }],
    [
      'a URL of keys with a password',
      { jwt: `{ jwks_url: "https://u:${trunkPassword}@id.example.com/jwks", audience: x }` },
    ],
    [
      'a text that does not end',
      { domains: `[{ name: d.test, users: [{ name: alice, password: "${alicePassword} }] }]` },
    ],
    ['a bracket too many', { listen: `{ admin: { token: ${adminToken} }]` }],
    ['a duplicate key', { 'x: 1\nice': `{ servers: [{ secret: ${turnSecret}, secret: ${turnSecret} }] }` }],
  ] as const) {
    it(`are not told for ${what}`, async () => {
      const error: unknown = await loadConfig(await configuration(change), {}).catch(
        (thrown: unknown) => thrown,
      );
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /line \d+/);
      assertSilent(inspect(error, { depth: Infinity }), configured);
    });
  }
});
