import { z } from 'zod';
import type { DialogSnapshot } from '../../sip/leg.js';
import type { DialogState } from '../../sip/engine/engine.js';
import type { CallSnapshot } from '../call/call-snapshot.js';
import type { EndpointIdentity } from '../endpoint/endpoint-identity.js';

/** What the shared store keeps of a call. */
export interface CallDocument {
  readonly call: CallSnapshot;
  /** By endpoint id. */
  readonly endpoints: Readonly<Record<string, EndpointIdentity>>;
  /** Of the embedded engine, by dialog id. */
  readonly dialogs: Readonly<Record<string, DialogState>>;
}

const text = z.string().max(100_000);
const count = z.number().int().nonnegative();
/** Milliseconds since the Unix epoch, as far as a Date goes. */
const time = z.number().min(0).max(8.64e15);
const timer = z.object({ seconds: count, weRefresh: z.boolean() });
const party = z.object({ uri: text, displayName: text.optional() }).transform(({ uri, displayName }) => ({
  uri,
  ...(displayName === undefined ? {} : { displayName }),
}));
const side = z.enum(['browser', 'trunk']);

const dialog: z.ZodType<DialogSnapshot> = z.discriminatedUnion('side', [
  z.object({
    side: z.literal('browser'),
    callId: text,
    localTag: text,
    remoteTag: text,
    localSequence: count,
    remoteSequence: count.optional(),
    local: z.tuple([text, text]),
    remote: z.tuple([text, text]),
    remoteTarget: text,
    routeSet: z.array(text),
    takesUpdate: z.boolean(),
    sessionTimer: timer.optional(),
  }),
  z.object({
    side: z.literal('trunk'),
    dialogId: text,
    callId: text,
    localTag: text,
    remoteTag: text,
    role: z.enum(['caller', 'callee']),
    localSdp: text.optional(),
    remoteSdp: text.optional(),
    contact: text.optional(),
  }),
]);

const engineDialog: z.ZodType<DialogState> = z.object({
  id: text,
  role: z.enum(['uac', 'uas']),
  callId: text,
  localTag: text,
  remoteTag: text,
  localParty: text,
  remoteParty: text,
  localSequence: count,
  remoteSequence: count.optional(),
  localContact: text,
  remoteTarget: text,
  routeSet: z.array(text),
  localSdp: text,
  sessionTimer: timer.optional(),
  peer: z.object({ transport: z.enum(['udp', 'tcp', 'tls']), address: text, port: z.number().int() }),
});

/** Media options are the configuration's own: the media engine reads them as it reads that. */
const legMedia = z.looseObject({ profile: z.enum(['webrtc', 'plain']) });

const leg = { legId: text, dialog, said: text.optional() };

const call = z.object({
  id: text,
  startedMs: time,
  answeredMs: time,
  maxDurationMs: z.number().min(0).optional(),
  route: text.optional(),
  dialled: text,
  from: party,
  to: party,
  source: z.discriminatedUnion('side', [
    z.object({ side: z.literal('browser'), aor: text, endpointId: text, remote: text.optional() }),
    z.object({ side: z.literal('trunk'), trunk: text, remote: text, media: legMedia }),
  ]),
  caller: z.object(leg),
  callee: z.object({
    ...leg,
    side,
    label: text,
    place: z.union([z.object({ endpointId: text }), z.object({ trunk: text })]),
    media: legMedia,
    invitedMs: time,
  }),
  attempts: z.array(
    z.object({
      ...{ target: text, legId: text, sipCallId: text.optional() },
      ...{ status: count, code: text, durationMs: z.number() },
    }),
  ),
  holding: z.array(z.enum(['caller', 'callee'])),
  media: z.unknown().optional(),
});

const identity = z
  .object({
    aor: text,
    instanceId: text.optional(),
    contact: text.optional(),
    contactIsRandom: z.boolean(),
  })
  .transform(({ aor, instanceId, contact, contactIsRandom }): EndpointIdentity => ({
    ...{ aor, instanceId, contact, contactIsRandom },
  }));

const schema = z.object({
  call,
  endpoints: z.record(text, identity),
  dialogs: z.record(text, engineDialog),
});

export function writeCallDocument(document: CallDocument): string {
  return JSON.stringify(document);
}

/** Undefined when the text is not what {@link writeCallDocument} writes. */
export function readCallDocument(record: string): CallDocument | undefined {
  try {
    const { data } = schema.safeParse(JSON.parse(record));
    if (data === undefined) return undefined;
    const { route, media } = data.call;
    return { ...data, call: { ...data.call, route, media } };
  } catch {
    return undefined;
  }
}
