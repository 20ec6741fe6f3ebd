import assert from 'node:assert/strict';
import fc from 'fast-check';
import { estimateMos } from '../../../sip/media/mos.js';
import { StreamQuality } from '../../../sip/media/relay/stream-quality.js';
import { rtpPacket, senderReport } from '../../support/rtp-phone.js';

const startMs = 1_000_000;

/** A stream of 100 packets of SSRC `ssrc`, without those at `missing`. */
function stream(ssrc: number, missing: readonly number[] = []): StreamQuality {
  const quality = new StreamQuality();
  for (let place = 0; place < 100; place += 1) {
    if (missing.includes(place)) continue;
    quality.reception.count(rtpPacket(0, place, 'x', ssrc), 8_000, startMs + place * 20);
  }
  return quality;
}

describe('quality of a stream', () => {
  it('is not known before a packet has come', () => {
    assert.equal(new StreamQuality().figures(undefined), undefined);
  });

  it('is what has arrived here while nobody reports', () => {
    assert.deepEqual(stream(1, [3, 4]).figures(undefined), {
      packetsLost: 2,
      packetLoss: 2,
      jitterMs: 0,
      mos: 4.22,
    });
  });

  it('is what the listener reports when that is worse', () => {
    const [one, other] = [stream(1, [3]), stream(2)];
    other.readRtcp(senderReport(2, { ssrc: 1, lost: 0.125, jitterMs: 30, to: undefined }), one, startMs);
    const figures = one.figures(other);
    assert.deepEqual([figures?.packetLoss, figures?.jitterMs], [12.5, 30]);
    assert.equal(other.figures(one)?.packetLoss, 0);
  });

  it('has the round trip of both legs, each from a passing report to the answer less the time it was held', () => {
    const [one, other] = [stream(1), stream(2)];
    const fromOne = senderReport(1, { ssrc: 2, lost: 0, jitterMs: 0, to: undefined });
    one.readRtcp(fromOne, other, startMs);
    const fromOther = senderReport(2, { ssrc: 1, lost: 0, jitterMs: 0, to: fromOne });
    fromOther.writeUInt32BE(0.5 * 65_536, 48);
    other.readRtcp(fromOther, one, startMs + 540);
    assert.equal(one.figures(other)?.roundTripMs, 40);
    one.readRtcp(senderReport(1, { ssrc: 2, lost: 0, jitterMs: 0, to: fromOther }), other, startMs + 600);
    assert.equal(Math.round(one.figures(other)?.roundTripMs ?? 0), 100);
    assert.equal(one.figures(other)?.roundTripMs, other.figures(one)?.roundTripMs);
  });

  it('takes no report about another SSRC', () => {
    const [one, other] = [stream(1), stream(2)];
    other.readRtcp(senderReport(2, { ssrc: 9, lost: 0.5, jitterMs: 30, to: undefined }), one, startMs);
    assert.equal(one.figures(other)?.packetLoss, 0);
  });

  it('reads no further than a report that was cut short, and throws for nothing', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ minLength: 8, maxLength: 120 }).map((bytes) => Buffer.from(bytes)),
          fc.tuple(fc.nat(51), fc.nat(255), fc.integer({ min: 8, max: 52 })).map(([at, byte, length]) => {
            const report = senderReport(2, { ssrc: 1, lost: 0.1, jitterMs: 1, to: undefined });
            report.writeUInt8(byte, at);
            return report.subarray(0, length);
          }),
        ),
        (packet) => new StreamQuality().readRtcp(packet, stream(1), startMs),
      ),
    );
  });
});

describe('estimated opinion', () => {
  it('is that of the E-model for a perfect connection', () => {
    assert.equal(estimateMos({ packetLoss: 0, jitterMs: 0, roundTripMs: 0 }).toFixed(2), '4.40');
  });

  it('falls with loss, jitter and delay and stays between 1 and 4.5', () => {
    const figure = fc.double({ min: 0, max: 100, noNaN: true });
    fc.assert(
      fc.property(
        figure,
        figure,
        fc.double({ min: 0, max: 3_000, noNaN: true }),
        (packetLoss, jitterMs, roundTripMs) => {
          const heard = { packetLoss, jitterMs, roundTripMs };
          const opinion = estimateMos(heard);
          assert.ok(opinion >= 1 && opinion <= 4.5);
          for (const worse of [
            { ...heard, packetLoss: packetLoss + 1 },
            { ...heard, jitterMs: jitterMs + 10 },
            { ...heard, roundTripMs: roundTripMs + 50 },
          ])
            assert.ok(estimateMos(worse) <= opinion);
        },
      ),
    );
  });
});
