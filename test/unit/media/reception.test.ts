import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Reception } from '../../../sip/media/relay/reception.js';
import { rtpPacket } from '../../support/rtp-phone.js';

const rate = 8_000;
const frameMs = 20;

/** An RTP packet whose timestamp goes with its place in the stream, not with its (wrapping) sequence number. */
function packetAt(place: number, first = 0, ssrc = 0xabcd): Buffer {
  const packet = rtpPacket(0, (first + place) & 0xffff, 'x', ssrc);
  packet.writeUInt32BE((place * 160) >>> 0, 4);
  return packet;
}

/** Counts the packets at these places, each at the time it was sent. */
function countAll(reception: Reception, places: readonly number[], first = 0, ssrc = 0xabcd): void {
  for (const place of places) reception.count(packetAt(place, first, ssrc), rate, 1_000 + place * frameMs);
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, place) => place);

describe('reception of a stream', () => {
  it('counts what the sequence tells of and what has not come', () => {
    const reception = new Reception();
    countAll(reception, [0, 1, 2, 5, 6, 9]);
    assert.deepEqual([reception.expected, reception.lost], [10, 4]);
  });

  it('counts exactly the packets that are missing, wherever the sequence begins or wraps', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffff }),
        fc.integer({ min: 2, max: 400 }),
        fc.array(fc.nat(399), { maxLength: 60 }),
        (first, length, gone) => {
          const missing = new Set(gone.filter((place) => place > 0 && place < length - 1));
          const reception = new Reception();
          countAll(
            reception,
            upTo(length).filter((place) => !missing.has(place)),
            first,
          );
          assert.deepEqual([reception.expected, reception.lost], [length, missing.size]);
        },
      ),
    );
  });

  it('loses nothing by packets that overtake each other', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffff }),
        fc.array(fc.nat(40), { minLength: 50 }),
        (first, late) => {
          const order = late
            .map((delay, place) => ({ place, due: place + delay }))
            .sort((one, other) => one.due - other.due)
            .map(({ place }) => place);
          const reception = new Reception();
          countAll(reception, order, first);
          assert.deepEqual([reception.expected, reception.lost], [late.length, 0]);
        },
      ),
    );
  });

  it('keeps what it has counted when the SSRC begins anew', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 3, max: 50 }), { minLength: 1, maxLength: 6 }), (lengths) => {
        const reception = new Reception();
        for (const [index, length] of lengths.entries()) {
          const places = upTo(length).filter((place) => place !== 1);
          countAll(reception, places, index * 7_919, 100 + index);
        }
        const sent = lengths.reduce((sum, length) => sum + length, 0);
        assert.deepEqual([reception.expected, reception.lost], [sent, lengths.length]);
      }),
    );
  });

  it('takes a jump of the sequence that a second packet confirms for a new beginning, not for a loss', () => {
    const reception = new Reception();
    countAll(reception, upTo(10));
    countAll(reception, upTo(10), 30_000);
    // The first packet after the jump was under suspicion.
    assert.deepEqual([reception.expected, reception.lost], [19, 0]);
  });

  it('takes no notice of a single packet that is far off', () => {
    const reception = new Reception();
    countAll(reception, upTo(10));
    reception.count(packetAt(0, 40_000), rate, 1_200);
    countAll(reception, [10, 11]);
    assert.deepEqual([reception.expected, reception.lost], [12, 0]);
  });

  it('never tells of fewer than no lost packets, whatever comes twice', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xffff)), (places) => {
        const reception = new Reception();
        countAll(reception, places);
        assert.ok(reception.lost >= 0 && reception.lost <= reception.expected);
      }),
    );
  });

  it('gives events and comfort noise their places in the sequence', () => {
    const reception = new Reception();
    countAll(reception, [0, 1]);
    reception.count(packetAt(2), 0, 1_040);
    countAll(reception, [3]);
    assert.deepEqual([reception.expected, reception.lost, reception.jitterMs], [4, 0, 0]);
  });

  it('has no jitter for a stream that arrives in its own time', () => {
    const reception = new Reception();
    countAll(reception, upTo(200), 65_500);
    assert.equal(reception.jitterMs, 0);
  });

  it('averages the jitter of a stream whose packets are early and late in turn', () => {
    const reception = new Reception();
    for (const place of upTo(1_000))
      reception.count(packetAt(place), rate, 1_000 + place * frameMs + (place % 2) * 10);
    // Every difference is 10 ms; the running estimate starts at 0 (RFC 3550 A.8).
    assert.ok(Math.abs(reception.jitterMs - 10) < 0.3, String(reception.jitterMs));
  });

  it('begins the jitter anew after a silence', () => {
    const reception = new Reception();
    countAll(reception, [0, 1]);
    reception.count(packetAt(2), rate, 61_000);
    assert.equal(reception.jitterMs, 0);
  });
});
