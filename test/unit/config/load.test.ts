import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { loadConfig, parseConfig } from '../../../gateway/config/load.js';
import { ConfigError } from '../../../gateway/config/problem.js';
import { usualMediaProcesses } from '../../../gateway/config/settle.js';
import { rightConfig, rightEnvironment, withLine } from './config-fixtures.js';

const pin = Array.from({ length: 32 }, () => 'AB').join(':');

async function problemsOf(text: string, env: Record<string, string> = rightEnvironment): Promise<string[]> {
  try {
    await parseConfig(text, '/etc/webtrunk/webtrunk.yaml', env);
  } catch (thrown) {
    assert.ok(thrown instanceof ConfigError, inspect(thrown));
    const [head, ...lines] = thrown.message.split('\n');
    assert.match(head ?? '', /^\/etc\/webtrunk\/webtrunk\.yaml: [1-9][0-9]* problems?$/);
    return lines.map((line) => line.trim());
  }
  assert.fail('the configuration was taken');
}

/** What is written wrong, and exactly what is said about it. */
const broken: Record<string, readonly [text: string, ...problems: string[]]> = {
  'an unknown key': [
    withLine(20, '    hots:'),
    'line 18: trunks[0].hosts: missing (add hosts: for example [{ uri: "sip:pbx.example.net:5060" }])',
    'line 20: trunks[0].hots: unknown key (did you mean "hosts"?)',
  ],
  'an unknown key that resembles nothing': [
    withLine(31, 'limits: { zzzzzzzzzz: 2 }'),
    'line 31: limits.zzzzzzzzzz: unknown key (known here: connections_per_ip, messages_per_second, register_failures_per_minute, calls_per_endpoint, connections, unauthenticated, unauthenticated_per_ip, connects_per_minute, http_requests_per_minute, authenticate_within, request_within, address_messages_per_second, user_messages_per_second, failing_users_per_ip, registers_per_minute, invites_per_minute, attempt_timeout, progress_timeout, user, fraud)',
  ],
  'a port that is a word': [
    withLine(2, '  http: { address: 127.0.0.1, port: http }'),
    'line 2: listen.http.port: "http" is not a number from 0 to 65535 (for example 8080)',
  ],
  'a port out of range': [
    withLine(2, '  http: { address: 127.0.0.1, port: 80800 }'),
    'line 2: listen.http.port: "80800" is not a number from 0 to 65535 (for example 8080)',
  ],
  'an address that is none': [
    withLine(2, '  http: { address: 127.0.0.300, port: 8080 }'),
    'line 2: listen.http.address: "127.0.0.300" is not an IP address (for example 0.0.0.0)',
  ],
  'a variable that is not set': [
    withLine(9, '      - { name: bob, password: ${BOB_PASSWORD} }'),
    'line 9: domains[0].users[1].password: environment variable BOB_PASSWORD is not set (export BOB_PASSWORD before webtrunk starts)',
  ],
  'a variable inside a longer value': [
    withLine(9, '      - { name: bob, password: "x${BOB_PASSWORD}" }'),
    'line 9: domains[0].users[1].password: ${BOB_PASSWORD} stands inside a longer value (let ${BOB_PASSWORD} be the whole value)',
  ],
  'a number without quotes where text belongs': [
    withLine(24, '    from: { user: +15551230000 }'),
    'line 24: trunks[0].from.user: YAML reads this as a number (put it in quotes: user: "+15551230000")',
  ],
  'a password of digits without quotes': [
    withLine(9, '      - { name: bob, password: 123456 }'),
    'line 9: domains[0].users[1].password: YAML reads this as a number (put it in quotes: password: "…")',
  ],
  'a duration without unit': [
    withLine(4, 'websocket: { keepalive: 25 }'),
    'line 4: websocket.keepalive: YAML reads this as a number (for example 25s)',
  ],
  'a duration in a wrong unit': [
    withLine(4, 'websocket: { keepalive: 25 seconds }'),
    'line 4: websocket.keepalive: "25 seconds" is not a duration from 1s to 1h (for example 25s)',
  ],
  'a size that is too big': [
    withLine(4, 'websocket: { max_message: 2GiB }'),
    'line 4: websocket.max_message: "2GiB" is not a size from 4KiB to 1MiB (for example 64KiB)',
  ],
  'a misspelt choice': [
    withLine(33, 'log: { level: wran }'),
    'line 33: log.level: "wran" is not one of debug, info, warn, error (did you mean warn?)',
  ],
  'rtpengine without its addresses': [
    withLine(14, '  engine: rtpengine'),
    'line 13: media: engine: rtpengine needs to know the rtpengines (add for example rtpengine: [{ ng: "udp:127.0.0.1:2223" }])',
  ],
  'an rtpengine over TCP': [
    withLine(14, '  rtpengine: [{ ng: "tcp:127.0.0.1:2223" }]'),
    'line 14: media.rtpengine[0].ng: "tcp:127.0.0.1:2223" is not udp:HOST:PORT (for example "udp:127.0.0.1:2223")',
  ],
  'an rtpengine that is there twice': [
    withLine(14, '  rtpengine: [{ ng: "udp:[::1]:2223" }, { ng: "udp:[::1]:2223", weight: 5 }]'),
    'line 14: media.rtpengine[1].ng: "udp:[::1]:2223" is there twice (give each its own name)',
  ],
  'an rtpengine without weight': [
    withLine(14, '  rtpengine: [{ ng: "udp:127.0.0.1:2223", weight: 0 }]'),
    'line 14: media.rtpengine[0].weight: "0" is not a number from 1 to 1000 (for example 1)',
  ],
  'a store that is none': [
    withLine(32, 'cdr: {}\nstore: mysql://db.example.com'),
    'line 33: store: the value is not memory, or redis://HOST[:PORT] (for example redis://127.0.0.1:6379)',
  ],
  'how to sign in to a trunk that wants nobody to': [
    withLine(24, '    register: { expires: 300s }'),
    'line 24: trunks[0].register: a trunk of type auth does not sign in (write type: register, or remove it)',
  ],
  'a trunk without password': [
    withLine(23, undefined),
    'line 18: trunks[0]: type: auth needs a user name and password (add for example auth: { username: gw, password: ${PBX_PASSWORD} })',
  ],
  'a route to a trunk that does not exist': [
    withLine(30, '  - { name: pstn, match: "^1$", to: { trunks: [ofice] } }'),
    'line 30: routes[2].to.trunks[0]: there is no trunk "ofice" (did you mean office?)',
  ],
  'a route to a user that does not exist': [
    withLine(29, '  - { name: did, from_trunk: office, match: "^1$", to: { user: carol } }'),
    'line 29: routes[1].to.user: there is no user "carol" (known: alice, bob)',
  ],
  'a route target of the wrong shape': [
    withLine(30, '  - { name: pstn, match: "^1$", to: { trunk: office } }'),
    'line 30: routes[2].to: expected users, { user: NAME }, { trunks: [NAME, …] } or { reject: STATUS } (for example { trunks: [office] })',
  ],
  'a regular expression that cannot be read': [
    withLine(28, '  - { name: staff, match: "^(alice$", to: users }'),
    'line 28: routes[0].match: "^(alice$" is not a regular expression without look-around and back-references (for example "^\\\\+?[0-9]{3,15}$")',
  ],
  'a regular expression that may take forever': [
    withLine(28, '  - { name: staff, match: "^(?!bob)[a-z]+$", to: users }'),
    'line 28: routes[0].match: "^(?!bob)[a-z]+$" is not a regular expression without look-around and back-references (for example "^\\\\+?[0-9]{3,15}$")',
  ],
  'a route at times that are none': [
    withLine(
      28,
      '  - { name: staff, match: "^1$", when: { days: [mon-fry], hours: "8-18", timezone: Berlin }, to: users }',
    ),
    'line 28: routes[0].when.timezone: "Berlin" is not a time zone such as Europe/Berlin (for example Europe/Berlin)',
    'line 28: routes[0].when.days[0]: "mon-fry" is not a day such as mon, or days such as mon-fri (for example mon-fri)',
    'line 28: routes[0].when.hours: "8-18" is not HH:MM-HH:MM or a list of them (for example "08:00-18:00")',
  ],
  'a route for a domain that is not served': [
    withLine(28, '  - { name: staff, match: "^1$", domain: exampel.com, to: users }'),
    'line 28: routes[0].domain: there is no domain "exampel.com" (did you mean example.com?)',
  ],
  'rules for numbers and callers that cannot be': [
    withLine(
      24,
      '    numbers: { out: e164, country: UK }\n    caller_id: { send: pai+id }\n    headers: { out: [X-Ok, Diversion] }',
    ),
    'line 24: trunks[0].numbers.country: "UK" is not the code of a country such as US (for example US)',
    'line 25: trunks[0].caller_id.send: "pai+id" is not from, pai, rpid or several with + between them (for example pai)',
    'line 26: trunks[0].headers.out[1]: "Diversion" is not a header field that may cross, such as X-Customer (for example X-Customer)',
  ],
  'rules for numbers and callers that contradict each other': [
    withLine(24, '    numbers: { in: e164 }\n    from: { user: gw }\n    caller_id: { send: from+pai }'),
    'line 24: trunks[0].numbers: which numbers are national depends on the country (add for example country: US)',
    'line 26: trunks[0].caller_id.send: From always shows gw, the from.user of the trunk (write send: pai, or remove from.user)',
  ],
  'two users of one name': [
    withLine(9, '      - { name: alice, password: other }'),
    'line 9: domains[0].users[1].name: "alice" is there twice (give each its own name)',
  ],
  'a key that is there twice': [
    withLine(32, 'cdr: {}\ncdr: {}'),
    'line 33: not readable as YAML: Map keys must be unique (keep one of them)',
  ],
  'YAML that is none': [
    withLine(11, '  engine: [embedded'),
    'line 12: not readable as YAML: Flow sequence in block collection must be sufficiently indented and end with a ] (check indentation, colons and quotes near this line)',
  ],
  'no listener for browsers': [
    withLine(2, undefined),
    'line 1: listen: nothing that browsers can connect to (add for example http: { address: 0.0.0.0, port: 8080 })',
  ],
  'an open API': [
    withLine(3, '  admin: { address: 0.0.0.0, port: 8081 }'),
    'line 3: listen.admin: everybody who reaches 0.0.0.0 could read the API (add a token, or listen on 127.0.0.1)',
  ],
  'one port for two listeners': [
    withLine(3, '  admin: { address: 127.0.0.1, port: 8080 }'),
    'line 3: listen.admin: port 8080 is already that of listen.http (give each its own port)',
  ],
  'a relay without address': [
    withLine(15, undefined),
    'line 13: media: engine: relay needs the address that others reach it by (add for example relay: { address: 203.0.113.5 })',
  ],
  'DTMF in INFO with an engine that cannot take it out of RTP': [
    withLine(14, '  engine: passthrough').replace('ptime: 20', 'dtmf: info'),
    'line 26: trunks[0].media.dtmf: DTMF is not taken from RTP, nor put into it, with engine: passthrough (write dtmf: rfc4733, or media.engine: relay)',
  ],
  'video with an engine that has none': [
    withLine(14, '  engine: rtpengine\n  rtpengine: [{ ng: "udp:127.0.0.1:2223" }]').replace(
      'ptime: 20',
      'video: [VP8]',
    ),
    'line 27: trunks[0].media.video: with engine: rtpengine there is no video (leave it out, or write media.engine: relay)',
  ],
  'calls anchored by an engine that carries no media': [
    withLine(14, '  engine: passthrough\n  browser_to_browser: anchored'),
    'line 15: media.browser_to_browser: engine: passthrough carries no media that could be anchored (write direct, or another engine)',
  ],
  'a relay with too few ports': [
    withLine(15, '  relay: { address: 127.0.0.1, ports: 20000-20003 }'),
    'line 15: media.relay.ports: "20000-20003" is not a range of at least 16 ports (for example 20000-29999)',
  ],
  'a port for browsers that phones may get too': [
    withLine(15, '  relay: { address: 127.0.0.1, ports: 20000-20099, browser_port: 19998, processes: 4 }'),
    'line 15: media.relay.browser_port: ports 19998 to 20001 are in the range of media.relay.ports (take one outside of it)',
  ],
  'a port for browsers that is too high for the processes': [
    withLine(15, '  relay: { address: 127.0.0.1, browser_port: 65535, processes: 2 }'),
    'line 15: media.relay.browser_port: 2 processes need as many ports from 65535 on (write a lower port, or fewer processes)',
  ],
  'a drachtio-server that is not named': [
    withLine(11, '  engine: drachtio'),
    'line 10: sip: engine: drachtio needs to know the drachtio-server (add for example drachtio: { host: 127.0.0.1, secret: ${DRACHTIO_SECRET} })',
  ],
  'a silence that drachtio-server cannot keep': [
    withLine(11, '  engine: drachtio\n  drachtio: { secret: x }\n  strangers: silence'),
    'line 13: sip.strangers: drachtio-server cannot be silent (write refuse, or remove it)',
  ],
  'a trunk over TLS without listening on TLS': [
    withLine(22, '      - { uri: "sips:pbx.example.net" }'),
    'line 22: trunks[0].hosts[1].uri: webtrunk does not listen on TLS, so the trunk could not call back (add "tls:0.0.0.0:5061" to sip.embedded.listen)',
  ],
  'listening on TLS without a certificate': [
    withLine(12, '  embedded: { listen: ["tls:0.0.0.0:5061"] }'),
    'line 12: sip.embedded: to listen on TLS a certificate is needed (add for example tls: { cert: /etc/webtrunk/sip.crt, key: /etc/webtrunk/sip.key })',
  ],
  'half a certificate, and a pin beside an authority': [
    withLine(24, `    tls: { cert: /nowhere/a.crt, ca: /nowhere/ca.crt, fingerprint: "${pin}" }`),
    'line 24: trunks[0].tls: certificate and key go together (give both cert and key)',
    'line 24: trunks[0].tls.ca: with a fingerprint no authority is asked (remove ca or fingerprint)',
    'line 24: trunks[0].tls.ca: /nowhere/ca.crt cannot be read: ENOENT (check the name and the rights)',
    'line 24: trunks[0].tls.cert: /nowhere/a.crt cannot be read: ENOENT (check the name and the rights)',
  ],
  'a fingerprint that is none': [
    withLine(24, '    tls: { fingerprint: "AB:CD" }'),
    `line 24: trunks[0].tls.fingerprint: "AB:CD" is not 32 octets in hex with colons (for example "${pin}")`,
  ],
  'a name server that is no address': [
    withLine(12, '  embedded: { name_servers: [dns.example.com] }'),
    'line 12: sip.embedded.name_servers[0]: "dns.example.com" is not ADDRESS or ADDRESS:PORT (for example "192.0.2.53")',
  ],
  'a network of the wrong size': [
    withLine(25, '    inbound: { allow: [198.51.100.0/33] }'),
    'line 25: trunks[0].inbound.allow[0]: "198.51.100.0/33" is not an IP address, a CIDR block such as 198.51.100.0/24, or a host name (for example 198.51.100.0/24)',
  ],
  'a certificate that cannot be read': [
    withLine(2, '  https: { cert: /nowhere/tls.crt, key: /nowhere/tls.key }'),
    'line 2: listen.https.cert: /nowhere/tls.crt cannot be read: ENOENT (check the name and the rights)',
    'line 2: listen.https.key: /nowhere/tls.key cannot be read: ENOENT (check the name and the rights)',
  ],
  'a section that is empty': [
    withLine(33, 'log:'),
    'line 33: log: nothing is written here (keys here: level, format)',
  ],
  'a section that is a word': [
    withLine(31, 'limits: many'),
    'line 31: limits: "many" is not a group of keys (keys here: connections_per_ip, messages_per_second, register_failures_per_minute, calls_per_endpoint, connections, unauthenticated, unauthenticated_per_ip, connects_per_minute, http_requests_per_minute, authenticate_within, request_within, address_messages_per_second, user_messages_per_second, failing_users_per_ip, registers_per_minute, invites_per_minute, attempt_timeout, progress_timeout, user, fraud)',
  ],
  'several things at once, in the order of the file': [
    withLine(2, '  http: { port: x }')
      .replace('to: users', 'to: user')
      .replace('trunks: [office]', 'trunks: [home]'),
    'line 2: listen.http.port: "x" is not a number from 0 to 65535 (for example 8080)',
    'line 28: routes[0].to: "user" is not users, { user: NAME }, { trunks: [NAME, …] } or { reject: STATUS } (for example { trunks: [office] })',
  ],
  'an empty file': ['', 'line 1: no keys found (start from the example in docs/configuration.md)'],
};

