import { estimateMos } from '../mos.js';
import type { MediaQuality } from '../media-engine.js';
import { PassingReports } from './passing-reports.js';
import { Reception } from './reception.js';

/** RTCP packet types (RFC 3550 §12.1). */
const senderReport = 200;
const receiverReport = 201;
/** Bytes before the reception report blocks, and of each block. */
const senderReportBytes = 28;
const receiverReportBytes = 8;
const blockBytes = 24;

/** How the packets that one end sends arrive: here, and with the listener as far as its RTCP tells. */
export class StreamQuality {
  readonly reception = new Reception();
  readonly reports = new PassingReports();

  /**
   * The figures of the way to the listener, whose own stream is `back`: what the listener reports, but never better than
   * what has arrived here. Undefined while nothing has come.
   */
  figures(back: StreamQuality | undefined): MediaQuality | undefined {
    const { reception, reports } = this;
    const { expected } = reception;
    if (expected === 0) return undefined;
    const packetLoss = Math.max((100 * reception.lost) / expected, reports.lossPercent);
    const jitterMs = Math.max(reception.jitterMs, reports.jitterMs);
    const roundTripMs = sumOfKnown(reports.roundTripMs, back?.reports.roundTripMs);
    return {
      packetsLost: Math.max(reception.lost, reports.lost),
      packetLoss: rounded(packetLoss, 100),
      jitterMs: rounded(jitterMs, 10),
      ...(roundTripMs === undefined ? {} : { roundTripMs: rounded(roundTripMs, 10) }),
      mos: rounded(estimateMos({ packetLoss, jitterMs, roundTripMs: roundTripMs ?? 0 }), 100),
    };
  }

  /**
   * Reads RTCP that the end sends, whose listening concerns `heard`. What is cut short or of another type is passed over
   * (RFC 3550 A.2). Hot path: no allocation.
   */
  readRtcp(packet: Buffer, heard: StreamQuality, nowMs: number): void {
    for (let at = 0; at + receiverReportBytes <= packet.length;) {
      const end = at + 4 * (packet.readUInt16BE(at + 2) + 1);
      const type = packet.readUInt8(at + 1);
      if (end > packet.length) return;
      if (type === senderReport && end - at >= senderReportBytes) {
        this.reports.noteSent(packet.readUInt32BE(at + 10), nowMs);
        readBlocks(packet, at, at + senderReportBytes, end, heard, nowMs);
      } else if (type === receiverReport) {
        readBlocks(packet, at, at + receiverReportBytes, end, heard, nowMs);
      }
      at = end;
    }
  }
}

function readBlocks(
  packet: Buffer,
  start: number,
  firstBlock: number,
  end: number,
  heard: StreamQuality,
  nowMs: number,
): void {
  const blocks = packet.readUInt8(start) & 0x1f;
  for (let index = 0, at = firstBlock; index < blocks && at + blockBytes <= end; index++, at += blockBytes)
    heard.reports.take(packet, at, heard.reception, nowMs);
}

function sumOfKnown(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined && other === undefined ? undefined : (one ?? 0) + (other ?? 0);
}

function rounded(value: number, parts: number): number {
  return Math.round(value * parts) / parts;
}
