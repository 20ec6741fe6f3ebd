import { createClient } from '@redis/client';
import type { Clock, Timer } from '../../sip/clock.js';
import { failure } from '../../sip/failure.js';
import type { StoreEvents } from '../telemetry/store-events.js';
import { readNode, writeNode } from './node-record.js';
import type { OtherNode, RecordKind, SharedStore } from './shared-store.js';

export interface RedisStoreOptions {
  /** `redis://` or `rediss://`, with password where one is needed. */
  readonly url: string;
  /** Of this gateway: the same for each of its processes, and no other gateway's. */
  readonly node: string;
  readonly events: StoreEvents;
  readonly clock: Clock;
  /** It answers, for the first time or again. */
  readonly up: () => void;
}

const commandMs = 1_000;
const connectMs = 2_000;
const maxReconnectMs = 2_000;
/** A node that has not said so for this long is not alive. */
const aliveMs = 6_000;
const sayAliveEveryMs = 2_000;
/** So many signs of life without an answer, and the other end of the connection may be gone without a word. */
const mostUnanswered = 5;
/** Records of a node that never comes back are forgotten by the store. */
const forgetSeconds = 86_400;
/** Writes are gathered for so long. */
const gatherMs = 5;
const recordsPerCommand = 500;

const prefix = 'webtrunk:';
const nodesKey = `${prefix}nodes`;
const recordsKey = (node: string, kind: RecordKind): string => `${prefix}${node}:${kind}`;
const aliveKey = (node: string): string => `${prefix}${node}:alive`;

const kinds: readonly RecordKind[] = ['bindings', 'call'];

/** Moves the calls of a node that is not alive to another one and forgets the node, all at once. Gives what was moved. */
const takeScript = `
if redis.call('EXISTS', KEYS[1]) == 1 then return {} end
local calls = redis.call('HGETALL', KEYS[2])
for at = 1, #calls, 2 do redis.call('HSET', KEYS[3], calls[at], calls[at + 1]) end
redis.call('DEL', KEYS[2])
redis.call('SREM', KEYS[4], ARGV[1])
return calls`;

type Client = ReturnType<typeof createStoreClient>;

function createStoreClient(url: string) {
  return createClient({
    url,
    disableOfflineQueue: true,
    socket: {
      connectTimeout: connectMs,
      reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, maxReconnectMs),
    },
  });
}

