import type { RoutingQuestion } from './routing-hook.js';

/** Larger answers are mistakes. */
const maxAnswerBytes = 65_536;

/** Where an HTTP hook is asked. */
export interface HttpHookOptions {
  readonly url: string;
  /** Sent as bearer token. */
  readonly token: string | undefined;
}

/**
 * Posts the question; gives the JSON of a 200, and undefined for a 204. Rejects for any other status, an answer that is too
 * large or no JSON, and when `signal` breaks it off.
 */
export async function askOverHttp(
  { url, token }: HttpHookOptions,
  question: RoutingQuestion,
  signal: AbortSignal,
): Promise<unknown> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', ...authorization },
    body: JSON.stringify(question),
    redirect: 'error',
    signal,
  });
  if (response.status === 200) return JSON.parse(await textOf(response)) as unknown;
  await response.body?.cancel();
  if (response.status === 204) return undefined;
  throw new Error(`answered ${response.status}`);
}

async function textOf(response: Response): Promise<string> {
  const body: AsyncIterable<Uint8Array> | null = response.body;
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body ?? []) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxAnswerBytes) throw new Error(`an answer of more than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
