import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../clock.js';
import { failure, type SipFailure } from '../failure.js';
import type { Log } from '../log.js';
import { EngineAddresses } from './engine-addresses.js';
import { EngineCommands } from './engine-commands.js';
import { engineAway } from './engine-failure.js';
import { Heartbeat } from './heartbeat.js';
import { RequestSender } from './dialog-requests.js';
import { Srf, type SrfRequest, type SrfResponse, type SrfStack } from './srf-types.js';

/** Where the engine's control port is. */
export interface EngineAddress {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  /** Longest frame that the engine takes; drachtio-server loses its stream above 4,036 bytes. Undefined: any. */
  readonly maxFrameBytes?: number;
  /** Undefined: plain TCP. */
  readonly tls?: EngineTls | undefined;
}

/** How an engine behind TLS is known. */
export interface EngineTls {
  /** PEM of the authorities that are trusted; undefined: the public ones. */
  readonly ca: string | undefined;
  /** Name that its certificate must have; undefined: the host that is connected to. */
  readonly serverName: string | undefined;
}

/** What one connection tells. `gone` comes once and last. */
export interface SrfConnectionEvents {
  ready(): void;
  gone(why: SipFailure, refused: boolean): void;
  request(request: SrfRequest, response: SrfResponse): void;
  /** A message was not sent: it exceeds `maxFrameBytes`. */
  frameTooLarge(sizeBytes: number): void;
}

/** Requests outside a dialog that we want the engine to pass up. */
const routedMethods = [
  'invite',
  'options',
  'message',
  'subscribe',
  'notify',
  'publish',
  'refer',
  'info',
  'register',
  'update',
  'prack',
] as const;

/** Longest wait for the TCP connection and the answer to our secret. */
const readyWithinMs = 8000;
/** Of an error of srf's, which puts all that it has received into it, credentials too. */
const shownChars = 48;

/**
 * One connection to the engine, with an Srf of its own that lives and dies with it: srf's reconnecting loses TLS, keeps
 * dialogs that the engine has forgotten, and retries without end after a wrong secret. Nothing that comes through the
 * connection can throw out of srf's socket handlers.
 */
export class SrfConnection {
  readonly srf: SrfStack = new Srf();
  /** For requests outside any dialog. */
  readonly sender = new RequestSender(this.srf, () => undefined);
  readonly commands: EngineCommands;
  #addresses = new EngineAddresses();
  #socket: Socket | undefined;
  #heartbeat: Heartbeat | undefined;
  #state: 'connecting' | 'ready' | 'gone' = 'connecting';
  readonly #patience: Timer;

