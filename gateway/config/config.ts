import type { Pattern } from './pattern.js';
import type { TokenAlgorithm } from './signing-keys.js';
import type { TrustedProxies } from './trusted-proxies.js';
import type { Secret } from './secret.js';

/** The configuration as the rest of webtrunk reads it: complete, checked and deeply frozen. */
export interface Config {
  /** Path of the file it came from; undefined for the quick start. */
  readonly file: string | undefined;
  readonly listen: ListenConfig;
  readonly websocket: WebsocketConfig;
  /** At least one. */
  readonly domains: readonly DomainConfig[];
  /** There when a domain has `usesTokens`. */
  readonly jwt?: JwtConfig | undefined;
  readonly sip: SipConfig;
  readonly media: MediaConfig;
  readonly ice: {
    readonly servers: readonly IceServerConfig[];
    /** Private addresses are taken out of descriptions that pass untranslated. */
    readonly filterPrivateCandidates: boolean;
  };
  readonly trunks: readonly TrunkConfig[];
  /** Asked before the routes; undefined: nobody is. */
  readonly routing?: RoutingConfig | undefined;
  /** In the order in which they are tried. */
  readonly routes: readonly RouteConfig[];
  readonly limits: LimitsConfig;
  readonly cdr: CdrConfig;
  readonly drain: DrainConfig;
  /** URL of the Redis that shared state is in; undefined: nothing outlives the process. */
  readonly store: Secret | undefined;
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error';
    readonly format: 'json' | 'pretty';
  };
  /** The built-in echo phone behind the quick start's trunk; undefined with a configuration file. */
  readonly echoPhone: EchoPhoneConfig | undefined;
}

/** How webtrunk stops. */
export interface DrainConfig {
  /** How long new calls and registrations are still taken, so that a load balancer notices first. */
  readonly noticeMs: number;
  /** How long, from the first signal on, calls may go on. */
  readonly limitMs: number;
}

export interface ListenAddress {
  /** IP address. */
  readonly address: string;
  /** 0 for any free port. */
  readonly port: number;
}

export interface HttpsListen extends ListenAddress, CertificateConfig {}

export interface AdminListen extends ListenAddress {
  /** Required of every request but the health checks when given. */
  readonly token: Secret | undefined;
}

/** At least one of `http` and `https` is there. */
export interface ListenConfig {
  readonly http: ListenAddress | undefined;
  readonly https: HttpsListen | undefined;
  readonly admin: AdminListen;
  /** Undefined: there is no proxy in front. */
  readonly proxies?: TrustedProxies;
}

export interface WebsocketConfig {
  readonly maxMessageBytes: number;
  /** Origins (lower-case) whose pages may connect, or `*`; empty: only pages of this very host. */
  readonly origins: readonly string[];
  readonly keepaliveMs: number;
  readonly resumeGraceMs: number;
  readonly perMessageDeflate: boolean;
}

export interface DomainConfig {
  /** Lower-case. */
  readonly name: string;
  /** The trunk whose PBX knows the passwords; undefined: we do. */
  readonly pbxTrunk?: string | undefined;
  /** Users bring tokens; undefined: no. */
  readonly usesTokens?: boolean | undefined;
  /** That PBX takes Path (RFC 3327): it keeps the browsers' own Contacts. */
  readonly pbxTakesPath?: boolean | undefined;
  readonly users: readonly UserConfig[];
  /** Text of the users file: lines `user:realm:HA1`. */
  readonly htdigest: Secret | undefined;
}

/** Tokens that prove who a user is. */
export interface JwtConfig {
  /** Public keys: a JWK set at a URL, or a JWK set or PEM key. */
  readonly keys:
    { readonly kind: 'url'; readonly url: string } | { readonly kind: 'text'; readonly text: string };
  readonly algorithms: readonly TokenAlgorithm[];
  readonly audience: string;
  /** Undefined: any. */
  readonly issuer: string | undefined;
  readonly aorClaim: string;
  readonly leewayMs: number;
  /** Undefined: none is looked at. */
  readonly cookie: string | undefined;
  readonly authzServer: string | undefined;
  /** Where the softphone sends people without a token. */
  readonly loginUrl: string | undefined;
}

export interface UserConfig {
  readonly name: string;
  readonly password: Secret;
  readonly displayName: string | undefined;
  /** What a trunk is shown instead of the name. */
  readonly callerId: string | undefined;
  /** More numbers that the user may be shown with. */
  readonly callerIds?: readonly string[] | undefined;
}

export interface SipListen extends ListenAddress {
  readonly transport: 'udp' | 'tcp' | 'tls';
}

/** A certificate with its chain, and its private key; both PEM. */
export interface CertificateConfig {
  readonly cert: string;
  readonly key: Secret;
}

export interface SipTlsConfig extends CertificateConfig {
  /** PEM; undefined: PBXs need no certificate. */
  readonly clientCa: string | undefined;
}

