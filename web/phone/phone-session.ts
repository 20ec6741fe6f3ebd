import type { Invitation } from 'sip.js';
import type { PageConfig } from '../../gateway/contract/page-config.js';
import type { Microphones } from './audio/microphones.js';
import { PhoneCalls } from './call/phone-calls.js';
import { instanceId } from './line/browser-memory.js';
import { PhoneLine } from './line/phone-line.js';
import type { PhoneStore } from './state/phone-state.js';

interface SessionOptions {
  readonly page: PageConfig;
  readonly user: string;
  readonly password: string;
  readonly store: PhoneStore;
  readonly microphones: Microphones;
}

/** One signed-in user: the line to the server and the calls on it. */
export class PhoneSession {
  readonly line: PhoneLine;
  readonly calls: PhoneCalls;

  constructor({ page, user, password, store, microphones }: SessionOptions) {
    this.calls = new PhoneCalls(store, microphones, page.domain);
    this.line = new PhoneLine({
      page,
      user,
      password,
      store,
      instanceId: instanceId(),
      openMicrophone: () => microphones.open(),
      invited: (invitation: Invitation) => this.calls.invited(invitation),
    });
    this.line.open();
  }

  dial(typed: string): boolean {
    return this.calls.dial(this.line.agent, typed);
  }

  /** Ends the calls and the registration. */
  async close(): Promise<void> {
    this.calls.hangUpAll();
    await this.line.close();
  }
}
