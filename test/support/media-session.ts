import { randomInt } from 'node:crypto';
import type { Clock } from '../../sip/clock.js';
import { systemClock } from '../../sip/clock.js';
import type { SipFailure } from '../../sip/failure.js';
import { silentLog } from '../../sip/log.js';
import {
  createRelayEngine,
  type RelayEngine,
  type RelayEngineOptions,
} from '../../sip/media/relay/relay-engine.js';
import type { MediaListener } from '../../sip/media/media-engine.js';
import { mediaTrace, type MediaTrace } from '../../sip/trace.js';

/** Forty ports below the ephemeral range, elsewhere in each call so that test runs side by side do not meet. */
export function somePorts(): { min: number; max: number } {
  const min = randomInt(10_000, 16_000) * 2;
  return { min, max: min + 39 };
}

/** A relay on loopback. */
export function relayOnLoopback(
  options: Partial<RelayEngineOptions> = {},
  clock: Clock = systemClock,
): RelayEngine {
  return createRelayEngine({
    address: '127.0.0.1',
    ports: somePorts(),
    quarantineMs: 0,
    log: silentLog,
    clock,
    ...options,
  });
}

/** Remembers what a media session told its call. */
export class TimeoutRecord implements MediaListener {
  readonly timeouts: { readonly endId: string; readonly failure: SipFailure }[] = [];

  timeout(endId: string, failure: SipFailure): void {
    this.timeouts.push({ endId, failure });
  }
}

/** The port of the first audio line. */
export function audioPort(sdp: string): number {
  return Number(/^m=audio (\d+) /m.exec(sdp)?.[1]);
}

/** The first attribute line of that name, without `a=name:`. */
export function attribute(sdp: string, name: string): string | undefined {
  return new RegExp(`^a=${name}:(.*?)\\r?$`, 'm').exec(sdp)?.[1];
}

/** The `o=` version. */
export function originVersion(sdp: string): number {
  return Number(/^o=\S+ \S+ (\d+) /m.exec(sdp)?.[1]);
}

/** Resolves when the relay's transport of `endId` reaches `state` from now on. */
export function endReached(endId: string, state: string): Promise<void> {
  return new Promise((resolve) => {
    const listen = (message: unknown): void => {
      const trace = message as MediaTrace;
      if (trace.endId !== endId || trace.state !== state) return;
      mediaTrace.unsubscribe(listen);
      resolve();
    };
    mediaTrace.subscribe(listen);
  });
}

/** Looks again after each turn of the event loop until `condition` holds; the test's own timeout is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** The description with a fingerprint that belongs to no certificate. */
export function withOtherFingerprint(sdp: string): string {
  const fingerprint = attribute(sdp, 'fingerprint') ?? '';
  const first = fingerprint.startsWith('sha-256 00') ? '01' : '00';
  return sdp.replace(fingerprint, `sha-256 ${first}${fingerprint.slice('sha-256 00'.length)}`);
}
