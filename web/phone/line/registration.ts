import { Registerer, RegistererState, type UserAgent } from 'sip.js';
import type { Core } from 'sip.js';

type IncomingResponse = Core.IncomingResponse;

export interface RegistrationEvents {
  registered(): void;
  /** The registrar said no, or nothing (408) or nothing could be sent (503); `retryAfterMs` as it asked, else 0. */
  refused(status: number, reason: string, retryAfterMs: number): void;
}

const expiresSeconds = 600;
const refreshPercent = 80;

/**
 * Keeps one binding of this browser at the registrar (RFC 3261 §10, RFC 5626 §4.2). The library refuses a second
 * REGISTER while one is unanswered, and one whose connection died stays so for 32 s: a new connection therefore gets a
 * new registerer when the old one is still waiting.
 */
export class Registration {
  private registerer: Registerer | undefined;
  private asked = false;

  constructor(
    private readonly agent: UserAgent,
    private readonly events: RegistrationEvents,
  ) {}

  /** Asks the registrar to bind us; one of the events follows. */
  register(): void {
    const registerer = this.ready();
    this.asked = true;
    registerer
      .register({
        requestDelegate: {
          onAccept: () => this.settled(registerer, () => this.events.registered()),
          onReject: (response) => this.settled(registerer, () => this.reject(response)),
        },
      })
      .catch(() => this.settled(registerer, () => this.events.refused(503, 'Service Unavailable', 0)));
  }

  /** Removes the binding; resolves when the registrar has answered or after `patienceMs`. */
  async unregister(patienceMs: number): Promise<void> {
    const registerer = this.registerer;
    this.registerer = undefined;
    if (registerer?.state !== RegistererState.Registered) return;
    await Promise.race([registerer.dispose(), new Promise((resolve) => setTimeout(resolve, patienceMs))]);
  }

  private ready(): Registerer {
    if (this.registerer?.state === RegistererState.Terminated) this.registerer = undefined;
    if (this.asked && this.registerer !== undefined) {
      void this.registerer.dispose();
      this.registerer = undefined;
    }
    this.registerer ??= this.create();
    return this.registerer;
  }

  private create(): Registerer {
    const registerer = new Registerer(this.agent, {
      expires: expiresSeconds,
      refreshFrequency: refreshPercent,
      regId: 1,
      instanceId: this.agent.instanceId,
      logConfiguration: false,
    });
    registerer.stateChange.addListener((state) => {
      // The library's own refresh failed or the binding expired: nobody else is told.
      if (state !== RegistererState.Unregistered || this.asked || this.registerer !== registerer) return;
      setTimeout(() => this.register(), 0);
    });
    return registerer;
  }

  private settled(registerer: Registerer, tell: () => void): void {
    if (this.registerer !== registerer) return;
    this.asked = false;
    tell();
  }

  private reject(response: IncomingResponse): void {
    const { statusCode, reasonPhrase } = response.message;
    const retryAfter = Number.parseInt(response.message.getHeader('retry-after') ?? '', 10);
    this.events.refused(
      statusCode ?? 500,
      reasonPhrase ?? '',
      Number.isNaN(retryAfter) ? 0 : retryAfter * 1000,
    );
  }
}
