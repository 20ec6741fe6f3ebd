import { z } from 'zod';

const schema = z.object({ sip: z.array(z.string().max(200)).max(20) });

/** What a node says of itself while it is alive. */
export function writeNode(sip: readonly string[]): string {
  return JSON.stringify({ sip });
}

/** Where another node takes SIP; undefined when it is not alive, or writes what we cannot read. */
export function readNode(text: string | null | undefined): readonly string[] | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data?.sip;
  } catch {
    return undefined;
  }
}