/** What is special about the TLS of one trunk. */
export interface TrunkTlsConfig {
  /** PEM. */
  readonly ca: string | undefined;
  /** SHA-256, hex octets with colons. */
  readonly fingerprint: string | undefined;
  readonly serverName: string | undefined;
  readonly certificate: CertificateConfig | undefined;
}

export type SipConfig =
  | {
      readonly engine: 'embedded';
      /** At least one. */
      readonly listen: readonly SipListen[];
      /** IP address or host name by which PBXs reach us when it is not that of the machine. */
      readonly externalAddress: string | undefined;
      /** There when TLS is listened on. */
      readonly tls: SipTlsConfig | undefined;
      /** `address` or `address:port`; undefined: those of the machine. */
      readonly nameServers: readonly string[] | undefined;
      /** What whoever is in no trunk gets; drachtio-server always refuses. */
      readonly strangers: 'silence' | 'refuse';
    }
  | {
      readonly engine: 'drachtio';
      readonly host: string;
      readonly port: number;
      readonly secret: Secret;
      /** Undefined: plain TCP. */
      readonly tls: { readonly ca: string | undefined; readonly serverName: string | undefined } | undefined;
      /** File that notes the dialogs that are up; undefined: none. */
      readonly journal: string | undefined;
    };

export type MediaConfig = MediaEngineConfig & {
  /** Whether two browsers exchange media by themselves or over the media engine. */
  readonly browserToBrowser: 'direct' | 'anchored';
  /** How long both sides of a call may send nothing before it is ended; 0: for ever, undefined: 60 s. */
  readonly timeoutMs?: number;
};

export type MediaEngineConfig =
  | {
      readonly engine: 'relay';
      /** IP address that is announced to browsers and PBXs. */
      readonly address: string;
      /** UDP ports, both included. */
      readonly ports: { readonly min: number; readonly max: number };
      /** The UDP port of all browsers in the first process, the next one in the next; undefined: each has one of `ports`. */
      readonly browserPort: number | undefined;
      /** Processes of its own; 0: none, it runs in this one. */
      readonly processes: number;
    }
  | {
      readonly engine: 'rtpengine';
      /** At least one. */
      readonly instances: readonly {
        readonly address: { readonly host: string; readonly port: number };
        /** Share of new calls, relative to the others. */
        readonly weight: number;
      }[];
    }
  | { readonly engine: 'passthrough' };

export interface IceServerConfig {
  readonly urls: readonly string[];
  readonly username: string | undefined;
  /** Every page gets it (`GET /config.json`). */
  readonly credential: Secret | undefined;
  /** Shared with the TURN server: each user gets a password of its own. Undefined: `credential` is that of all. */
  readonly secret?: Secret | undefined;
  /** How long such a password lasts. */
  readonly ttlMs?: number;
}

/** Undefined: no limit. */
export interface CallLimitsConfig {
  /** Calls at a time, both directions together. */
  readonly channels?: number | undefined;
  /** New calls in a second. */
  readonly cps?: number | undefined;
  readonly maxDurationMs?: number | undefined;
  readonly maxRingMs?: number | undefined;
}

export interface TrunkConfig {
  readonly name: string;
  readonly type: 'ip' | 'auth' | 'register';
  /** At least one. */
  readonly hosts: readonly { readonly uri: string; readonly priority: number; readonly weight?: number }[];
  readonly auth:
    { readonly username: string; readonly password: Secret; readonly realm?: string | undefined } | undefined;
  /** There with `type: register`. */
  readonly register?: { readonly expiresMs: number; readonly retryMs: number } | undefined;
  /** Undefined: hosts are not watched. */
  readonly options?: { readonly everyMs: number; readonly failAfter: number } | undefined;
  /** Undefined: that of all trunks. */
  readonly attemptTimeoutMs?: number | undefined;
  readonly progressTimeoutMs?: number | undefined;
  /** Undefined: 408 and 5xx. */
  readonly failoverOn?: readonly number[] | undefined;
  readonly limits?: CallLimitsConfig | undefined;
  readonly from: { readonly user: string | undefined; readonly domain: string | undefined } | undefined;
  /** Undefined: nothing special. */
  readonly tls: TrunkTlsConfig | undefined;
  readonly inbound: {
    /** IP addresses, CIDR blocks or host names; undefined: those of `hosts`. */
    readonly allow: readonly string[] | undefined;
    /** Undefined: all that a route takes. */
    readonly numbers: readonly string[] | undefined;
    /** P-Asserted-Identity is believed. */
    readonly trustIdentity?: boolean;
    /** Undefined: `request_uri`. */
    readonly numberFrom?: 'request_uri' | 'to';
  };
  /** Undefined: numbers pass as they are. */
  readonly numbers?: NumbersConfig | undefined;
  /** Undefined: From shows the caller. */
  readonly callerId?: CallerIdConfig | undefined;
  /** Undefined: diversions are kept, nothing else crosses. */
  readonly headers?: HeaderRuleConfig | undefined;
  readonly media: {
    readonly codecs: readonly string[] | undefined;
    readonly ptimeMs: number | undefined;
    /** Video codecs; undefined or empty: no video. */
    readonly video?: readonly string[];
    /** Undefined: `rfc4733`. */
    readonly dtmf?: 'rfc4733' | 'info' | 'info_dtmf';
    /** Undefined: `off`. */
    readonly srtp?: 'off' | 'optional' | 'required';
  };
}

