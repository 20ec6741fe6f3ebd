import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { StrangerPolicy, TurnedAway } from '../../sip/engine/binding/strangers.js';
import { EngineLab, requestText } from '../support/engine-lab.js';
import { sdp, type SipPeer, type TcpPeer, type UdpPeer } from '../support/sip-peer.js';
import type { SrfApp, SrfRequest, SrfResponse } from '../support/srf-app.js';
import { makeTestAuthority, type TestAuthority, type TestCertificate } from '../support/test-certificate.js';
import { TlsPeer } from '../support/tls-peer.js';

const methods = [
  'OPTIONS',
  'REGISTER',
  'INVITE',
  'CANCEL',
  'BYE',
  'PRACK',
  'UPDATE',
  'INFO',
  'MESSAGE',
  'NOTIFY',
  'SUBSCRIBE',
  'PUBLISH',
  'REFER',
  'BREW',
];

/** Longer than any answer takes on loopback. */
const quietMs = 150;
const plain = ['udp', 'tcp'] as const;

describe('engine: requests of strangers', () => {
  let lab: EngineLab;
  let app: SrfApp;
  let peer: UdpPeer;
  let answer: 'silence' | 'refuse';
  let isKnown: boolean;
  let turnedAway: TurnedAway[];
  let asked: string[];
  let authority: TestAuthority | undefined;
  let certificate: TestCertificate | undefined;

  before(() => {
    authority = makeTestAuthority();
    certificate = authority?.issue('DNS:localhost', 'IP:127.0.0.1');
  });

  beforeEach(async () => {
    answer = 'silence';
    isKnown = false;
    turnedAway = [];
    asked = [];
    const strangers: StrangerPolicy = {
      isKnown: () => isKnown,
      get answer() {
        return answer;
      },
      turnedAway: (request) => turnedAway.push(request),
    };
    const tls = certificate === undefined ? {} : { tls: certificate };
    const transports = certificate === undefined ? plain : ([...plain, 'tls'] as const);
    const listen = transports.map((transport) => ({ transport, address: '127.0.0.1', port: 0 }));
    lab = await EngineLab.start({ strangers, listen, ...tls });
    peer = await lab.udpPeer();
    app = await lab.app();
    for (const method of ['invite', 'options', 'register', 'message', 'info']) {
      app.use(method, (request, response) => take(request, response));
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
  });
  afterEach(() => lab.close());

  let take: (request: SrfRequest, response: SrfResponse) => void = () => undefined;
  const takeAll = () => {
    take = (request, response) => {
      asked.push(request.method);
      response.send(200);
    };
  };

  const text = (from: SipPeer, method: string, extra: Partial<Parameters<typeof requestText>[1]> = {}) =>
    requestText(from, { method, port: lab.udpPort, callId: `stranger-${method}`, cseq: 1, ...extra });

  const nothingComes = async (from: SipPeer) => {
    assert.ok(await from.silent(() => true, quietMs));
    assert.deepEqual(from.seen, []);
    assert.deepEqual(from.unreadable, []);
  };

  const labels = () => turnedAway.map(({ method, transport }) => `${method ?? '-'} ${transport}`);

  const nothingIsLeft = () => {
    const open = Object.entries(lab.engine.sizes()).filter(([, size]) => size > 0);
    assert.deepEqual(open, [['clients', 1]]);
  };

  describe('by silence', () => {
    it('hear nothing whatever they ask, and are counted', async () => {
      takeAll();
      for (const method of methods) peer.send(text(peer, method));
      await nothingComes(peer);
      assert.deepEqual(asked, []);
      assert.deepEqual(
        labels(),
        methods.map((method) => `${method} udp`),
      );
      assert.deepEqual(turnedAway[0]?.remote, { address: '127.0.0.1', port: peer.port });
      const { strangers, refused } = lab.engine.counters;
      assert.deepEqual([strangers, refused], [methods.length, 0]);
      nothingIsLeft();
    });

    it('hear nothing about dialogs that are not there, checks that fail and messages that cannot be read', async () => {
      peer.send(text(peer, 'BYE', { toTag: 'guess' }));
      peer.send(text(peer, 'OPTIONS').replace('CSeq: 1 OPTIONS', 'CSeq: 1 INVITE'));
      peer.send(text(peer, 'OPTIONS', { uri: 'https://127.0.0.1' }));
      peer.send(text(peer, 'OPTIONS').replace('SIP/2.0\r\n', 'SIP/3.0\r\n'));
      peer.send(text(peer, 'OPTIONS').replace('Call-ID', 'X-Call-ID'));
      peer.send(text(peer, 'OPTIONS').replace('CSeq: 1', 'CSeq: x'));
      await nothingComes(peer);
      assert.deepEqual(labels(), ['BYE udp', 'OPTIONS udp', 'OPTIONS udp', '- udp', '- udp', '- udp']);
      assert.equal(lab.engine.counters.malformed, 3);
    });

    for (const [what, bytes] of [
      ['a request', (from: TcpPeer) => text(from, 'OPTIONS')],
      ['a broken message', () => 'OPTIONS sip:x SIP/2.0\r\nContent-Length: 0\r\n\r\n'],
      ['bytes without end', () => `OPTIONS sip:x SIP/2.0\r\nX: ${'y'.repeat(200_000)}`],
    ] as const) {
      it(`lose their TCP connection over ${what}`, async () => {
        const caller = await lab.tcpPeer(true);
        caller.send(bytes(caller));
        await caller.hungUp();
        await nothingComes(caller);
        assert.deepEqual(caller.raw, []);
        assert.equal(turnedAway.length, 1);
      });
    }

    it('lose their TLS connection', async function () {
      if (authority === undefined || certificate === undefined) return this.skip();
      const caller = lab.owned(await TlsPeer.open(certificate));
      await caller.connect(lab.tlsPort, authority.ca);
      caller.send(text(caller, 'OPTIONS'));
      await caller.hungUp();
      await nothingComes(caller);
      assert.deepEqual(labels(), ['OPTIONS tls']);
    });

    it('lose it over a keep-alive too', async () => {
      const caller = await lab.tcpPeer(true);
      caller.send('\r\n\r\n');
      await caller.hungUp();
      assert.deepEqual(caller.raw, []);
    });
  });

  describe('by refusal', () => {
    beforeEach(() => {
      answer = 'refuse';
    });

    it('hear the same from every method, user and dialog', async () => {
      takeAll();
      const answers = new Set<string>();
      for (const method of methods) {
        for (const [at, uri] of ['sip:alice@localhost', 'sip:nobody@elsewhere', 'tel:1'].entries()) {
          const toTag = at === 2 ? { toTag: 'guess' } : {};
          const callId = `${method}-${at}`;
          peer.send(text(peer, method, { uri, callId, ...toTag }));
          const { text: refusal, to } = await peer.status(403, method);
          assert.match(to.params.get('tag') ?? '', /./);
          answers.add(
            refusal
              .replace(/^(Via: [^;]*).*\r$/m, '$1\r')
              .replace(/^(To: .*;tag=).*\r$/m, '$1TAG\r')
              .replace(callId, 'CALL-ID')
              .replace(`1 ${method}`, '1 METHOD'),
          );
        }
      }
      assert.equal(answers.size, 1);
      assert.doesNotMatch([...answers].join(), /^(?:Server|User-Agent|Allow|Supported|Contact|Warning)/im);
      assert.deepEqual(asked, []);
      nothingIsLeft();
    });

    it('hear the same again, and may acknowledge it', async () => {
      const invite = text(peer, 'INVITE', { branch: 'z9hG4bKagain' });
      peer.send(invite);
      const first = await peer.status(403);
      peer.send(invite);
      assert.equal((await peer.status(403)).text, first.text);
      peer.send(text(peer, 'ACK', { branch: 'z9hG4bKagain', toTag: first.to.params.get('tag') ?? '' }));
      assert.ok(await peer.silent(() => true, quietMs));
      assert.equal(turnedAway.length, 2);
    });

    it('hear nothing about messages that cannot be read', async () => {
      peer.send(text(peer, 'OPTIONS').replace('CSeq: 1', 'CSeq: x'));
      await nothingComes(peer);
    });

    it('keep their connection', async () => {
      const caller = await lab.tcpPeer(true);
      caller.send('\r\n\r\n');
      await caller.bytes(2);
      assert.equal(Buffer.concat(caller.raw).toString(), '\r\n');
      caller.send(text(caller, 'OPTIONS'));
      await caller.status(403);
      caller.send(text(caller, 'REGISTER'));
      await caller.status(403);
      assert.ok(caller.isConnected);
    });
  });

  describe('who take part in something of ours', () => {
    it('are served in a call that was taken while they were known', async () => {
      take = (request, response) =>
        void app.createUAS(request, response, { localSdp: sdp(6000) }).then((dialog) => {
          dialog.on('info', (_info: SrfRequest, answering: SrfResponse) => answering.send(200));
        });
      isKnown = true;
      const invite = { callId: 'taken', body: sdp(7000), branch: 'z9hG4bKtaken' };
      peer.send(text(peer, 'INVITE', invite));
      const ok = await peer.status(200);
      isKnown = false;
      peer.send(text(peer, 'INVITE', invite));
      assert.equal((await peer.status(200)).text, ok.text);
      const inside = { callId: 'taken', toTag: ok.to.params.get('tag') ?? '' };
      peer.send(text(peer, 'ACK', inside));
      peer.send(text(peer, 'INFO', { ...inside, cseq: 2 }));
      await peer.status(200, 'INFO');
      peer.send(text(peer, 'BYE', { ...inside, cseq: 3 }));
      await peer.status(200, 'BYE');
      assert.deepEqual(turnedAway, []);
    });

    it('may cancel their call', async () => {
      take = (request, response) => {
        response.send(180);
        request.on('cancel', () => asked.push('CANCEL'));
      };
      isKnown = true;
      peer.send(text(peer, 'INVITE', { callId: 'cancelled', branch: 'z9hG4bKcancelled' }));
      await peer.status(180);
      isKnown = false;
      peer.send(text(peer, 'CANCEL', { callId: 'cancelled', branch: 'z9hG4bKcancelled' }));
      await peer.status(200, 'CANCEL');
      await peer.status(487);
      assert.deepEqual(turnedAway, []);
    });

    it('may hang up what we called them for', async () => {
      const dialog = app.createUAC(`sip:them@127.0.0.1:${peer.port}`, { localSdp: sdp(6000) });
      const invite = await peer.request('INVITE');
      peer.respond(invite, 200, 'OK', { body: sdp(7000) });
      const destroyed = once(await dialog, 'destroy');
      await peer.request('ACK');
      const { callId, from } = invite;
      const parties = { callId, fromTag: 'peer', toTag: from.params.get('tag') ?? '' };
      peer.send(text(peer, 'BYE', parties));
      await peer.status(200, 'BYE');
      await destroyed;
      assert.deepEqual(turnedAway, []);
    });

    it('keep the connection that carries it when a stray request comes', async () => {
      const callee = await lab.tcpPeer(false);
      const dialog = app.createUAC(`sip:them@127.0.0.1:${callee.port};transport=tcp`, {
        localSdp: sdp(6000),
      });
      callee.respond(await callee.request('INVITE'), 200, 'OK', { body: sdp(7000) });
      await callee.request('ACK');
      callee.send(text(callee, 'OPTIONS'));
      assert.ok(await callee.silent(() => true, quietMs));
      assert.equal(turnedAway.length, 1);
      const heard = Buffer.concat(callee.raw).length;
      callee.send('\r\n\r\n');
      await callee.bytes(heard + 2);
      const ended = (await dialog).destroy();
      callee.respond(await callee.request('BYE'), 200, 'OK');
      await ended;
    });
  });
});
