import { setMaxListeners } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';
import { domain, passwordOf, userName } from '../../bench/target.js';
import type { SipResponse } from '../../../sip/message/index.js';
import { WsSipClient, type ClientIdentity } from '../ws-sip-client.js';
import { within } from '../within.js';
import type { LogLine } from '../gateway-process.js';
import type { Doors } from './abuse-gateway.js';
import { Tally } from './tally.js';

export interface AbuseFieldOptions {
  readonly doors: Doors;
  /** Of the scenario, from 1; no two share an address or an account. */
  readonly number: number;
  readonly over: AbortSignal;
}

/** The users that the load has come first. */
const firstAccount = 1_000;
const accountsEach = 400;
const firstNetwork = 100;
const answerWithinMs = 10_000;
/** What a socket is told that we have closed. */
const ownClose = 1005;
const breathMs = 100;
const tickMs = 50;

/** What one attacker has: addresses and accounts of its own, and the doors of the gateway. */
export class AbuseField {
  readonly tally = new Tally();
  readonly doors: Doors;

  constructor(private readonly options: AbuseFieldOptions) {
    this.doors = options.doors;
    setMaxListeners(0, options.over);
  }

  get isOver(): boolean {
    return this.options.over.aborted;
  }

  /** Begins every address of this attacker. */
  get network(): string {
    return `127.0.${firstNetwork + this.options.number}.`;
  }

  address(index = 1): string {
    return `${this.network}${index}`;
  }

  /** The line tells of one of its addresses or accounts. */
  isNamedIn(line: LogLine): boolean {
    const text = JSON.stringify(line);
    const account = /"sip:u(\d+)@/.exec(text)?.[1];
    const first = this.firstAccount;
    const isOwn = account !== undefined && Number(account) >= first && Number(account) < first + accountsEach;
    return isOwn || text.includes(`"${this.network}`);
  }

  /** An account with its right password. */
  account(index = 0): ClientIdentity {
    const user = userName(this.firstAccount + index);
    const instanceId = `<urn:uuid:00000000-0000-4000-8000-${user.slice(1).padStart(12, '0')}>`;
    return { user, password: passwordOf(user), domain, instanceId };
  }

  /** Opens a WebSocket from that address; undefined when it is not let in. Whatever comes of it is in the tally. */
  async connect(
    address: string,
    identity: ClientIdentity,
    options: ClientOptions = {},
  ): Promise<WsSipClient | undefined> {
    const socket = this.open(address, options);
    this.#keepTally(socket);
    const refused = new Promise<undefined>((resolve) => socket.once('close', () => resolve(undefined)));
    return Promise.race([WsSipClient.over(socket, identity).catch(() => refused), refused]);
  }

  /** A client of somebody who means no harm, which has signed in; rejects when it cannot. */
  async innocent(address: string, identity: ClientIdentity): Promise<WsSipClient> {
    const client = await within(
      answerWithinMs,
      `${identity.user}'s WebSocket`,
      WsSipClient.over(this.open(address), identity),
    );
    const { status, reason } = await within(answerWithinMs, 'the answer to REGISTER', client.register());
    if (status === 200) return client;
    throw new Error(`${identity.user} at ${address} cannot sign in: ${status} ${reason}`);
  }

  /** Sends a request and waits for its answer; undefined when the flow is closed instead. */
  async ask(client: WsSipClient, text: string): Promise<SipResponse | undefined> {
    return within(answerWithinMs, 'an answer', client.transact(text)).catch((thrown: unknown) => {
      if (client.socket.readyState !== WebSocket.OPEN) return undefined;
      throw thrown;
    });
  }

  /** Signs in to attack; false when the flow was closed or it was refused. */
  async signIn(client: WsSipClient): Promise<boolean> {
    const answer = await client.register().catch(() => undefined);
    return answer?.status === 200;
  }

  /** Opens a flow and does `act` on it; when it is closed, again; until it is over. Rejects as `act` does. */
  async persist(
    address: string,
    identity: ClientIdentity,
    act: (client: WsSipClient) => Promise<void>,
    options?: ClientOptions,
  ): Promise<void> {
    while (!this.isOver) {
      const client = await this.connect(address, identity, options);
      if (client !== undefined) {
        await act(client);
        client.socket.close();
      }
      if (!this.isOver) await this.rest(breathMs);
    }
  }

  /** Sends `perSecond` of what `next` gives, without waiting for answers, until the flow is closed or it is over. */
  async pour(client: WsSipClient, perSecond: number, next: () => string | Buffer): Promise<void> {
    const began = performance.now();
    for (let sent = 0; !this.isOver && client.socket.readyState === WebSocket.OPEN; await this.rest(tickMs)) {
      const due = Math.floor(((performance.now() - began + tickMs) * perSecond) / 1_000);
      for (; sent < due; sent += 1) client.send(next());
    }
  }

  /** Resolves after so long, and sooner when it is over. */
  async rest(ms: number): Promise<void> {
    const { over } = this.options;
    if (over.aborted) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        over.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      over.addEventListener('abort', end);
    });
  }

  /** Resolves when it is over. */
  async end(): Promise<void> {
    await this.rest(2 ** 31 - 1);
  }

  private get firstAccount(): number {
    return firstAccount + this.options.number * accountsEach;
  }

  private open(localAddress: string, options: ClientOptions = {}): WebSocket {
    return new WebSocket(this.doors.wsUrl, 'sip', { perMessageDeflate: false, localAddress, ...options });
  }

  #keepTally(socket: WebSocket): void {
    socket.on('message', (data: Buffer) => {
      const status = /^SIP\/2\.0 ([2-6]\d\d)/.exec(data.toString('latin1', 0, 16))?.[1];
      if (status !== undefined) this.tally.note(status);
    });
    socket.on('unexpected-response', (_request, { statusCode = 0 }) => {
      this.tally.note(`HTTP ${statusCode}`);
      socket.terminate();
    });
    socket.on('error', () => undefined);
    let wasOpen = false;
    socket.on('open', () => (wasOpen = true));
    socket.on('close', (code) => {
      if (wasOpen && code !== ownClose && !this.isOver)
        this.tally.note(code === 1006 ? 'cut' : `closed ${code}`);
    });
  }
}
