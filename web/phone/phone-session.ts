import type { Invitation } from 'sip.js';
import type { PageConfig } from '../../gateway/contract/page-config.js';
import type { Microphones } from './audio/microphones.js';
import { PhoneCalls } from './call/phone-calls.js';
import { leftPageText, readLeftPage, type LeftPage } from './call/left-call.js';
import { instanceId } from './line/browser-memory.js';
import { OtherWindows } from './line/other-windows.js';
import { PhoneLine } from './line/phone-line.js';
import type { Notice } from './state/call-state.js';
import type { PhoneStore } from './state/phone-state.js';

interface SessionOptions {
  readonly page: PageConfig;
  readonly user: string;
  readonly password: string;
  readonly store: PhoneStore;
  readonly microphones: Microphones;
  /** What the page before this one has left. */
  readonly left?: LeftPage | undefined;
  /** The calls have gone to another window: the session must not be used any more. */
  readonly moved: () => void;
}

const cannotMove: Notice = {
  tone: 'problem',
  title: 'The call is still ringing in the other window',
  detail: 'It can be moved here once it has been answered.',
};

/** One signed-in user: the line to the server and the calls on it. */
export class PhoneSession {
  readonly line: PhoneLine;
  readonly calls: PhoneCalls;
  private readonly windows: OtherWindows;
  private readonly watch = new AbortController();

  constructor(private readonly options: SessionOptions) {
    const { page, user, password, store, microphones, left, moved } = options;
    this.calls = new PhoneCalls(store, microphones, page.domain);
    this.windows = new OtherWindows(`${user}@${page.domain}`, {
      callsOver: () => this.line.callsOver(),
      lineFree: () => this.line.lineFree(),
      handOver: () => this.handOver(),
      handedOver: () => moved(),
    });
    const { signal } = this.watch;
    const unsubscribe = store.subscribe(({ calls }) => this.windows.setInCall(calls.list.length > 0));
    signal.addEventListener('abort', unsubscribe);
    this.line = new PhoneLine({
      page,
      user,
      password,
      store,
      windows: this.windows,
      instanceId: instanceId(),
      contact: left?.contact,
      openMicrophone: () => microphones.open(),
      invited: (invitation: Invitation) => this.calls.invited(invitation),
    });
    if (left !== undefined) this.calls.comeBack(this.line.agent, left.calls);
    window.addEventListener('online', () => this.calls.networkChanged(), { signal });
    void this.line.open();
  }

  dial(typed: string): boolean {
    return this.calls.dial(this.line.agent, typed);
  }

  /**
   * Takes the phone from another window to this one. Gives the calls that came with it, for a session that begins with
   * them; undefined when there are none, or none that can move.
   */
  async useHere(): Promise<LeftPage | undefined> {
    const text = this.calls.size === 0 ? await this.windows.askForCalls() : undefined;
    if (text === undefined) this.line.retry();
    else if (text === '') this.options.store.dispatch({ type: 'notice/shown', notice: cannotMove });
    return readLeftPage(text ?? '');
  }

  /** The page goes, or may. Gives the calls that the next one can go on with; all others end. */
  leave(): LeftPage {
    const { user } = this.options;
    return { user, contact: this.line.contact, calls: [...this.calls.leave()] };
  }

  /** Ends the calls and the registration. */
  async close(): Promise<void> {
    this.watch.abort();
    this.calls.hangUpAll();
    this.windows.close();
    await this.line.close();
  }

  private handOver(): string {
    const { list } = this.options.store.state.calls;
    return list.every(({ answeredAtMs }) => answeredAtMs !== undefined) ? leftPageText(this.leave()) : '';
  }
}
