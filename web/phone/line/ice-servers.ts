import { iceServersPath, iceServersSchema, type PageConfig } from '../../../gateway/contract/page-config.js';

type IceServerList = PageConfig['iceServers'];

/** Passwords are renewed when this part of their time is over, and at the latest after so many seconds. */
const renewAfter = 0.75;
const latestRenewalSeconds = 2_700;
const retrySeconds = 30;

/** The ICE servers for new calls: those of the page, and those that whoever has signed in may use for a while. */
export class IceServers {
  private more: IceServerList = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly page: PageConfig,
    /** Asks the registrar for a fresh ticket, which then comes to {@link fetch}. */
    private readonly renew: () => void,
  ) {}

  /** What a connection that is made now should use. */
  get current(): RTCIceServer[] {
    return [...this.page.iceServers, ...this.more].map(({ urls, username, credential }) => ({
      urls,
      ...(username === undefined ? {} : { username }),
      ...(credential === undefined ? {} : { credential }),
    }));
  }

  /** Gets the servers of the bearer of the ticket. What was there before stays when that fails. */
  async fetch(ticket: string | undefined): Promise<void> {
    if (this.page.moreIceServers !== true || ticket === undefined) return;
    try {
      const headers = { authorization: `Bearer ${ticket}` };
      const response = await fetch(iceServersPath, { headers, cache: 'no-store' });
      if (!response.ok) throw new Error(`${iceServersPath} answered ${response.status}`);
      const { iceServers, ttlSeconds } = iceServersSchema.parse(await response.json());
      this.more = iceServers;
      this.renewIn(Math.min(ttlSeconds * renewAfter, latestRenewalSeconds));
    } catch {
      // Calls are set up with the servers that there are; whether that works, they say themselves.
      this.renewIn(retrySeconds);
    }
  }

  private renewIn(seconds: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.renew, seconds * 1_000);
  }

  /** Renews nothing any more. Idempotent. */
  close(): void {
    clearTimeout(this.timer);
  }
}
