import { pathToFileURL } from 'node:url';
import type { RoutingQuestion } from './routing-hook.js';

/** The function that a module exports by default. It is parsed, not trusted: what it gives is read by routing-answer.ts. */
export type LoadedHook = (question: RoutingQuestion) => unknown;

/** Loads a hook module. Rejects with an Error that names the file when it cannot be loaded or exports no function. */
export async function loadHook(path: string): Promise<LoadedHook> {
  const hook = await importDefault(path);
  if (typeof hook !== 'function') throw new Error(`${path} has no function as its default export`);
  return (question) => Reflect.apply(hook, undefined, [question]) as unknown;
}

async function importDefault(path: string): Promise<unknown> {
  try {
    const loaded: unknown = await import(pathToFileURL(path).href);
    return typeof loaded === 'object' && loaded !== null && 'default' in loaded ? loaded.default : undefined;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`the routing hook ${path} cannot be loaded: ${why}`, { cause });
  }
}
