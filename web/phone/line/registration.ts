import { Registerer, RegistererState, type UserAgent } from 'sip.js';
import type { Core } from 'sip.js';
import { ticketHeader } from '../../../gateway/contract/page-config.js';

type IncomingResponse = Core.IncomingResponse;

export interface RegistrationEvents {
  /** `ticket`: for what else the server gives to those who have signed in. */
  registered(ticket: string | undefined): void;
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
    /** Header fields that every REGISTER has. */
    private readonly headers: () => string[],
  ) {}

  /** Asks the registrar to bind us; one of the events follows. */
  register(): void {
    const registerer = this.ready();
    this.asked = true;
    registerer
      .register({
        requestOptions: { extraHeaders: this.headers() },
        requestDelegate: {
          onAccept: ({ message }) =>
            this.settled(registerer, () => this.events.registered(message.getHeader(ticketHeader))),
          onReject: (response) => this.settled(registerer, () => this.reject(response)),
        },
      })
      .catch(() => this.settled(registerer, () => this.refuse(503, 'Service Unavailable', 0)));
  }

  /** Removes the binding; resolves when the registrar has answered or after `patienceMs`. */
  async unregister(patienceMs: number): Promise<void> {
    const registerer = this.registerer;
    this.registerer = undefined;
    if (registerer?.state !== RegistererState.Registered) return;
    const late = new Promise((resolve) => setTimeout(resolve, patienceMs));
    await Promise.race([this.removeBinding(registerer), late]);
    void registerer.dispose();
  }

  private removeBinding(registerer: Registerer): Promise<void> {
    return new Promise((resolve) => {
      registerer
        .unregister({
          requestOptions: { extraHeaders: this.headers() },
          requestDelegate: { onAccept: () => resolve(), onReject: () => resolve() },
        })
        .catch(() => resolve());
    });
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
      if (state === RegistererState.Unregistered) this.unregistered(registerer, this.asked);
    });
    return registerer;
  }

  /**
   * Nobody else is told when the library's own refresh failed, the binding expired, or a 200 did not name our contact.
   * A refusal of what we asked for is told right after this.
   */
  private unregistered(registerer: Registerer, wasAsked: boolean): void {
    setTimeout(() => {
      if (this.registerer !== registerer || (wasAsked && !this.asked)) return;
      if (wasAsked) this.settled(registerer, () => this.refuse(500, 'No binding in the answer', 0));
      else this.register();
    }, 0);
  }

  private settled(registerer: Registerer, tell: () => void): void {
    if (this.registerer !== registerer) return;
    this.asked = false;
    tell();
  }

  private reject(response: IncomingResponse): void {
    const { statusCode, reasonPhrase } = response.message;
    const retryAfter = Number.parseInt(response.message.getHeader('retry-after') ?? '', 10);
    this.refuse(statusCode ?? 500, reasonPhrase ?? '', Number.isNaN(retryAfter) ? 0 : retryAfter * 1000);
  }

  /** The next attempt gets a registerer of its own: the state of this one might not change again. */
  private refuse(status: number, reason: string, retryAfterMs: number): void {
    void this.registerer?.dispose();
    this.registerer = undefined;
    this.events.refused(status, reason, retryAfterMs);
  }
}
