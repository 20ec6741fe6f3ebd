import assert from 'node:assert/strict';
import type { SipMessage } from '../../sip/message/index.js';
import { openEngine, requireOwnEngine, type EngineUnderTest } from '../support/engine-under-test.js';
import { freePort } from '../support/free-port.js';
import { ipTrunk, passwordOf, startGateway, type Gateway } from '../support/gateway.js';
import { requestText } from '../support/engine-lab.js';
import { idle } from '../support/idle.js';
import { requirePeer } from '../support/peers.js';
import { scan } from '../support/scanner.js';
import { fixture } from '../support/sdp-fixtures.js';
import { sdp, UdpPeer } from '../support/sip-peer.js';
import { answer, nextRequest } from '../support/ws-call.js';
import { WsSipClient } from '../support/ws-sip-client.js';

/** `drachtio`: the engine beside webtrunk knows of no strangers, so that webtrunk refuses them itself. */
const policies = ['silence', 'refuse', 'drachtio'] as const;
type Policy = (typeof policies)[number];

const scanner = '127.0.0.1';
const pbx = '127.0.0.2';
const methods = ['OPTIONS', 'REGISTER', 'INVITE'] as const;
const questions = methods.flatMap((method) =>
  ['alice', 'bob', 'nobody', '600', '+15551230000'].flatMap((user) =>
    ['localhost', scanner, 'example.org'].map((domain) => [method, `sip:${user}@${domain}`] as const),
  ),
);
const quietMs = 200;