/** {@link SharedStore} in Redis: a hash for each node and kind of record, and a key that says that the node is alive. */
export class RedisStore implements SharedStore {
  #client: Client;
  /** Signs of life since the last one that was answered. */
  #unanswered = 0;
  /** What the store is to hold of this node. */
  readonly #held: Readonly<Record<RecordKind, Map<string, string>>> = {
    bindings: new Map(),
    call: new Map(),
  };
  /** Keys that differ from what the store holds. */
  readonly #changed: Readonly<Record<RecordKind, Set<string>>> = { bindings: new Set(), call: new Set() };
  /** Nothing was inherited yet: the store still holds what an earlier process left. */
  readonly #uninherited = new Set<RecordKind>(kinds);
  #others: readonly OtherNode[] = [];
  /** Nodes that are not alive, and when that was noticed, in ms since the Unix epoch. Forgotten when the store is lost. */
  readonly #missedSinceMs = new Map<string, number>();
  /** An answer to a claim did not come: it may have been done. */
  #claimIsUnsure = false;
  #sip: readonly string[] = [];
  #isUp = false;
  /** Its loss has been told. */
  #isDown = false;
  #writing: Promise<void> | undefined;
  #gathering: Timer | undefined;
  readonly #heartbeat: Timer;
  #closing: Promise<void> | undefined;

  /** Connects in the background, and again whenever the connection is lost. */
  constructor(private readonly options: RedisStoreOptions) {
    this.#client = this.#connect();
    this.#heartbeat = options.clock.every(sayAliveEveryMs, () => this.#beat());
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get others(): readonly OtherNode[] {
    return this.#others;
  }

  get waiting(): number {
    return kinds.reduce((sum, kind) => sum + this.#changed[kind].size, 0);
  }

  /** Where this node takes SIP; others are told. */
  set sip(listening: readonly string[]) {
    this.#sip = listening;
    void this.#sayAlive();
  }

  put(kind: RecordKind, key: string, value: string): void {
    if (this.#held[kind].get(key) === value) return;
    this.#held[kind].set(key, value);
    this.#change(kind, key);
  }

  remove(kind: RecordKind, key: string): void {
    if (this.#held[kind].delete(key)) this.#change(kind, key);
  }

  async inherit(kind: RecordKind): Promise<ReadonlyMap<string, string>> {
    const left = await this.#ask(() => this.#client.hGetAll(recordsKey(this.options.node, kind)));
    this.#uninherited.delete(kind);
    for (const [key, value] of Object.entries(left)) {
      if (!this.#held[kind].has(key) && !this.#changed[kind].has(key)) this.#held[kind].set(key, value);
    }
    this.#gather();
    return new Map(Object.entries(left));
  }

  async kept(kind: RecordKind): Promise<readonly string[]> {
    const nodes = this.#others;
    const values = await this.#ask(() =>
      Promise.all(nodes.map(({ name }) => this.#client.hVals(recordsKey(name, kind)))),
    );
    return values.flat();
  }

  async claimCalls(): Promise<ReadonlyMap<string, string>> {
    const claimed = new Map(this.#claimIsUnsure ? await this.#unknownCalls() : []);
    this.#claimIsUnsure = false;
    for (const node of this.#deadNodes()) {
      for (const [key, value] of await this.#takeCalls(node)) claimed.set(key, value);
    }
    for (const [key, value] of claimed) this.put('call', key, value);
    return claimed;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Whoever comes second finds nothing. */
  async #takeCalls(node: string): Promise<readonly (readonly [string, string])[]> {
    const keys = [aliveKey(node), recordsKey(node, 'call'), recordsKey(this.options.node, 'call'), nodesKey];
    try {
      const taken = await this.#ask(() => this.#client.eval(takeScript, { keys, arguments: [node] }));
      this.#missedSinceMs.delete(node);
      return pairsOf(taken);
    } catch (cause) {
      this.#claimIsUnsure = true;
      throw cause;
    }
  }

  /** What the store holds as ours and we never put there: calls whose claim was done without our hearing of it. */
  async #unknownCalls(): Promise<readonly (readonly [string, string])[]> {
    // Removals that were sent before are done before; what is removed after this is still held now.
    const known = new Set([...this.#held.call.keys(), ...this.#changed.call]);
    const ours = await this.#ask(() => this.#client.hGetAll(recordsKey(this.options.node, 'call')));
    return Object.entries(ours).filter(([key]) => !known.has(key));
  }

  /** Those that were missed for as long as it takes a node that lives to say so, while the store answered. */
  #deadNodes(): readonly string[] {
    const sinceMs = this.options.clock.nowMs() - aliveMs;
    return [...this.#missedSinceMs].flatMap(([name, missedMs]) => (missedMs <= sinceMs ? [name] : []));
  }

  #change(kind: RecordKind, key: string): void {
    this.#changed[kind].add(key);
    this.#gather();
  }

  #gather(): void {
    if (!this.#isUp || this.#gathering !== undefined || this.#closing !== undefined) return;
    this.#gathering = this.options.clock.after(gatherMs, () => {
      this.#gathering = undefined;
      this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
    });
  }

  /** Writes until nothing waits, or the store is lost; the only writer. */
  async #write(): Promise<void> {
    try {
      for (let kind = this.#kindToWrite(); kind !== undefined; kind = this.#kindToWrite())
        await this.#writeSome(kind);
    } catch (error) {
      this.#lost(error);
    }
  }

  #kindToWrite(): RecordKind | undefined {
    if (!this.#isUp) return undefined;
    return kinds.find((kind) => this.#changed[kind].size > 0 && !this.#uninherited.has(kind));
  }

  async #writeSome(kind: RecordKind): Promise<void> {
    const keys = [...this.#changed[kind]].slice(0, recordsPerCommand);
    const hash = recordsKey(this.options.node, kind);
    const kept: Record<string, string> = {};
    const gone: string[] = [];
    for (const key of keys) {
      this.#changed[kind].delete(key);
      const value = this.#held[kind].get(key);
      if (value === undefined) gone.push(key);
      else kept[key] = value;
    }
    try {
      const commands: Promise<unknown>[] = [];
      if (Object.keys(kept).length > 0) commands.push(this.#client.hSet(hash, kept));
      if (gone.length > 0) commands.push(this.#client.hDel(hash, gone));
      await this.#inTime(Promise.all(commands));
    } catch (error) {
      for (const key of keys) this.#changed[kind].add(key);
      throw error;
    }
  }

  #connect(): Client {
    const client = createStoreClient(this.options.url);
    client.on('error', (error: unknown) => {
      if (client === this.#client) this.#lost(error);
    });
    client.on('ready', () => void this.#sayAlive());
    client.connect().catch((error: unknown) => {
      if (client === this.#client) this.#lost(error);
    });
    return client;
  }

  #beat(): void {
    this.#unanswered += 1;
    if (this.#unanswered > mostUnanswered) this.#connectAnew();
    void this.#sayAlive();
  }

  /** TCP itself would wait a quarter of an hour for the other end. */
  #connectAnew(): void {
    const before = this.#client;
    this.#unanswered = 0;
    this.#client = this.#connect();
    if (before.isOpen) before.destroy();
  }

  /** Finds out, too, whether a store that did not answer answers again. */
  async #sayAlive(): Promise<void> {
    if (!this.#client.isReady) return;
    const { node } = this.options;
    try {
      const lease = { expiration: { type: 'PX', value: aliveMs } } as const;
      const said = Promise.all([
        Promise.all(kinds.map((kind) => this.#client.expire(recordsKey(node, kind), forgetSeconds))),
        this.#client.set(aliveKey(node), writeNode(this.#sip), lease),
        this.#client.sAdd(nodesKey, node),
      ]);
      const [areKept] = await this.#inTime(said);
      for (const [at, kind] of kinds.entries()) if (areKept[at] === 0) this.#putAllAgain(kind);
      await this.#inTime(this.#lookAround());
      this.#unanswered = 0;
      this.#found();
    } catch (error) {
      this.#lost(error);
    }
  }

  async #lookAround(): Promise<void> {
    const names = (await this.#client.sMembers(nodesKey)).filter((name) => name !== this.options.node);
    const said = names.length === 0 ? [] : await this.#client.mGet(names.map(aliveKey));
    this.#others = names.flatMap((name, at) => {
      const sip = readNode(said[at]);
      return sip === undefined ? [] : [{ name, sip }];
    });
    const alive = new Set(this.#others.map(({ name }) => name));
    const missed = new Set(names.filter((name) => !alive.has(name)));
    for (const name of this.#missedSinceMs.keys()) if (!missed.has(name)) this.#missedSinceMs.delete(name);
    const nowMs = this.options.clock.nowMs();
    for (const name of missed) if (!this.#missedSinceMs.has(name)) this.#missedSinceMs.set(name, nowMs);
  }

  /** The store does not have what it was given, unless that is nothing. */
  #putAllAgain(kind: RecordKind): void {
    for (const key of this.#held[kind].keys()) this.#change(kind, key);
  }

  #found(): void {
    if (this.#isUp || this.#closing !== undefined) return;
    this.#isUp = true;
    this.#isDown = false;
    // It may have come back without what it held.
    for (const kind of kinds) this.#putAllAgain(kind);
    const { events, up } = this.options;
    events.storeUp({ waiting: this.waiting });
    this.#gather();
    up();
  }

  /** No connection, or a command that took too long: whatever is under way may or may not have been done. */
  #lost(error: unknown): void {
    if (this.#closing !== undefined || this.#isDown) return;
    this.#isUp = false;
    this.#isDown = true;
    this.#missedSinceMs.clear();
    this.options.events.storeDown({
      cause: error instanceof Error ? error.message || error.name : String(error),
    });
  }

  /** The client gives up on a command only while it is not sent: a Redis that hangs would be waited for without end. */
  async #inTime<T>(answer: Promise<T>): Promise<T> {
    let giveUp = (): void => undefined;
    const late = new Promise<never>((_resolve, reject) => {
      giveUp = () => reject(new Error(`no answer in ${commandMs} ms`));
    });
    const timer = this.options.clock.after(commandMs, giveUp);
    try {
      return await Promise.race([answer, late]);
    } finally {
      timer.cancel();
    }
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await this.#inTime(question());
    } catch (cause) {
      this.#lost(cause);
      throw failure('store.unavailable', {
        detail: cause instanceof Error ? cause.message : String(cause),
        cause,
      });
    }
  }

  async #close(): Promise<void> {
    this.#heartbeat.cancel();
    this.#gathering?.cancel();
    await this.#writing;
    if (this.#client.isReady) {
      await this.#write();
      await this.#inTime(this.#client.del(aliveKey(this.options.node))).catch(() => undefined);
    }
    this.#isUp = false;
    this.#client.destroy();
  }
}

/** Names and values in turns, as Redis writes a hash. */
function pairsOf(reply: unknown): readonly (readonly [string, string])[] {
  const texts = Array.isArray(reply) ? reply.map(String) : [];
  return texts.flatMap((name, at) => (at % 2 === 0 ? [[name, texts[at + 1] ?? ''] as const] : []));
}
