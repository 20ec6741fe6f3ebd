import type { Invitation } from 'sip.js';
import type { PageConfig } from '../../gateway/contract/page-config.js';
import type { Microphones } from './audio/microphones.js';
import { PhoneCalls } from './call/phone-calls.js';
import type { LeftPage } from './call/left-call.js';
import { instanceId } from './line/browser-memory.js';
import { PhoneLine } from './line/phone-line.js';
import type { PhoneStore } from './state/phone-state.js';

interface SessionOptions {
  readonly page: PageConfig;
  readonly user: string;
  readonly password: string;
  readonly store: PhoneStore;
  readonly microphones: Microphones;
  /** What the page before this one has left. */
  readonly left?: LeftPage | undefined;
}

/** One signed-in user: the line to the server and the calls on it. */
export class PhoneSession {
  readonly line: PhoneLine;
  readonly calls: PhoneCalls;
  private readonly watch = new AbortController();

  constructor(private readonly options: SessionOptions) {
    const { page, user, password, store, microphones, left } = options;
    this.calls = new PhoneCalls(store, microphones, page.domain);
    this.line = new PhoneLine({
      page,
      user,
      password,
      store,
      instanceId: instanceId(),
      contact: left?.contact,
      openMicrophone: () => microphones.open(),
      invited: (invitation: Invitation) => this.calls.invited(invitation),
    });
    if (left !== undefined) this.calls.comeBack(this.line.agent, left.calls);
    window.addEventListener('online', () => this.calls.networkChanged(), { signal: this.watch.signal });
    this.line.open();
  }

  dial(typed: string): boolean {
    return this.calls.dial(this.line.agent, typed);
  }

  /** The page goes. Gives the calls that the next one can go on with; all others end. */
  leave(): LeftPage {
    const { user } = this.options;
    return { user, contact: this.line.contact, calls: [...this.calls.leave()] };
  }

  /** Ends the calls and the registration. */
  async close(): Promise<void> {
    this.watch.abort();
    this.calls.hangUpAll();
    await this.line.close();
  }
}
