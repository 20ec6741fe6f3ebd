import { createHash } from 'node:crypto';
import type { Clock, Timer } from '../sip/clock.js';
import { toFailure } from '../sip/failure.js';
import { parseUri } from '../sip/message/index.js';
import type { CallController } from './call/call-controller.js';
import type { Cdr } from './call/call-record.js';
import type { TakeableCall } from './call/call-surroundings.js';
import type { Config } from './config/config.js';
import type { EndpointTable } from './endpoint/endpoint-table.js';
import { gatewayName } from './gateway-name.js';
import { readCallDocument, type CallDocument } from './hand-over/call-document.js';
import { HandOver, type PreviousOwner } from './hand-over/hand-over.js';
import type { Binding } from './location/location.js';
import { MemoryLocation } from './location/memory-location.js';
import { SharedLocation } from './location/shared-location.js';
import { RedisStore } from './store/redis-store.js';
import type { StoreEvents } from './telemetry/store-events.js';
import type { TrunkSide } from './trunk/trunk-side.js';

export interface SharedStateSurroundings {
  readonly clock: Clock;
  readonly events: StoreEvents;
  /** A binding ran out without being refreshed. */
  expired(binding: Binding): void;
}

/** The parts that go on with what an earlier process has left. */
export interface Successors {
  readonly endpoints: EndpointTable;
  readonly controller: CallController;
  readonly trunkSide: TrunkSide;
  /** Counts a call that is up as one to that trunk, until what it gives is called. */
  readonly holdChannel: (trunk: string) => (() => void) | undefined;
  /** Writes the CDR of a call that could not go on. */
  readonly record: (cdr: Cdr) => void;
  /** The configuration that is in force. */
  readonly config: () => Config;
}

/** How often is looked for nodes that have died. */
const lookOutEveryMs = 2_000;

/** Longest wait for the store before the gateway opens its doors without it. */
const patienceMs = 3_000;

