import type { MediaEngineName } from '../../sip/media/media-engine.js';
import type { CallEvents, SideQuality } from '../telemetry/call-events.js';
import type { Cdr, CdrParty } from './call-record.js';

/** Tells how the media of an ended call arrived, when anything was measured. */
export function tellQuality(
  cdr: Cdr,
  engine: MediaEngineName,
  events: Pick<CallEvents, 'callQuality'>,
): void {
  const parties = cdr.callee === null ? [cdr.caller] : [cdr.caller, cdr.callee];
  const sides = parties.flatMap((party) => sideQuality(party, cdr));
  if (sides.length > 0) events.callQuality({ callId: cdr.callId, engine, sides });
}

function sideQuality({ side, legId }: CdrParty, { media }: Cdr): readonly SideQuality[] {
  const end = media.find(({ endId }) => endId === legId);
  if (end?.quality === undefined) return [];
  return [{ side, codec: end.codec, packets: end.packetsReceived, ...end.quality }];
}
