import { failure } from '../failure.js';
import { newId } from '../message/ids.js';
import { withoutPrivateCandidates } from '../sdp/private-candidates.js';
import type { MediaEngine, MediaEndStats, MediaSession } from './media-engine.js';

export interface PassthroughOptions {
  /** Private addresses do not pass. */
  readonly filterPrivateCandidates?: boolean;
}

/**
 * The engine for calls whose ends exchange media directly: SDP passes untouched but for the candidate filter, nothing is
 * allocated, nothing is measured. For browser to browser, and for PBXs that speak WebRTC themselves.
 */
export function createPassthroughEngine(options: PassthroughOptions = {}): MediaEngine {
  return new PassthroughEngine(
    options.filterPrivateCandidates === true ? withoutPrivateCandidates : (sdp) => sdp,
  );
}

type Pass = (sdp: string) => string;

class PassthroughEngine implements MediaEngine {
  readonly name = 'passthrough';
  /** Removed when the session is closed. */
  readonly #sessions = new Set<MediaSession>();
  #isClosed = false;

  constructor(private readonly pass: Pass) {}

  get size(): number {
    return this.#sessions.size;
  }

  /** Media goes on without us, and there is nothing to know of it. */
  restoreSession(): MediaSession {
    return this.createSession('');
  }

  createSession(callId: string): MediaSession {
    if (this.#isClosed)
      throw failure('media.failed', { detail: `the media engine is closed, call ${callId}` });
    const session = new PassthroughSession(newId('m_'), this.pass, (ended) => this.#sessions.delete(ended));
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
    private readonly pass: Pass,
    private readonly onClose: (session: PassthroughSession) => void,
  ) {}

  addEnd(): void {
    // Ends hold nothing here.
  }

  removeEnd(): void {
    // Ends hold nothing here.
  }

  async offer(_fromEndId: string, _toEndId: string, sdp: string): Promise<string> {
    return this.pass(sdp);
  }

  async answer(_fromEndId: string, _toEndId: string, sdp: string): Promise<string> {
    return this.pass(sdp);
  }

  refuse(): void {
    // Nothing was changed by the offer.
  }

  passFragment(fragment: string): string {
    return this.pass(fragment);
  }

  snapshot(): object {
    return {};
  }

  stats(): readonly MediaEndStats[] {
    return [];
  }

  close(): void {
    this.onClose(this);
  }
}
