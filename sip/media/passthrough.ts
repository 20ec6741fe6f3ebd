import { failure } from '../failure.js';
import { newId } from '../message/ids.js';
import type { MediaEngine, MediaEndStats, MediaSession } from './media-engine.js';

/**
 * The engine for calls whose ends exchange media directly: SDP passes untouched, nothing is allocated, nothing is
 * measured. For browser to browser, and for PBXs that speak WebRTC themselves.
 */
export function createPassthroughEngine(): MediaEngine {
  return new PassthroughEngine();
}

class PassthroughEngine implements MediaEngine {
  /** Removed when the session is closed. */
  readonly #sessions = new Set<MediaSession>();
  #isClosed = false;

  get size(): number {
    return this.#sessions.size;
  }

  createSession(callId: string): MediaSession {
    if (this.#isClosed)
      throw failure('media.failed', { detail: `the media engine is closed, call ${callId}` });
    const session = new PassthroughSession(newId('m_'), (ended) => this.#sessions.delete(ended));
    this.#sessions.add(session);
    return session;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const session of this.#sessions) session.close();
  }
}

class PassthroughSession implements MediaSession {
  constructor(
    readonly id: string,
    private readonly onClose: (session: PassthroughSession) => void,
  ) {}

  addEnd(): void {
    // Ends hold nothing here.
  }

  removeEnd(): void {
    // Ends hold nothing here.
  }

  async offer(_fromEndId: string, _toEndId: string, sdp: string): Promise<string> {
    return sdp;
  }

  async answer(_fromEndId: string, _toEndId: string, sdp: string): Promise<string> {
    return sdp;
  }

  refuse(): void {
    // Nothing was changed by the offer.
  }

  stats(): readonly MediaEndStats[] {
    return [];
  }

  close(): void {
    this.onClose(this);
  }
}