describe('SIP scanners', function () {
  this.timeout(60_000);
  let programs: Readonly<Record<'sipsak' | 'svmap' | 'svwar' | 'svcrack', string>>;
  let gateway: Gateway;
  let alice: WsSipClient;
  let engine: EngineUnderTest | undefined;

  const open = async (known: string, policy: Policy) => {
    const trunks = [ipTrunk('office', `sip:${known};transport=udp`)];
    if (policy === 'drachtio') engine = await openEngine();
    gateway = await startGateway({
      trunks,
      ...(policy === 'drachtio' ? {} : { strangers: policy }),
      ...(engine === undefined ? {} : { engine }),
    });
    alice = await WsSipClient.connect(gateway.wsUrl, { user: 'alice', password: passwordOf('alice') });
    assert.equal((await alice.register()).status, 200);
  };

  const close = async () => {
    await alice?.close();
    await gateway?.close();
    await engine?.close();
    engine = undefined;
  };

  const port = () => Number(gateway.sipAddress.split(':')[1]);

  /** A SIPVicious tool on a port of its own: on 5060, its default, it would take what others send there for answers. */
  const attack = async (
    tool: 'svmap' | 'svwar' | 'svcrack',
    args: readonly string[],
    files?: Readonly<Record<string, string>>,
  ) => scan(programs[tool], [...args, '-P', `${await freePort()}`, '-p', `${port()}`, scanner], files);

  const enumerate = (method: string) =>
    attack('svwar', ['--force', '-m', method, '-d', 'users.txt'], { 'users.txt': 'alice\nbob\nnobody\n' });

  const passwords = { 'passwords.txt': `guess\n${passwordOf('alice')}\n` };

  const sipsak = (user: string) =>
    scan(programs.sipsak, ['-vvv', '-D', '1', '-s', `sip:${user}@${scanner}:${port()}`]);

  const turnedAway = async (): Promise<Map<string, number>> => {
    const lines = (await gateway.metrics.text()).matchAll(
      /^webtrunk_strangers_total\{method="(\w+)",transport="udp"\} ([1-9]\d*)$/gm,
    );
    return new Map([...lines].map(([, method = '', count]) => [method, Number(count)]));
  };

  before(function () {
    programs = {
      sipsak: requirePeer(this, 'sipsak'),
      svmap: requirePeer(this, 'svmap'),
      svwar: requirePeer(this, 'svwar'),
      svcrack: requirePeer(this, 'svcrack'),
    };
  });

  describe('at an address of a trunk', () => {
    before(() => open(scanner, 'drachtio'));
    after(close);

    it('find the users: they are able to', async () => {
      assert.match(await enumerate('INVITE'), /\| bob +\|/);
      assert.match(await sipsak('alice'), /^SIP\/2\.0 200 OK/m);
      assert.equal((await turnedAway()).size, 0);
    });
  });

  for (const policy of policies) {
    describe(`elsewhere, with ${policy === 'drachtio' ? 'engine' : 'strangers'}: ${policy}`, () => {
      before(function () {
        if (policy !== 'drachtio') requireOwnEngine(this);
        return open(pbx, policy);
      });
      after(close);

      it('svmap finds nothing, or no more than that SIP is spoken', async () => {
        const found = await attack('svmap', []);
        if (policy === 'silence') assert.match(found, /found nothing/);
        else assert.match(found, new RegExp(`\\| ${scanner}:${port()} +\\| unknown +\\|`));
        assert.ok(((await turnedAway()).get('OPTIONS') ?? 0) > 0);
      });

      it('svwar finds no user, whatever method it tries', async () => {
        const before = await turnedAway();
        const findings = await Promise.all(methods.map(enumerate));
        for (const found of findings) {
          assert.match(found, /found nothing/);
          assert.doesNotMatch(found, /\||exists/);
        }
        const after = await turnedAway();
        for (const method of methods) assert.ok((after.get(method) ?? 0) > (before.get(method) ?? 0), method);
      });

      it('svcrack finds no password, though it tries the right one', async () => {
        const found = await attack('svcrack', ['-u', 'alice', '-d', 'passwords.txt'], passwords);
        assert.match(found, /found nothing/);
        assert.doesNotMatch(found, /\||password is/);
      });

      it('sipsak hears the same of every user', async () => {
        const [known, unknown] = await Promise.all([sipsak('alice'), sipsak('nobody')]);
        const heard = received(known);
        assert.equal(heard, received(unknown));
        if (policy === 'silence') assert.match(known, /no final response/);
        else assert.match(heard, /^SIP\/2\.0 403 Forbidden/);
      });

      it('every user, extension and domain is answered alike, byte for byte', async () => {
        const stranger = await UdpPeer.open(port());
        try {
          for (const [method, uri] of questions) {
            const callId = `${method} ${uri}`.replaceAll(' ', '-');
            stranger.send(requestText(stranger, { method, port: port(), callId, cseq: 1, uri }));
          }
          if (policy === 'silence') return assert.ok(await stranger.silent(() => true, quietMs));
          const answers = new Map<string, string>();
          while (answers.size < questions.length) {
            const message = await stranger.next(isFinal);
            answers.set(message.callId, withoutIds(message.text).replace(/^(CSeq: 1 )\w+/m, '$1METHOD'));
          }
          assert.equal(new Set(answers.values()).size, 1);
        } finally {
          await stranger.close();
        }
      });

      it('the trunk is served meanwhile', async () => {
        const trunk = await UdpPeer.open(port(), pbx);
        let isOver = false;
        const flood = (async () => {
          while (!isOver)
            await scan(programs.sipsak, ['-F', '-e', '100', '-s', `sip:alice@${scanner}:${port()}`]);
        })();
        try {
          const before = (await turnedAway()).get('OPTIONS') ?? 0;
          const parts = { port: port(), callId: `served-${policy}`, uri: `sip:alice@${scanner}` };
          trunk.send(requestText(trunk, { ...parts, method: 'OPTIONS', cseq: 1 }));
          await trunk.status(200, 'OPTIONS');
          trunk.send(requestText(trunk, { ...parts, method: 'INVITE', cseq: 2, body: sdp(7000) }));
          const invite = await nextRequest(alice, 'INVITE');
          answer(alice, invite, 180);
          await trunk.status(180);
          answer(alice, invite, 200, { sdp: fixture('chromium-answer-to-g711-pbx-offer') });
          const { to } = await trunk.status(200, 'INVITE');
          const inside = { ...parts, toTag: to.params.get('tag') ?? '' };
          trunk.send(requestText(trunk, { ...inside, method: 'ACK', cseq: 2 }));
          await nextRequest(alice, 'ACK');
          trunk.send(requestText(trunk, { ...inside, method: 'BYE', cseq: 3 }));
          await trunk.status(200, 'BYE');
          answer(alice, await nextRequest(alice, 'BYE'), 200);
          await idle(gateway);
          assert.ok(((await turnedAway()).get('OPTIONS') ?? 0) > before);
        } finally {
          isOver = true;
          await flood;
          await trunk.close();
        }
      });

      it('the log has named the address of the scanners, and how many more requests came, once a minute', async () => {
        await gateway.close();
        const told = gateway.lines.filter(
          ({ event, level }) => event === 'stranger.turned_away' && level === 'warn',
        );
        assert.equal(told.length, 1);
        assert.match(String(told[0]?.['remote']), new RegExp(`^${scanner}:\\d+$`));
        const more = gateway.lines.filter(({ event }) => event === 'stranger.persists');
        const total = [...(await turnedAway()).values()].reduce((sum, count) => sum + count, 0);
        assert.equal(
          more.reduce((sum, { requests }) => sum + Number(requests), 0),
          total - 1,
        );
      });
    });
  }
});

const isFinal = (message: SipMessage): boolean => message.kind === 'response' && message.status >= 200;

/** What a scanner says that it has received, without what differs from request to request. */
function received(output: string): string {
  return withoutIds(/^SIP\/2\.0 [\s\S]*?\n\r?\n/m.exec(output)?.[0] ?? '');
}

function withoutIds(text: string): string {
  return text
    .replace(/^(Via: \S+ ).*$/m, '$1VIA')
    .replace(/^(From: ).*$/m, '$1FROM')
    .replace(/^(To: ).*;tag=[^;\s]+\r?$/m, '$1TO')
    .replace(/^(Call-ID: ).*$/m, '$1CALL-ID');
}
