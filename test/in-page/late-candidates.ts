/**
 * Runs in a page before its own scripts: from now on a connection's candidates are not found before `delayMs` after its
 * description, as with a slow TURN server and nothing else.
 */
export function lateCandidates(delayMs: number): void {
  const Peer = RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Peer {
    #foundAtMs = Number.POSITIVE_INFINITY;

    override async setLocalDescription(description?: RTCLocalSessionDescriptionInit): Promise<void> {
      await super.setLocalDescription(description);
      if (!Number.isFinite(this.#foundAtMs)) this.#foundAtMs = performance.now() + delayMs;
    }

    override get localDescription(): RTCSessionDescription | null {
      const described = super.localDescription;
      if (described === null || this.#areFound) return described;
      const sdp = described.sdp.replace(/^a=(candidate:|end-of-candidates).*\r\n/gm, '');
      return new RTCSessionDescription({ type: described.type, sdp });
    }

    override get iceGatheringState(): RTCIceGatheringState {
      return this.#areFound ? super.iceGatheringState : 'gathering';
    }

    override addEventListener(
      type: string,
      listener: EventListenerOrEventListenerObject,
      options?: boolean | AddEventListenerOptions,
    ): void {
      const late = (event: Event): void => {
        const tell = (): void => {
          if (typeof listener === 'function') listener.call(this, event);
        };
        setTimeout(tell, Math.max(0, this.#foundAtMs - performance.now()));
      };
      super.addEventListener(type, type === 'icecandidate' ? late : listener, options);
    }

    get #areFound(): boolean {
      return performance.now() >= this.#foundAtMs;
    }
  };
}
