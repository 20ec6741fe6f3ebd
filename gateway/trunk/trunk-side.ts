import { randomBytes } from 'node:crypto';
import type { Clock } from '../../sip/clock.js';
import { failure, type SipFailure } from '../../sip/failure.js';
import type { IncomingCall, Leg, LegListener, OutOfDialogRequest } from '../../sip/leg.js';
import type { Log } from '../../sip/log.js';
import type { StrangerPolicy } from '../../sip/engine/binding/strangers.js';
import type { TlsSettings } from '../../sip/engine/transport/tls-trust.js';
import { startEngine, type DialogState, type Engine } from '../../sip/engine/engine.js';
import {
  connectTrunkStack,
  type RestorableTrunkLeg,
  type EngineTls,
  type TrunkSource,
  type TrunkStack,
} from '../../sip/trunk/srf.js';
import { prefixed } from '../sizes.js';
import type { ProcessEvents } from '../telemetry/process-events.js';
import { StrangerWatch, type TurnedAway } from './stranger-watch.js';
import { lookUpHost, type FindAddresses } from './trunk-sources.js';
import { LeftDialogs } from './left-dialogs.js';

/** An address that the embedded engine listens on; port 0 for any free one. */
export interface EngineListen {
  readonly transport: 'udp' | 'tcp' | 'tls';
  readonly address: string;
  readonly port: number;
}

/** `sip:` of the configuration. */
export type SipEngineOptions =
  | {
      readonly engine: 'embedded';
      readonly listen: readonly EngineListen[];
      readonly externalAddress: string | undefined;
      readonly tls: TlsSettings | undefined;
      readonly nameServers: readonly string[] | undefined;
      /** What whoever is not known gets for an answer. */
      readonly strangers: 'silence' | 'refuse';
    }
  | {
      readonly engine: 'drachtio';
      readonly host: string;
      readonly port: number;
      readonly secret: string;
      readonly tls: EngineTls | undefined;
      /** File for the journal of dialogs; undefined: none. */
      readonly journal: string | undefined;
    };

/** Who hears of what trunks send, and of the engine. */
export interface TrunkSideListener {
  incomingCall(call: IncomingCall, source: TrunkSource): void;
  request(request: OutOfDialogRequest, source: TrunkSource): void;
  /** Whether requests from that address are served. */
  isKnown(address: string): boolean;
  /** Why no call is taken at present. */
  takesNoCalls?(): SipFailure | undefined;
  /** The engine is there, for the first time or again. */
  engineUp?(): void;
  /** The engine went away; every trunk leg has ended. */
  engineLost(why: SipFailure): void;
}

export type TrunkSideEvents = Pick<
  ProcessEvents,
  | 'engineUp'
  | 'engineDown'
  | 'strangerTurnedAway'
  | 'strangerPersists'
  | 'trunkRequestRefused'
  | 'leftDialog'
  | 'dialogJournalFailed'
  | 'engineFrameRefused'
>;

/** The PBX side: the SIP engine and the stack that drives it. */
export interface TrunkSide {
  readonly stack: TrunkStack;
  /** What the embedded engine listens on, with real ports; empty with drachtio-server. */
  readonly local: readonly EngineListen[];
  /** The addresses that a SIP URI stands for; with drachtio-server those of its host alone. */
  readonly find: FindAddresses;
  /** Whether the embedded engine listens on TLS. */
  readonly hasTls: boolean;
  /** Shows another certificate to new connections; those that are up stay. Throws when it cannot be used. */
  renewTls(settings: TlsSettings): void;
  /**
   * With drachtio-server: ends the calls that a crashed process has left there, and notes ours from now on. To be called when
   * it is certain that no other process runs with this configuration. `kept` gives, when it is known, the dialogs that are
   * gone on with elsewhere. Resolves before they have ended; without an engine even before `kept` does.
   */
  takeOverDialogs(kept: Promise<ReadonlySet<string>>): Promise<void>;
  /** A dialog as another engine can go on with it; undefined with drachtio-server, which keeps its dialogs itself. */
  dialogState(dialogId: string): DialogState | undefined;
  /**
   * Goes on with the leg of an earlier process. `state` is what {@link dialogState} told; undefined with drachtio-server.
   * Throws `dialog.unknown` when the peer cannot be reached from here, `trunk.engine_away` without an engine.
   */
  restore(leg: RestorableTrunkLeg, state: DialogState | undefined, listener: LegListener): Leg;
  sizes(): Record<string, number>;
  /** Messages that the embedded engine did not serve, since the start; none with drachtio-server. */
  unserved(): Record<string, number>;
  close(): Promise<void>;
}

/** What drachtio-server takes in one frame without losing the stream, with a margin. */
const drachtioFrameBytes = 4000;

/**
 * Starts the embedded engine, or uses the drachtio-server of the configuration, and connects to it. Resolves at once
 * with drachtio-server, whether it can be reached or not; with the embedded engine when it is connected. Rejects when
 * an address cannot be listened on.
 */
