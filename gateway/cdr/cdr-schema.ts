import { z } from 'zod';

/** What a line of the CDR file, and the body that a webhook gets, look like: for those who read them. */

const when = z.iso.datetime().meta({ description: 'ISO 8601, UTC.' });
const ms = z.int().min(0);

const party = z.strictObject({
  side: z.enum(['browser', 'trunk']),
  legId: z.string().meta({ description: '`l_…`; as in the log.' }),
  sipCallId: z
    .string()
    .meta({ description: 'Call-ID header field of this side: to find the call in a PBX.' }),
  who: z.string().meta({
    description: 'Address-of-record and endpoint, or trunk and remote address; of a callee the target.',
  }),
  remote: z.string().optional().meta({
    description:
      '`address:port` of the browser, or of the trunk that called; as a proxy says with listen.trusted_proxies, then the port may be 0. Absent for a trunk that was called.',
  }),
});

const attempt = z.strictObject({
  target: z.string().meta({ description: 'Trunk and host, or address-of-record and endpoint.' }),
  legId: z.string(),
  sipCallId: z.string().optional().meta({
    description:
      'Call-ID header field of the INVITE: to find the attempt in a PBX. May be absent when none was sent.',
  }),
  status: z.int().meta({ description: 'SIP status that the attempt ended with; 200: answered.' }),
  code: z.string().meta({
    description:
      '`call.answered`; `call.cancelled` when the caller gave up, another one answered, or the call was ended (487 then); or a failure code (failures.md).',
  }),
  durationMs: ms,
});

const quality = z.strictObject({
  packetsLost: ms.optional().meta({ description: 'Absent when the media engine does not count them.' }),
  packetLoss: z.number().meta({ description: 'Per cent.' }),
  jitterMs: z.number(),
  roundTripMs: z
    .number()
    .optional()
    .meta({ description: 'Between the two ends; absent when no RTCP report told.' }),
  mos: z.number().optional().meta({ description: 'Mean opinion score, 1 to 5, as it was estimated.' }),
});

const media = z.strictObject({
  endId: z.string().meta({ description: 'The leg whose packets these are.' }),
  packetsReceived: ms,
  bytesReceived: ms,
  packetsDropped: ms,
  codec: z.string().optional(),
  quality: quality.optional(),
});

/** One call data record. */
export const cdrSchema = z
  .strictObject({
    callId: z.string().meta({ description: '`c_…`; as in the log. The key of the record.' }),
    caller: party,
    callee: party.nullable().meta({ description: 'Who answered; null when nobody did.' }),
    dialled: z.string().meta({ description: 'Request-URI.' }),
    route: z.string().nullable().meta({
      description: 'Name of the route; null when none matched, or the call was refused before it was routed.',
    }),
    attempts: z.array(attempt).meta({ description: 'In the order in which they ended.' }),
    startedAt: when,
    answeredAt: when.nullable(),
    endedAt: when,
    setupMs: ms.nullable().meta({ description: 'From INVITE to answer.' }),
    durationMs: ms.meta({ description: 'From answer to end; 0 when it was never answered.' }),
    termination: z
      .strictObject({
        result: z.enum(['completed', 'caller', 'callee', 'upstream', 'gateway']),
        code: z.string().meta({ description: '`call.completed`, or a failure code (failures.md).' }),
        status: z.int(),
        reason: z.string(),
        by: z.enum(['caller', 'callee', 'gateway']).meta({ description: 'Who ended it.' }),
      })
      .meta({ description: 'The one outcome.' }),
    media: z
      .array(media)
      .meta({ description: 'Per leg; empty when the media did not pass through webtrunk.' }),
  })
  .meta({ title: 'webtrunk call data record' });
