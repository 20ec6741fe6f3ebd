import { UserAgentState, type Invitation, type UserAgent } from 'sip.js';
import type { PageConfig } from '../../../gateway/contract/page-config.js';
import type { LeftPage } from '../call/left-call.js';
import type { PhoneStore } from '../state/phone-state.js';
import type { WaitCause } from '../state/line-state.js';
import { signInRefusal, tokenRefusal, tooManyDevices } from '../words/failure-words.js';
import { maxInCallMs, reconnectDelayMs } from './backoff.js';
import { IceServers } from './ice-servers.js';
import type { OtherWindows } from './other-windows.js';
import { Registration } from './registration.js';
import { SocketClosed, type SocketTransport } from './socket-transport.js';
import { createUserAgent } from './user-agent.js';

export interface PhoneLineOptions {
  readonly page: PageConfig;
  readonly user: string;
  /** The password, or with `page.token` the token. */
  readonly password: string;
  readonly instanceId: string;
  /** The contact of the page that was here before. */
  readonly contact: LeftPage['contact'] | undefined;
  readonly store: PhoneStore;
  readonly windows: OtherWindows;
  readonly openMicrophone: () => Promise<MediaStream>;
  readonly invited: (invitation: Invitation) => void;
}

/** Close codes of the server that a new attempt would not heal. */
const replacedByNewerFlow = 4408;
/** Two windows that both have calls take the line from each other no more often than this. */
const takeBackMs = 10_000;
const unregisterPatienceMs = 1_500;
const lastWordsPatienceMs = 5_000;
const refusalPatienceMs = 10_000;

/**
 * The phone's line to the server for one signed-in user: connects, registers, and comes back after every loss, until
 * {@link close}. Calls live on through all that: they belong to the user agent, not to the connection.
 */
