import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { DtmfTone } from '../../../sip/media/media-engine.js';
import { ToneReader } from '../../../sip/media/relay/tone-reader.js';
import { ToneWriter } from '../../../sip/media/relay/tone-writer.js';
import { rtpPacket } from '../../support/rtp-phone.js';

const events = { payloadType: 101, name: 'telephone-event', clockRate: 8_000, channels: 1 };
const frameMs = 20;

interface Event {
  readonly code: number;
  readonly timestamp: number;
  readonly units: number;
  readonly isEnd?: boolean;
  readonly ssrc?: number;
}

function eventPacket({ code, timestamp, units, isEnd = false, ssrc = 7 }: Event): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt8(code, 0);
  payload.writeUInt8(isEnd ? 0x8a : 0x0a, 1);
  payload.writeUInt16BE(units, 2);
  const packet = Buffer.concat([rtpPacket(101, 1, '', ssrc), payload]);
  packet.writeUInt32BE(timestamp, 4);
  return packet;
}

describe('tones in RTP', () => {
  let heard: DtmfTone[];
  let reader: ToneReader;

  beforeEach(() => {
    heard = [];
    reader = new ToneReader((tone) => heard.push(tone));
    reader.expect([events]);
  });

  describe('read', () => {
    const takeAll = (...packets: readonly Event[]): void => {
      for (const packet of packets) reader.take(eventPacket(packet), 1_000);
    };

    it('are told once, at their end, with their duration, however often the end comes', () => {
      const end = { code: 5, timestamp: 800, units: 1_280, isEnd: true };
      takeAll({ code: 5, timestamp: 800, units: 160 });
      assert.deepEqual(heard, []);
      takeAll(end, end, end);
      assert.deepEqual(heard, [{ digit: '5', durationMs: 160 }]);
    });

    it('are two when the same key is pressed twice', () => {
      takeAll(
        { code: 1, timestamp: 800, units: 800, isEnd: true },
        { code: 1, timestamp: 4_000, units: 800, isEnd: true },
      );
      assert.deepEqual(
        heard.map(({ digit }) => digit),
        ['1', '1'],
      );
    });

    it('are closed by the next tone when the end was lost', () => {
      takeAll(
        { code: 10, timestamp: 800, units: 640 },
        { code: 11, timestamp: 4_000, units: 800, isEnd: true },
      );
      assert.deepEqual(heard, [
        { digit: '*', durationMs: 80 },
        { digit: '#', durationMs: 100 },
      ]);
    });

    it('are closed by audio when the end was lost, not by audio in between', () => {
      takeAll({ code: 2, timestamp: 800, units: 640 });
      reader.audio(1_040);
      assert.ok(reader.isOpen);
      reader.audio(1_200);
      assert.deepEqual(heard, [{ digit: '2', durationMs: 80 }]);
    });

    it('take no notice of a packet that was overtaken', () => {
      takeAll(
        { code: 3, timestamp: 800, units: 640, isEnd: true },
        { code: 4, timestamp: 4_000, units: 640, isEnd: true },
        { code: 3, timestamp: 800, units: 640, isEnd: true },
      );
      assert.equal(heard.length, 2);
    });

    it('go on in segments when they are long', () => {
      takeAll(
        { code: 9, timestamp: 800, units: 0xffff },
        { code: 9, timestamp: 800 + 0xffff, units: 800, isEnd: true },
      );
      assert.deepEqual(heard, [{ digit: '9', durationMs: Math.round((0xffff + 800) / 8) }]);
    });

    it('begin anew with another SSRC', () => {
      takeAll(
        { code: 3, timestamp: 80_000, units: 640, isEnd: true },
        { code: 3, timestamp: 79_000, units: 640, isEnd: true, ssrc: 8 },
      );
      assert.equal(heard.length, 2);
    });

    it('never throw, whatever the packet holds', () => {
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 12, maxLength: 40 }), (bytes) =>
          reader.take(Buffer.from(bytes), 1_000),
        ),
      );
    });
  });

  describe('written', () => {
    /** Sends audio until the writer is done, and some more; returns what the receiver gets. */
    const play = (writer: ToneWriter, clockRate = 8_000, first = 65_530): Buffer[] => {
      const sent: Buffer[] = [];
      for (let place = 0, rest = 5; rest > 0; place += 1) {
        if (!writer.isBusy) rest -= 1;
        const audio = rtpPacket(0, (first + place) & 0xffff, 'audio', 7);
        audio.writeUInt32BE((0xffff_f000 + (place * clockRate * frameMs) / 1_000) >>> 0, 4);
        sent.push((writer.isBusy ? writer.replace(audio, clockRate) : undefined) ?? audio);
      }
      return sent;
    };

    it('take the place of audio: same sequence numbers, one timestamp, marker first, end three times', () => {
      const writer = new ToneWriter();
      writer.aim([events]);
      assert.ok(writer.add({ digit: '#', durationMs: 100 }));
      const sent = play(writer);
      assert.deepEqual(
        sent.map((packet) => packet.readUInt16BE(2)),
        sent.map((_, place) => (65_530 + place) & 0xffff),
      );
      const tones = sent.filter((packet) => (packet.readUInt8(1) & 0x7f) === 101);
      assert.deepEqual(
        tones.map((packet) => packet.readUInt8(1) >> 7),
        tones.map((_, place) => (place === 0 ? 1 : 0)),
      );
      assert.equal(new Set(tones.map((packet) => packet.readUInt32BE(4))).size, 1);
      assert.deepEqual(
        tones.map((packet) => [packet.readUInt8(12), packet.readUInt8(13) >> 7, packet.readUInt16BE(14)]),
        [160, 320, 480, 640, 800, 800, 800].map((units, place) => [11, place >= 4 ? 1 : 0, units]),
      );
    });

    it('are read again as they were, at any clock rate, one after the other', () => {
      const tone = fc.record({
        digit: fc.constantFrom(...'0123456789*#ABCD'),
        durationMs: fc.integer({ min: 20, max: 1_300 }),
      });
      fc.assert(
        fc.property(
          fc.array(tone, { minLength: 1, maxLength: 5 }),
          fc.constantFrom(8_000, 48_000),
          fc.constantFrom(8_000, 48_000),
          (tones, audioRate, eventRate) => {
            const got: DtmfTone[] = [];
            const other = new ToneReader((one) => got.push(one));
            other.expect([{ ...events, clockRate: eventRate }]);
            const writer = new ToneWriter();
            writer.aim([{ ...events, clockRate: eventRate }]);
            for (const one of tones) assert.ok(writer.add(one));
            for (const packet of play(writer, audioRate)) {
              if ((packet.readUInt8(1) & 0x7f) === 101) other.take(packet, 1_000);
            }
            const sent = tones.map(({ digit, durationMs }) => ({ digit, durationMs }));
            assert.deepEqual(got, sent);
          },
        ),
      );
    });

    it('are refused when the receiver takes no events, and when it is no digit', () => {
      const writer = new ToneWriter();
      assert.equal(writer.add({ digit: '1', durationMs: 100 }), false);
      writer.aim([events]);
      assert.equal(writer.add({ digit: 'x', durationMs: 100 }), false);
      assert.equal(writer.isBusy, false);
    });

    it('are forgotten when the receiver takes no events any more', () => {
      const writer = new ToneWriter();
      writer.aim([events]);
      writer.add({ digit: '1', durationMs: 100 });
      writer.aim([]);
      assert.equal(writer.isBusy, false);
    });
  });
});
