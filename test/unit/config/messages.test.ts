import assert from 'node:assert/strict';
import { parseConfig } from '../../../gateway/config/load.js';
import { ConfigError } from '../../../gateway/config/problem.js';
import { rightConfig, rightEnvironment, withLine } from './config-fixtures.js';

const withIce = (servers: string): string =>
  rightConfig.replace(/^ice:.*$/m, `ice: { servers: [${servers}] }`);
const withTrunkMedia = (key: string): string => rightConfig.replace('ptime: 20', key);
const withPbxDomain = (keys: string): string =>
  rightConfig.replace(/^domains:$/m, `domains:\n  - { name: pbx.example.net, auth: pbx, ${keys} }`);

/** What is written wrong, and exactly what is said about it. */
const broken: Record<string, readonly [text: string, ...problems: string[]]> = {
  'tokens without keys': [
    `${rightConfig}jwt: { audience: webtrunk }\n`,
    'line 34: jwt: there are no keys to check tokens with (write one of jwks_url, keys_file and public_key)',
  ],
  'tokens that anybody could sign': [
    `${rightConfig}jwt: { jwks_url: "https://id.example.com/k", audience: w, algorithms: [none] }\n`,
    'line 34: jwt.algorithms[0]: "none" is not one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA (write one of them)',
  ],
  'a store that is but a word': [
    `${rightConfig}store: redis\n`,
    'line 34: store: the value is not memory, or redis://HOST[:PORT] (for example redis://127.0.0.1:6379)',
  ],
  'TURN passwords twice': [
    withIce('{ urls: ["turn:t.example.com"], secret: s, username: u, credential: c }'),
    'line 16: ice.servers[0]: with secret each user gets a user name and password of their own (remove username and credential, or secret)',
  ],
  'a TURN secret for STUN': [
    withIce('{ urls: ["stun:t.example.com"], secret: s }'),
    'line 16: ice.servers[0]: a stun: server wants no password (write turn:HOST:PORT, or remove secret)',
  ],
  'TURN without password': [
    withIce('{ urls: ["turn:t.example.com"], username: u }'),
    'line 16: ice.servers[0]: browsers use a turn: server only with user name and password (add for example secret: ${TURN_SECRET}, or username and credential)',
  ],
  'a TURN password that lasts too short': [
    withIce('{ urls: ["turn:t.example.com"], secret: s, ttl: 5s }'),
    'line 16: ice.servers[0].ttl: "5s" is not a duration from 1m to 24h (for example 1h)',
  ],
  'SRTP that is on, as if that were one thing': [
    withTrunkMedia('srtp: on'),
    'line 26: trunks[0].media.srtp: "on" is not one of off, optional, required (write one of them)',
  ],
  'SRTP of the relay': [
    withTrunkMedia('srtp: required'),
    'line 26: trunks[0].media.srtp: with engine: relay there is no SRTP towards trunks (write srtp: off, or media.engine: rtpengine)',
  ],
  'a video codec that there is not': [
    withTrunkMedia('video: [VP7]'),
    'line 26: trunks[0].media.video[0]: "VP7" is not one of VP8, H264 (did you mean VP8?)',
  ],
  'a proxy where a list of them belongs': [
    withLine(2, '  http: { address: 127.0.0.1, port: 8080 }\n  trusted_proxies: 10.0.0.1'),
    'line 3: listen.trusted_proxies: "10.0.0.1" is not a list of IP addresses and CIDR blocks (put it in brackets: [10.0.0.1])',
  ],
  'a header that proxies do not write': [
    withLine(2, '  http: { address: 127.0.0.1, port: 8080 }\n  proxy_header: x-real-ip'),
    'line 3: listen.proxy_header: "x-real-ip" is not one of x-forwarded-for, forwarded (write one of them)',
  ],
  'a PBX domain of no PBX': [
    withPbxDomain('contact: path'),
    'line 6: domains[0]: auth: pbx needs to know whose PBX (add trunk: office)',
  ],
  'a contact that is none': [
    withPbxDomain('trunk: office, contact: paths'),
    'line 6: domains[0].contact: "paths" is not one of rewritten, path (did you mean path?)',
  ],
  'a progress_timeout without unit': [
    rightConfig.replace(/^limits:.*$/m, 'limits: { progress_timeout: 20 }'),
    'line 31: limits.progress_timeout: YAML reads this as a number (for example 20s)',
  ],
  'a notice that outlasts the drain': [
    `${rightConfig}drain: { notice: 2m, limit: 60s }\n`,
    'line 34: drain.notice: calls are ended after limit: 60s, before the notice is over (write a limit above 2m)',
  ],
  'a tab': [
    rightConfig.replace('  http:', '\thttp:'),
    'line 2: not readable as YAML: Tabs are not allowed as indentation (indent with spaces)',
  ],
  'two colons on a line': [
    rightConfig.replace(/^log:.*$/m, 'log: level: info'),
    'line 33: not readable as YAML: Nested mappings are not allowed in compact mappings (one key on a line; put a value that has a colon in it into quotes)',
  ],
};

describe('what is said of a wrong configuration', () => {
  for (const [what, [text, ...problems]] of Object.entries(broken)) {
    it(`has line, problem and fix: ${what}`, async () => {
      await assert.rejects(parseConfig(text, '/etc/w.yaml', rightEnvironment), (thrown) => {
        assert.ok(thrown instanceof ConfigError);
        assert.deepEqual(
          thrown.message
            .split('\n')
            .slice(1)
            .map((line) => line.trim()),
          problems,
        );
        return true;
      });
    });
  }
});