export class PhoneLine {
  readonly agent: UserAgent;
  private readonly transport: SocketTransport;
  private readonly registration: Registration;
  private readonly store: PhoneStore;
  private readonly windows: OtherWindows;
  private readonly iceServers: IceServers;
  private readonly hasToken: boolean;
  private token: string;
  private readonly watch = new AbortController();
  private failures = 0;
  private takenBackAtMs = 0;
  private lastWordsSaid: (() => void) | undefined;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: PhoneLineOptions) {
    this.store = options.store;
    this.windows = options.windows;
    this.hasToken = options.page.token !== undefined;
    this.token = options.password;
    this.iceServers = new IceServers(options.page, () => this.renew());
    const { agent, transport } = createUserAgent({
      ...options,
      ...(this.hasToken ? { password: '' } : {}),
      iceServers: () => this.iceServers.current,
      connected: () => this.connected(),
      disconnected: (error) => this.lost(error),
    });
    this.agent = agent;
    this.transport = transport;
    transport.onOwed = () => this.store.state.line.phase === 'replaced' && this.retry();
    this.registration = new Registration(
      agent,
      {
        registered: (ticket) => this.registered(ticket),
        refused: (status, reason, retryAfterMs) => this.refused(status, reason, retryAfterMs),
      },
      () => (this.hasToken ? [`Authorization: Bearer ${this.token}`] : []),
    );
    const { signal } = this.watch;
    window.addEventListener('online', () => this.wake(), { signal });
    window.addEventListener('offline', () => this.transport.check(), { signal });
    document.addEventListener(
      'visibilitychange',
      () => document.visibilityState === 'visible' && this.wake(),
      { signal },
    );
  }

  /** Where the server reaches this phone. */
  get contact(): LeftPage['contact'] {
    const { user, host } = this.agent.contact.uri;
    return { name: user ?? '', host };
  }

  /** Makes the first attempt, unless another window of the browser is in a call, which would be cut off by that. */
  async open(): Promise<void> {
    const leaveItThere = !this.isInCall && (await this.windows.areInCall());
    if (this.watch.signal.aborted) return;
    if (leaveItThere) this.stepBack(true);
    else this.connect();
  }

  /** Tries again now: on request, or after the connection went to another window. */
  retry(): void {
    if (this.watch.signal.aborted) return;
    clearTimeout(this.retryTimer);
    this.retryTimer = undefined;
    this.store.dispatch({ type: 'line/connecting' });
    if (this.agent.isConnected()) this.connected();
    else this.connect();
  }

  /** The window that had the line is gone. */
  lineFree(): void {
    if (this.store.state.line.phase === 'replaced') this.retry();
  }

  /** The call in another window is over. */
  callsOver(): void {
    if (this.store.state.line.phase === 'replaced') this.store.dispatch({ type: 'line/replaced' });
  }

  /** Goes on with a fresh token: the server is told at once, calls do not notice. */
  useToken(token: string): void {
    this.token = token;
    this.renew();
  }

  /** Signs out: says what the calls still had to say, removes the binding when there is a connection, then ends everything. */
  async close(): Promise<void> {
    if (this.watch.signal.aborted) return;
    this.watch.abort();
    this.iceServers.close();
    clearTimeout(this.retryTimer);
    if (this.transport.owesMessages && !this.agent.isConnected()) await this.sayLastWords();
    if (this.agent.isConnected()) await this.registration.unregister(unregisterPatienceMs);
    this.agent.configuration.gracefulShutdown = false;
    await this.agent.stop();
  }

  /** Resolves when a call that has just ended here has been told of on a new connection, or there is none in time. */
  private async sayLastWords(): Promise<void> {
    const late = new Promise<void>((resolve) => setTimeout(resolve, lastWordsPatienceMs));
    const said = new Promise<void>((resolve) => {
      this.lastWordsSaid = resolve;
    });
    const told = this.agent.reconnect().then(
      () => said,
      () => undefined,
    );
    await Promise.race([late, told]);
  }

  private get isInCall(): boolean {
    return this.store.state.calls.list.length > 0;
  }

  private connect(): void {
    this.windows.takeLine();
    const { agent } = this;
    const attempt = agent.state === UserAgentState.Started ? agent.reconnect() : agent.start();
    attempt.catch((error: unknown) => this.unreachable(error));
  }

  private connected(): void {
    this.store.dispatch({ type: 'line/connected' });
    this.registration.register();
  }

  private renew(): void {
    if (!this.watch.signal.aborted && this.agent.isConnected()) this.registration.register();
  }

  private registered(ticket: string | undefined): void {
    void this.iceServers.fetch(ticket);
    this.failures = 0;
    this.transport.openForCalls();
    this.lastWordsSaid?.();
    this.store.dispatch({ type: 'line/registered' });
  }

  private refused(status: number, reason: string, retryAfterMs: number): void {
    if (this.watch.signal.aborted || !this.agent.isConnected()) return;
    const refusal = this.hasToken ? tokenRefusal(status, reason) : signInRefusal(status, reason);
    // Calls go on without a sign-in, as they do at the server: until they are over, or somebody brings a fresh token.
    if (refusal !== undefined && !this.isInCall) {
      this.store.dispatch({ type: 'line/refused', refusal });
      return;
    }
    const cause = tooManyDevices(reason) ? 'devices' : refusal === undefined ? 'refused' : 'denied';
    const atLeastMs = cause === 'refused' ? 0 : refusalPatienceMs;
    this.wait(cause, `${status} ${reason}`.trim(), Math.max(atLeastMs, retryAfterMs));
  }

  private lost(error: Error | undefined): void {
    if (this.watch.signal.aborted) return;
    if (error instanceof SocketClosed && error.code === replacedByNewerFlow) {
      this.replaced();
      return;
    }
    this.wait(navigator.onLine ? 'lost' : 'offline', undefined, 0);
  }

  /**
   * Another window has taken the line. A call here could not hear of its end, nor tell of it, there: the line comes back for
   * it. A window without a call steps back, so that this ends.
   */
  private replaced(): void {
    const isNeeded = this.isInCall || this.transport.owesMessages;
    if (!isNeeded || Date.now() - this.takenBackAtMs < takeBackMs) {
      this.stepBack(false);
      void this.tellOfCalls();
      return;
    }
    this.takenBackAtMs = Date.now();
    this.store.dispatch({ type: 'line/replaced' });
    this.retry();
  }

  private stepBack(inCall: boolean): void {
    clearTimeout(this.retryTimer);
    this.store.dispatch({ type: 'line/replaced', inCall });
    this.windows.waitForLine();
    if (inCall) this.windows.waitForCalls();
  }

  private async tellOfCalls(): Promise<void> {
    const inCall = !this.isInCall && (await this.windows.areInCall());
    if (inCall && this.store.state.line.phase === 'replaced') this.stepBack(true);
  }

  private unreachable(error: unknown): void {
    if (this.watch.signal.aborted) return;
    const detail = error instanceof SocketClosed && error.closeReason !== '' ? error.closeReason : undefined;
    this.wait(navigator.onLine ? 'unreachable' : 'offline', detail, 0);
  }

  private wait(cause: WaitCause, detail: string | undefined, atLeastMs: number): void {
    this.failures += 1;
    const longestMs = this.isInCall || this.transport.owesMessages ? maxInCallMs : undefined;
    const delayMs = Math.max(atLeastMs, reconnectDelayMs(this.failures, Math.random(), longestMs));
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.retry(), delayMs);
    const retryAtMs = Date.now() + delayMs;
    this.store.dispatch({
      type: 'line/waiting',
      cause,
      retryAtMs,
      ...(detail === undefined ? {} : { detail }),
    });
  }

  /** The network is back or someone looks at the page again: no reason to sit out the wait, or to trust an old socket. */
  private wake(): void {
    if (this.store.state.line.phase === 'waiting') this.retry();
    else this.transport.check();
  }
}