/** Bindings, and with a shared store whatever else outlives the process (`store:`). */
export class SharedState {
  readonly location: MemoryLocation | SharedLocation;
  readonly #store: RedisStore | undefined;
  readonly #lookOut: Timer | undefined;
  #handOver: HandOver | undefined;
  #successors: Successors | undefined;
  #inheritance: 'waits' | 'under way' | 'done' = 'waits';
  #isClaiming = false;
  /** Whose calls are gone on with: those of dead nodes too, those of our earlier process only, or nobody's any more. */
  #takes: 'all' | 'own' | 'none' = 'all';
  #findEngine: () => void = () => undefined;
  readonly #engineFound = new Promise<void>((resolve) => (this.#findEngine = resolve));
  #settle: () => void = () => undefined;
  /** Resolves when everything that can be taken over has been. */
  readonly settled = new Promise<void>((resolve) => (this.#settle = resolve));

  constructor(
    config: Config,
    private readonly around: SharedStateSurroundings,
  ) {
    const { clock, events } = around;
    const expired = (binding: Binding): void => around.expired(binding);
    const url = config.store?.reveal();
    if (url === undefined) {
      this.location = new MemoryLocation({ clock, expired });
      return;
    }
    const node = createHash('sha256').update(gatewayName(config)).digest('hex').slice(0, 12);
    const up = (): void => void this.#inherit();
    this.#store = new RedisStore({ url, node, events, clock, up });
    this.location = new SharedLocation({ store: this.#store, clock, expired });
    this.#lookOut = clock.every(lookOutEveryMs, () => void this.#claim());
  }

  /**
   * Goes on with what an earlier process of this gateway has left. Resolves when that is done, or when the store cannot be
   * reached: then it is done later.
   */
  async begin(successors: Successors): Promise<void> {
    const store = this.#store;
    this.#successors = successors;
    if (store === undefined) return this.#settle();
    const { endpoints, controller, trunkSide } = successors;
    const { events } = this.around;
    const credentialsOf = (trunk: string) => credentialsIn(successors.config(), trunk);
    const { record, holdChannel } = successors;
    const parts = { store, endpoints, controller, trunkSide, credentialsOf, holdChannel, record };
    this.#handOver = new HandOver({ ...parts, clock: this.around.clock, events });
    if (trunkSide.stack.connected) this.engineUp();
    if (store.isUp) void this.#inherit();
    await this.#settledSoon();
  }

  /** The SIP engine is there, for the first time or again: calls can go on. */
  engineUp(): void {
    this.#findEngine();
  }

  /** A call is established, or has changed since. */
  changed(call: TakeableCall): void {
    this.#handOver?.changed(call);
  }

  callEnded(callId: string): void {
    this.#handOver?.ended(callId);
  }

  /** Leaves the calls of nodes that die from now on to others; those that are being claimed are gone on with. */
  stopClaiming(): void {
    this.#lookOut?.cancel();
    if (this.#takes === 'all') this.#takes = 'own';
  }

  /** Goes on with no call any more: one that would come now stays in the store, for whoever is next. */
  stopTakingOver(): void {
    this.stopClaiming();
    this.#takes = 'none';
  }

  sizes(): Record<string, number> {
    return this.#store === undefined ? {} : { store_waiting: this.#store.waiting };
  }

  /** The ids that calls which other nodes have taken over have in the media engine. */
  async mediaElsewhere(): Promise<ReadonlySet<string>> {
    return new Set((await this.#callsElsewhere()).flatMap(({ call }) => mediaIdOf(call.media)));
  }

  /**
   * The dialogs in the SIP engine that calls of other nodes have. Resolves when those of an earlier process of ours are
   * taken over, or when the store cannot be reached.
   */
  async dialogsElsewhere(): Promise<ReadonlySet<string>> {
    if (this.#store?.isUp === true) await this.settled;
    return new Set(
      (await this.#callsElsewhere()).flatMap(({ call: { caller, callee } }) =>
        [caller, callee].flatMap(({ dialog }) => (dialog.side === 'trunk' ? [dialog.dialogId] : [])),
      ),
    );
  }

  async #callsElsewhere(): Promise<readonly CallDocument[]> {
    const records = (await this.#store?.kept('call').catch(() => undefined)) ?? [];
    return records.flatMap((record) => readCallDocument(record) ?? []);
  }

  async close(): Promise<void> {
    this.#lookOut?.cancel();
    this.location.close();
    await this.#store?.close();
  }

  async #settledSoon(): Promise<void> {
    let giveUp = (): void => undefined;
    const late = new Promise<void>((resolve) => (giveUp = resolve));
    const timer = this.around.clock.after(patienceMs, giveUp);
    await Promise.race([this.settled, late]);
    timer.cancel();
  }

  /** When the store answers for the first time; it may do so before anybody can go on with what is in it. */
  async #inherit(): Promise<void> {
    const successors = this.#successors;
    if (successors === undefined || this.#inheritance !== 'waits') return;
    this.#inheritance = 'under way';
    try {
      await this.#inheritBindings(successors);
      const calls = await this.#store?.inherit('call');
      await this.#engineFound;
      if (calls !== undefined) this.#takeOver(calls, 'earlier_process');
    } catch (thrown) {
      this.#inheritance = 'waits';
      return storeOnly(thrown);
    }
    this.#inheritance = 'done';
    this.#settle();
  }

  /** Goes on with the calls of other nodes that have died. */
  async #claim(): Promise<void> {
    const store = this.#store;
    const isConnected = this.#successors?.trunkSide.stack.connected === true;
    if (this.#takes !== 'all' || this.#isClaiming) return;
    if (store?.isUp !== true || this.#inheritance !== 'done' || !isConnected) return;
    this.#isClaiming = true;
    try {
      this.#takeOver(await store.claimCalls(), 'other_node');
    } catch (thrown) {
      storeOnly(thrown);
    } finally {
      this.#isClaiming = false;
    }
  }

  #takeOver(calls: ReadonlyMap<string, string>, from: PreviousOwner): void {
    if (this.#takes !== 'none') this.#handOver?.takeOver(calls, from);
  }

  async #inheritBindings({ endpoints, config }: Successors): Promise<void> {
    if (!(this.location instanceof SharedLocation)) return;
    const { events } = this.around;
    const local = new Set(
      config().domains.flatMap(({ name, pbxTrunk }) => (pbxTrunk === undefined ? [name] : [])),
    );
    const isOurs = (aor: string): boolean => local.has(aor.slice(aor.lastIndexOf('@') + 1));
    const inherited = await this.location.inherit(isOurs, (aor) =>
      events.storeRecordUnusable({ kind: 'bindings', key: aor, why: 'it is not what this version writes' }),
    );
    for (const binding of inherited) {
      endpoints.noteBound(endpoints.adopt(binding.endpointId, identityOf(binding)), true);
    }
    events.bindingsInherited({ bindings: inherited.length });
  }
}

/** That the store is away is told by the store, and it is asked again when it is back. Anything else is a defect. */
function storeOnly(thrown: unknown): void {
  if (toFailure(thrown).code !== 'store.unavailable') throw thrown;
}

function mediaIdOf(media: unknown): readonly string[] {
  const isNamed = typeof media === 'object' && media !== null && 'callId' in media;
  return isNamed && typeof media.callId === 'string' ? [media.callId] : [];
}

function credentialsIn({ trunks }: Config, trunk: string) {
  const auth = trunks.find(({ name }) => name === trunk)?.auth;
  return auth === undefined ? undefined : { ...auth, password: auth.password.reveal() };
}

/** Who registered the binding, as far as it tells. */
function identityOf({ aor, instanceId, contactUri }: Binding) {
  const uri = parseUri(contactUri);
  const isSip = uri?.scheme === 'sip' || uri?.scheme === 'sips';
  return {
    aor,
    instanceId,
    contact: isSip ? `${uri.user ?? ''}@${uri.host}:${uri.port ?? ''}` : undefined,
    contactIsRandom: isSip && uri.host.endsWith('.invalid'),
  };
}