describe('configuration', () => {
  it('reads a right file into what the rest of webtrunk uses', async () => {
    const config = await parseConfig(rightConfig, '/etc/webtrunk/webtrunk.yaml', rightEnvironment);
    assert.equal(config.listen.admin.token?.reveal(), 'admin-token-value');
    assert.equal(config.websocket.maxMessageBytes, 65_536);
    assert.equal(config.websocket.keepaliveMs, 25_000);
    assert.equal(config.domains[0]?.name, 'example.com');
    assert.equal(config.domains[0]?.users[0]?.callerId, '+15551230001');
    assert.deepEqual(config.sip, {
      engine: 'embedded',
      listen: [
        { transport: 'udp', address: '127.0.0.1', port: 5060 },
        { transport: 'tcp', address: '127.0.0.1', port: 5060 },
      ],
      externalAddress: '203.0.113.5',
      tls: undefined,
      nameServers: undefined,
      strangers: 'silence',
    });
    assert.deepEqual(config.media, {
      engine: 'relay',
      processes: usualMediaProcesses(),
      address: '127.0.0.1',
      ports: { min: 20_000, max: 20_099 },
      browserPort: undefined,
      browserToBrowser: 'direct',
      timeoutMs: 60_000,
    });
    assert.deepEqual(
      config.trunks[0]?.hosts.map(({ priority }) => priority),
      [5, 10],
    );
    assert.equal(config.trunks[0]?.auth?.password.reveal(), 'pbx-password-value');
    assert.ok(config.routes[1]?.match.exec('+15551230000') !== null);
    assert.deepEqual(config.routes[2]?.to, { kind: 'trunks', trunks: ['office'] });
    assert.equal(config.limits.callsPerEndpoint, 2);
    assert.equal(config.limits.messagesPerSecond, 50);
    assert.equal(config.cdr.file?.path, '/etc/webtrunk/cdr.ndjson');
  });

  it('takes rtpengines with their weights', async () => {
    const text = withLine(
      14,
      '  engine: rtpengine\n  rtpengine: [{ ng: "udp:[::1]:2223" }, { ng: "udp:media.example.com:22222", weight: 5 }]',
    );
    assert.deepEqual((await parseConfig(text, 'x.yaml', rightEnvironment)).media, {
      engine: 'rtpengine',
      instances: [
        { address: { host: '::1', port: 2223 }, weight: 1 },
        { address: { host: 'media.example.com', port: 22222 }, weight: 5 },
      ],
      browserToBrowser: 'direct',
      timeoutMs: 60_000,
    });
  });

  it('takes calls between browsers that are anchored, silence that lasts for ever, and the candidate filter', async () => {
    const text = withLine(14, '  engine: relay\n  browser_to_browser: anchored\n  timeout: 0s').replace(
      /^ice: .*$/m,
      'ice: { filter_private_candidates: true }',
    );
    const { media, ice } = await parseConfig(text, 'x.yaml', rightEnvironment);
    assert.equal(media.browserToBrowser, 'anchored');
    assert.equal(media.timeoutMs, 0);
    assert.deepEqual(ice, { servers: [], filterPrivateCandidates: true });
  });

  for (const [what, [text, ...problems]] of Object.entries(broken)) {
    it(`says line, problem and fix of ${what}`, async () => {
      assert.deepEqual(await problemsOf(text), problems);
    });
  }

  it('takes numbers and flags from the environment', async () => {
    const text = withLine(2, '  http: { address: 127.0.0.1, port: ${PORT} }').replace(
      'keepalive: 25s',
      'keepalive: 25s, per_message_deflate: ${DEFLATE}',
    );
    const config = await parseConfig(text, 'x.yaml', { ...rightEnvironment, PORT: '8099', DEFLATE: 'true' });
    assert.equal(config.listen.http?.port, 8_099);
    assert.equal(config.websocket.perMessageDeflate, true);
  });

  it('never shows a value from the environment in an error', async () => {
    const text = withLine(2, '  http: { address: 127.0.0.1, port: ${PORT} }');
    const problems = await problemsOf(text, { ...rightEnvironment, PORT: 'hunter2' });
    assert.deepEqual(problems, [
      'line 2: listen.http.port: "${PORT}" is not a number from 0 to 65535 (for example 8080)',
    ]);
  });

  it('keeps a text of digits from the environment as text', async () => {
    const config = await parseConfig(rightConfig, 'x.yaml', { ...rightEnvironment, PBX_PASSWORD: '123456' });
    assert.equal(config.trunks[0]?.auth?.password.reveal(), '123456');
  });

  it('never prints a secret, however it is printed', async () => {
    const config = await parseConfig(rightConfig, 'x.yaml', rightEnvironment);
    const printed = [
      inspect(config, { depth: Infinity, showHidden: true }),
      JSON.stringify(config),
      String(config.listen.admin.token),
      `${config.trunks[0]?.auth?.password.toString()}`,
    ].join('\n');
    for (const secret of [...Object.values(rightEnvironment), 'bobs password']) {
      assert.equal(printed.includes(secret), false, secret);
    }
    assert.match(printed, /\[secret\]/);
  });

  it('reads a routing hook: a module beside the configuration, or a URL', async () => {
    const routingOf = async (text: string) =>
      (await parseConfig(`${rightConfig}routing: ${text}\n`, '/etc/webtrunk/x.yaml', rightEnvironment))
        .routing;
    const usual = { timeoutMs: 1_000, fallback: 'routes' };
    const module = { kind: 'module', path: '/etc/webtrunk/mine.js' };
    assert.deepEqual(await routingOf('./mine.js'), { hook: module, ...usual });
    assert.deepEqual(await routingOf('{ module: mine.js, timeout: 200ms, fallback: reject }'), {
      hook: module,
      timeoutMs: 200,
      fallback: 'reject',
    });
    assert.deepEqual(await routingOf('{ url: "http://127.0.0.1:9000/route" }'), {
      hook: { kind: 'http', url: 'http://127.0.0.1:9000/route', token: undefined },
      ...usual,
    });
    await assert.rejects(routingOf('{ url: "ftp://x" }'), /routing/);
  });

  it('cannot be changed afterwards', async () => {
    const config = await parseConfig(rightConfig, 'x.yaml', rightEnvironment);
    assert.throws(() => Object.assign(config.trunks[0]?.hosts[0] ?? {}, { priority: 1 }), TypeError);
  });

  it('says that a file cannot be read', async () => {
    await assert.rejects(loadConfig('/nowhere/webtrunk.yaml', {}), /cannot be read: ENOENT/);
  });
});

describe('quick-start configuration', () => {
  it('listens on loopback only and has alice, bob and the echo number behind a trunk', async () => {
    const config = await loadConfig(undefined, {});
    assert.deepEqual(config.listen.http, { address: '127.0.0.1', port: 8_080 });
    assert.equal(config.listen.admin.address, '127.0.0.1');
    assert.deepEqual(
      config.domains[0]?.users.map(({ name }) => name),
      ['alice', 'bob'],
    );
    assert.equal(config.trunks[0]?.hosts[0]?.uri, `sip:127.0.0.1:${config.echoPhone?.port};transport=udp`);
    const echo = config.routes.find(({ match }) => match.exec('600') !== null);
    assert.deepEqual(echo?.to, { kind: 'trunks', trunks: ['echo'] });
  });

  it('has new passwords each time', async () => {
    const passwords = new Set<string>();
    for (const config of [await loadConfig(undefined, {}), await loadConfig(undefined, {})]) {
      for (const { password } of config.domains[0]?.users ?? []) passwords.add(password.reveal());
    }
    assert.equal(passwords.size, 4);
    for (const password of passwords) assert.ok(password.length >= 12);
  });
});
