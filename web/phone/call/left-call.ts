import { z } from 'zod';

/** An established call as a page leaves it: its dialog (RFC 3261 §12) and what the page shows of it. */
const leftCallSchema = z.object({
  callId: z.string(),
  localTag: z.string(),
  remoteTag: z.string(),
  localSequence: z.number(),
  remoteSequence: z.number().optional(),
  localUri: z.string(),
  remoteUri: z.string(),
  remoteTarget: z.string(),
  routeSet: z.array(z.string()),
  /** The codecs that were agreed on, the one in use first. */
  codecs: z.array(z.string()),
  /** This phone has made the call, so that the Call-ID is its own. */
  ours: z.boolean(),
  party: z.object({ name: z.string(), address: z.string() }),
  startedAtMs: z.number(),
  answeredAtMs: z.number(),
  muted: z.boolean(),
  held: z.boolean(),
  digits: z.string(),
});

export type LeftCall = z.infer<typeof leftCallSchema>;

const leftPageSchema = z.object({
  user: z.string(),
  /** The contact that the server reaches the calls at: the next page takes it over. */
  contact: z.object({ name: z.string(), host: z.string() }),
  calls: z.array(leftCallSchema).min(1),
});

/** What a page with calls leaves to the next one in its tab. */
export type LeftPage = z.infer<typeof leftPageSchema>;

/** Reads what {@link leftPageText} wrote; undefined when there is nothing, or nothing of ours. */
export function readLeftPage(text: string): LeftPage | undefined {
  try {
    return leftPageSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** For the memory of the tab; empty without calls. */
export function leftPageText(page: LeftPage): string {
  return page.calls.length === 0 ? '' : JSON.stringify(page);
}
