import { boundedText } from '../bounded-text.js';
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
  if (response.status === 200) return JSON.parse(await boundedText(response, maxAnswerBytes)) as unknown;
  await response.body?.cancel();
  if (response.status === 204) return undefined;
  throw new Error(`answered ${response.status}`);
}
