/** What an operator can look at: read-only rows, made when somebody looks. Times are ISO 8601 in UTC. */

export interface FlowRow {
  readonly flowId: string;
  readonly remote: string;
  readonly transport: string;
  readonly openedAt: string;
  /** Null until the flow has signed in. */
  readonly endpointId: string | null;
  readonly aor: string | null;
}

export interface EndpointRow {
  readonly endpointId: string;
  readonly aor: string;
  readonly instanceId: string | null;
  /** Null while the endpoint waits for its next flow. */
  readonly flowId: string | null;
  readonly bound: boolean;
}

export interface BindingRow {
  readonly aor: string;
  readonly contactUri: string;
  readonly endpointId: string;
  readonly expiresAt: string;
  readonly userAgent: string | null;
}

export interface CallRow {
  readonly callId: string;
  readonly state: string;
  readonly side: 'browser' | 'trunk';
  readonly from: string;
  readonly dialled: string;
  /** Who answered; null before. */
  readonly callee: string | null;
  readonly startedAt: string;
}

export interface TrunkRow {
  readonly name: string;
  readonly type: string;
  readonly hosts: readonly TrunkHostRow[];
  /** Null when the trunk is not signed in to. */
  readonly registration: RegistrationRow | null;
  /** In use just now. */
  readonly channels: { readonly in: number; readonly out: number };
}

export interface TrunkHostRow {
  readonly uri: string;
  /** `unknown` until it has answered, and when it is not watched. */
  readonly state: 'unknown' | 'up' | 'down';
  readonly since: string;
  /** Word for word, or why there was none. */
  readonly lastAnswer: string | null;
}

export interface RegistrationRow {
  readonly state: 'trying' | 'registered' | 'lost' | 'ended';
  readonly since: string;
  readonly host: string;
  /** Word for word, or why there was none. */
  readonly lastAnswer: string | null;
  readonly expiresAt: string | null;
  readonly nextTryAt: string | null;
}

/** Rows of one kind. `rows` may be left before its end. */
export interface RowSource<Row> {
  readonly size: number;
  rows(): Iterable<Row>;
}

/** What can be looked at under `/api/v1/<name>`. */
export interface RowSources {
  readonly flows: RowSource<FlowRow>;
  readonly endpoints: RowSource<EndpointRow>;
  readonly bindings: RowSource<BindingRow>;
  readonly calls: RowSource<CallRow>;
  readonly trunks: RowSource<TrunkRow>;
}

/** What the admin server shows of the application. */
export interface Inspection {
  /** True when calls can be taken from both sides and nothing is being stopped. */
  readonly ready: boolean;
  /** The size of every table. */
  sizes(): Readonly<Record<string, number>>;
  readonly tables: RowSources;
}
