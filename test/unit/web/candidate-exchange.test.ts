import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { CandidateExchange } from '#web/phone/call/candidate-exchange.js';

const described =
  'v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:8hhY\r\na=ice-pwd:secret\r\n';
const candidate = 'candidate:1 1 udp 1 192.0.2.7 5000 typ host';

type ExchangeOptions = ConstructorParameters<typeof CandidateExchange>[0];
type Info = Parameters<CandidateExchange['take']>[0];

class FakePeer extends EventTarget {
  connectionState = 'new';
  iceGatheringState = 'gathering';
  localDescription = { sdp: described };
  readonly added: unknown[] = [];

  addIceCandidate(added: unknown): Promise<void> {
    this.added.push(added);
    return Promise.reject(new Error('of another generation'));
  }

  finds(line: string): void {
    this.localDescription = { sdp: `${this.localDescription.sdp}a=${line}\r\n` };
    this.dispatchEvent(new Event('icecandidate'));
  }
}

describe('the exchange of late candidates', () => {
  let peer: FakePeer;
  let handler: { peerConnection: FakePeer; mustGather: boolean; told: string };
  let exchange: CandidateExchange;
  let sent: string[];
  let offers: number;

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    peer = new FakePeer();
    handler = { peerConnection: peer, mustGather: false, told: described };
    [sent, offers] = [[], 0];
    const session = {
      info: ({ requestOptions }: { requestOptions: { body: { content: string } } }) => {
        sent.push(requestOptions.body.content);
        return Promise.reject(new Error('the call is over'));
      },
    };
    const offerAgain = (): void => void (offers += 1);
    exchange = new CandidateExchange({ session, handler, offerAgain } as unknown as ExchangeOptions);
  });

  afterEach(() => {
    exchange.close();
    mock.timers.reset();
  });

  it('tells what was found before the call was established as soon as it is', () => {
    peer.finds(candidate);
    assert.deepEqual(sent, []);
    exchange.begin('trickle-ice');
    assert.equal(sent.length, 1);
    assert.match(sent[0] ?? '', /a=candidate:1 1 udp/);
  });

  it('tells what is found later once, several together', () => {
    exchange.begin('trickle-ice');
    peer.finds(candidate);
    peer.finds(candidate.replace('5000', '5001'));
    mock.timers.tick(100);
    assert.equal(sent.length, 1);
    assert.match(sent[0] ?? '', /5000[^]*5001/);
    mock.timers.tick(10_000);
    assert.deepEqual([sent.length, offers], [1, 0]);
  });

  it('offers once more to a side that takes none, when it does not get through', () => {
    peer.finds(candidate);
    exchange.begin(undefined);
    assert.equal(handler.mustGather, true);
    mock.timers.tick(10_000);
    assert.deepEqual([sent.length, offers], [0, 1]);
  });

  it('leaves a side alone that takes none and is connected, or has been told all', () => {
    exchange.begin(undefined);
    peer.connectionState = 'connected';
    mock.timers.tick(10_000);
    peer.connectionState = 'new';
    exchange.begin(undefined);
    mock.timers.tick(10_000);
    assert.equal(offers, 0);
  });

  it('sends nothing after its end', () => {
    exchange.begin(undefined);
    exchange.close();
    mock.timers.tick(10_000);
    exchange.begin('trickle-ice');
    exchange.close();
    peer.finds(candidate);
    mock.timers.tick(10_000);
    assert.deepEqual([sent.length, offers], [0, 0]);
  });

  describe('with an INFO of the other side', () => {
    const info = (pack: string | undefined, body: string, answers: string[]): Info =>
      ({
        request: { getHeader: () => pack, body },
        accept: () => void answers.push('200'),
        reject: (options: { statusCode: number; extraHeaders: string[] }) =>
          void answers.push(`${options.statusCode} ${options.extraHeaders.join()}`),
      }) as unknown as Info;
    const fragment = `a=ice-ufrag:9uB6\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=${candidate}\r\n`;

    it('adds its candidates', () => {
      const answers: string[] = [];
      exchange.take(info('Trickle-ICE', fragment, answers));
      assert.deepEqual(answers, ['200']);
      assert.deepEqual(peer.added, [{ candidate, sdpMid: '0', usernameFragment: '9uB6' }]);
    });

    it('refuses another package and says which one it takes', () => {
      const answers: string[] = [];
      exchange.take(info('conference', fragment, answers));
      assert.deepEqual(answers, ['469 Recv-Info: trickle-ice']);
      assert.deepEqual(peer.added, []);
    });

    it('takes one without a package and does nothing with it', () => {
      const answers: string[] = [];
      exchange.take(info(undefined, fragment, answers));
      assert.deepEqual([answers, peer.added], [['200'], []]);
    });
  });
});