export interface NumbersConfig {
  readonly out: 'e164' | 'national' | 'as_dialled';
  readonly in: 'e164' | 'as_dialled';
  /** ISO 3166; there unless both are `as_dialled`. */
  readonly country: string | undefined;
  readonly strip: number;
  readonly prefix: string;
}

export interface CallerIdConfig {
  readonly send: readonly ('from' | 'pai' | 'rpid')[];
  readonly privacy: 'honour' | 'ignore';
  readonly onMismatch: 'replace' | 'reject' | 'send';
}

export interface HeaderRuleConfig {
  readonly in: readonly string[];
  readonly out: readonly string[];
  readonly diversion: 'keep' | 'drop';
}

export interface RouteConfig {
  readonly name: string;
  /** Matched against the dialled user. */
  readonly match: Pattern;
  readonly fromTrunk: string | undefined;
  /** Lower-case; undefined: any. */
  readonly domain?: string | undefined;
  /** Matched against the calling user or number; undefined: anybody. */
  readonly caller?: Pattern | undefined;
  /** Undefined: always. */
  readonly when?: RouteTimes | undefined;
  /** Tried first, and nothing limits the call. */
  readonly emergency?: boolean;
  /** The number that is called instead, with `$1` for a group of `match`. */
  readonly rewrite?: string | undefined;
  readonly to:
    | { readonly kind: 'users' }
    | { readonly kind: 'user'; readonly user: string }
    | { readonly kind: 'trunks'; readonly trunks: readonly string[] }
    | { readonly kind: 'reject'; readonly status: number };
}

/** The routing hook. */
export interface RoutingConfig {
  readonly hook:
    | { readonly kind: 'module'; readonly path: string }
    | { readonly kind: 'http'; readonly url: string; readonly token: Secret | undefined };
  readonly timeoutMs: number;
  /** What happens when the hook fails. */
  readonly fallback: 'routes' | 'reject';
}

export interface RouteTimes {
  /** IANA name. */
  readonly timezone: string;
  /** 0 is Sunday; undefined: every day. */
  readonly days: readonly number[] | undefined;
  /** `MM-DD` or `YYYY-MM-DD`; undefined: every date. */
  readonly dates: readonly string[] | undefined;
  /** Minutes since midnight; undefined: all day. */
  readonly hours: readonly { readonly from: number; readonly to: number }[] | undefined;
}

export interface LimitsConfig {
  readonly connectionsPerIp: number;
  readonly messagesPerSecond: number;
  readonly registerFailuresPerMinute: number;
  readonly callsPerEndpoint: number;
  /** How long a host of a trunk may leave a call without any answer; undefined: as long as the SIP engine waits. */
  readonly attemptTimeoutMs?: number;
  /** How long without more than 100 Trying. */
  readonly progressTimeoutMs?: number;
  /** Of each user. */
  readonly user?: CallLimitsConfig | undefined;
  /** Of what follows undefined means no limit, and the default for durations. */
  readonly connections?: number | undefined;
  readonly unauthenticated?: number | undefined;
  readonly unauthenticatedPerIp?: number | undefined;
  readonly connectsPerMinute?: number | undefined;
  readonly httpRequestsPerMinute?: number | undefined;
  readonly authenticateWithinMs?: number | undefined;
  readonly requestWithinMs?: number | undefined;
  readonly addressMessagesPerSecond?: number | undefined;
  readonly userMessagesPerSecond?: number | undefined;
  readonly failingUsersPerIp?: number | undefined;
  readonly registersPerMinute?: number | undefined;
  readonly invitesPerMinute?: number | undefined;
  readonly fraud?: FraudConfig | undefined;
}

/** What users may call over trunks. */
export interface FraudConfig {
  /** Two letters (ISO 3166). */
  readonly country: string;
  readonly international: boolean;
  /** Beginnings of numbers. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  /** Undefined: no limit. */
  readonly newDestinationsPerHour: number | undefined;
  readonly minutesPerDay: number | undefined;
}

/** Where call data records go. */
export interface CdrConfig {
  /** Undefined: none is written. */
  readonly file: { readonly path: string; readonly maxBytes: number; readonly keep: number } | undefined;
  readonly webhook:
    | {
        readonly url: string;
        readonly token: Secret | undefined;
        readonly timeoutMs: number;
        /** File for what was not taken yet. */
        readonly queue: string;
      }
    | undefined;
}

export interface EchoPhoneConfig {
  /** What is dialled to hear oneself. */
  readonly number: string;
  /** Where it takes SIP over UDP. */
  readonly address: string;
  readonly port: number;
}