  constructor(
    engine: EngineAddress,
    private readonly events: SrfConnectionEvents,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.commands = new EngineCommands((frame) => this.#write(frame), clock);
    const { srf } = this;
    for (const method of routedMethods)
      srf.use(method, (request, response) => events.request(request, response));
    srf.use((request, response) => events.request(request, response));
    srf.on('error', (error: unknown) => this.#leave(`no connection: ${String(error)}`));
    srf.on('close', () => this.#leave('the connection closed'));
    srf.on('connect', (error: unknown, announced?: string, version?: string, bound?: string) => {
      if (error !== null && error !== undefined) return this.#leave('the engine refuses our secret', true);
      this.#addresses = new EngineAddresses(announced, bound, version?.endsWith('-webtrunk') === true);
      this.#awaitRoutes();
    });
    const { host, port, secret, maxFrameBytes, tls } = engine;
    const secured = tls === undefined ? {} : { tls: tlsOptions(tls) };
    srf.connect({ host, port, secret, reconnect: { maxAttempts: 1 }, ...secured });
    if (maxFrameBytes !== undefined) {
      limitFrames(srf, maxFrameBytes, (sizeBytes) => events.frameTooLarge(sizeBytes));
    }
    this.#guardMessages();
    srf.app.client.wp.on('connect', (socket: Socket) => this.#guardBytes(socket));
    this.#patience = clock.after(readyWithinMs, () => this.#leave('the engine does not answer'));
  }

  get ready(): boolean {
    return this.#state === 'ready';
  }

  get addresses(): EngineAddresses {
    return this.#addresses;
  }

  /** Entries in srf's own tables. */
  sizes(): { readonly requests: number; readonly dialogs: number; readonly transactions: number } {
    let transactions = 0;
    for (const tables of this.srf.app.client.mapServer.values()) {
      transactions +=
        tables.pendingSipRequests.size + tables.pendingNetworkInvites.size + tables.pendingAckOrPrack.size;
    }
    const requests = this.sender.size + this.commands.size;
    return { requests, dialogs: this.srf._dialogs.size, transactions };
  }

  /** Closes the connection; `gone` follows. Resolves when the socket is closed. Idempotent. */
  async close(): Promise<void> {
    const socket = this.#socket;
    const closed = socket === undefined || socket.closed ? undefined : once(socket, 'close');
    this.#leave('closed');
    await closed;
  }

  /** srf has asked for our routes; until the engine has taken them it refuses calls in our name. */
  #awaitRoutes(): void {
    if (this.#state !== 'connecting') return;
    const ask = (): string => this.#write('ping');
    const dead = (): void => this.#leave('the engine does not answer');
    this.#heartbeat = new Heartbeat(ask, { alive: () => this.#becomeReady(), dead }, this.clock);
    this.#heartbeat.start();
  }

  #becomeReady(): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'ready';
    this.#patience.cancel();
    this.events.ready();
  }

  /** Sends a frame and returns its id. Throws `trunk.engine_away` when there is no connection. */
  #write(frame: string): string {
    if (this.#socket === undefined || this.#state === 'gone') throw engineAway();
    return this.srf.app.client.wp.send(this.#socket, frame);
  }

  /** What throws while one message is handled, in srf or above it, costs that message only. */
  #guardMessages(): void {
    const { wp } = this.srf.app.client;
    for (const listener of wp.listeners('msg')) {
      wp.off('msg', listener as (socket: Socket, text: string) => void);
      wp.on('msg', (socket: Socket, text: string) => {
        this.#heartbeat?.hear(text);
        this.commands.hear(text);
        try {
          Reflect.apply(listener, wp, [socket, text]);
        } catch (thrown) {
          const why = String(thrown).slice(0, shownChars);
          this.log.error({ why, at: framesOf(thrown) }, 'a message of the SIP engine could not be handled');
        }
      });
    }
  }

  /** srf throws out of its data handler on a malformed frame: the stream cannot be trusted any more. */
  #guardBytes(socket: Socket): void {
    this.#socket = socket;
    if (this.#state === 'gone') {
      socket.destroy();
      return;
    }
    for (const listener of socket.listeners('data')) {
      socket.off('data', listener as (chunk: Buffer) => void);
      socket.on('data', (chunk: Buffer) => {
        if (socket.destroyed) return;
        try {
          Reflect.apply(listener, socket, [chunk]);
        } catch (thrown) {
          const why = String(thrown).slice(0, shownChars);
          this.log.error({ why }, 'the SIP engine sent something that cannot be read');
          this.#leave(`unreadable control frame: ${why}`);
        }
      });
    }
  }

  #leave(detail: string, refused = false): void {
    if (this.#state === 'gone') return;
    this.#state = 'gone';
    this.#patience.cancel();
    this.#heartbeat?.stop();
    this.#socket?.destroySoon();
    // What is answered too late would be written to a socket that has ended, and nobody could catch that error.
    this.srf.app.client.wp.send = () => '';
    const why = engineAway(detail);
    this.sender.abandonAll(why);
    this.commands.abandonAll(why);
    this.events.gone(why, refused);
  }
}

/** As `tls.connect` takes them; Node.js verifies the certificate unless told otherwise. */
function tlsOptions({ ca, serverName }: EngineTls): { readonly ca?: string; readonly servername?: string } {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

/** Room for the length and the id that srf puts in front of a frame. */
const frameHeadBytes = 48;

/** Makes srf throw instead of sending a frame that the engine cannot take; its callers here turn that into a refusal. */
function limitFrames(srf: SrfStack, maxFrameBytes: number, refused: (sizeBytes: number) => void): void {
  const { wp } = srf.app.client;
  const send = wp.send.bind(wp);
  wp.send = (socket, frame) => {
    const sizeBytes = Buffer.byteLength(frame) + frameHeadBytes;
    if (sizeBytes <= maxFrameBytes) return send(socket, frame);
    refused(sizeBytes);
    throw failure('trunk.too_large', { detail: `control frame of ${sizeBytes} bytes` });
  };
}

/** Where it was thrown, without what it says. */
function framesOf(thrown: unknown): readonly string[] {
  const lines = thrown instanceof Error ? (thrown.stack ?? '').split('\n') : [];
  return lines.filter((line) => /^ {4}at /.test(line)).map((line) => line.trim());
}