export async function openTrunkSide(
  options: SipEngineOptions,
  listener: TrunkSideListener,
  events: TrunkSideEvents,
  log: Log,
  clock: Clock,
): Promise<TrunkSide> {
  const secret = options.engine === 'drachtio' ? options.secret : randomBytes(32).toString('hex');
  const watch = new StrangerWatch(
    events,
    clock,
    options.engine === 'drachtio' ? 'refuse' : options.strangers,
  );
  const strangers = {
    isKnown: (source: string) => listener.isKnown(source),
    turnedAway: (request: TurnedAway) => watch.note(request),
  };
  const embedded =
    options.engine === 'drachtio' ? undefined : await startEmbedded(options, secret, strangers, log, clock);
  const address = controlAddress(options, secret, embedded);
  const label = { engine: options.engine, address: `${address.host}:${address.port}` };
  let connected = (): void => undefined;
  const firstConnection = new Promise<void>((resolve) => {
    connected = resolve;
  });
  const left = options.engine === 'drachtio' ? LeftDialogs.inFile(options.journal, events, clock) : undefined;
  const stack: TrunkStack = connectTrunkStack(
    address,
    {
      incomingCall: (call, source) => listener.incomingCall(call, source),
      request: (request, source) => listener.request(request, source),
      isKnown: ({ address: source }) => listener.isKnown(source),
      takesNoCalls: () => listener.takesNoCalls?.(),
      turnedAway: (method, { transport, ...remote }) => watch.note({ method, transport, remote }),
      refused: (method, { address: remote }, why) =>
        events.trunkRequestRefused({ method, remote, failure: why }),
      connected: () => {
        events.engineUp(label);
        connected();
        void left?.endAll(stack);
        listener.engineUp?.();
      },
      disconnected: (why) => {
        events.engineDown(label);
        listener.engineLost(why);
      },
      frameTooLarge: (sizeBytes) => events.engineFrameRefused({ sizeBytes, limitBytes: drachtioFrameBytes }),
    },
    log,
    clock,
    left?.notes,
  );
  if (embedded !== undefined) await firstConnection;
  return sideOf(stack, embedded, watch, left);
}

function controlAddress(options: SipEngineOptions, secret: string, embedded: Engine | undefined) {
  if (options.engine === 'embedded') return { host: '127.0.0.1', port: embedded?.controlPort ?? 0, secret };
  const { host, port, tls } = options;
  return { host, port, secret, tls, maxFrameBytes: drachtioFrameBytes };
}

async function addressesOf(engine: Engine, uri: string): Promise<readonly string[]> {
  return [...new Set((await engine.hopsOf(uri)).map(({ address }) => address))];
}

function startEmbedded(
  options: Extract<SipEngineOptions, { engine: 'embedded' }>,
  secret: string,
  strangers: Omit<StrangerPolicy, 'answer'>,
  log: Log,
  clock: Clock,
): Promise<Engine> {
  const { listen, externalAddress, tls, nameServers, strangers: answer } = options;
  return startEngine({
    listen,
    ...(externalAddress === undefined ? {} : { externalAddress }),
    ...(tls === undefined ? {} : { tls }),
    ...(nameServers === undefined ? {} : { nameServers }),
    strangers: { ...strangers, answer },
    tellsTrying: true,
    secret,
    log,
    clock,
  });
}

function sideOf(
  stack: TrunkStack,
  embedded: Engine | undefined,
  watch: StrangerWatch,
  left: LeftDialogs | undefined,
): TrunkSide {
  return {
    stack,
    local: embedded?.local ?? [],
    find: embedded === undefined ? lookUpHost : (uri) => addressesOf(embedded, uri),
    hasTls: embedded?.local.some(({ transport }) => transport === 'tls') === true,
    renewTls: (settings) => embedded?.renewTls(settings),
    async takeOverDialogs(kept) {
      const taken = kept.then((dialogIds) => left?.takeOver(stack, dialogIds));
      if (stack.connected) await taken;
    },
    dialogState: (dialogId) => embedded?.dialogState(dialogId),
    restore(leg, state, listener) {
      const isThere = embedded === undefined || (state !== undefined && embedded.restoreDialog(state));
      if (!isThere) throw failure('dialog.unknown', { detail: 'the peer cannot be reached from here' });
      return stack.restore(leg, listener);
    },
    sizes() {
      return {
        ...prefixed('trunk', stack.sizes()),
        ...prefixed('engine', embedded?.sizes() ?? {}),
        strangers: watch.size,
        ...(left === undefined ? {} : { trunk_journal: left.size }),
      };
    },
    unserved: () => (embedded === undefined ? {} : unservedBy(embedded)),
    async close() {
      await stack.close();
      await embedded?.close();
      watch.close();
      await left?.close();
    },
  };
}

function unservedBy({ counters }: Engine): Record<string, number> {
  const { malformed, strayResponses, refused, strangers, overloaded } = counters;
  // The engine counts what it refuses for overload among the refused.
  return {
    malformed,
    stray_response: strayResponses,
    refused: refused - overloaded,
    stranger: strangers,
    overload: overloaded,
  };
}
