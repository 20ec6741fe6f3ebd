import { readFileSync } from 'node:fs';
import { notBusy, type CpuProfile } from './profile.js';

/** Shares of the busy time, from 0 to 1. */
export interface EngineShares {
  /** Of the engine's own time. */
  readonly parsingOfEngine: number;
  /** Of the process: with drachtio-srf, garbage collection, the event loop. */
  readonly parsing: number;
  readonly engine: number;
  readonly application: number;
}

/** What reads messages; the rest of the codec writes them, or makes ids. */
const parser =
  /\/dist\/sip\/message\/(?:body|chars|cseq|framing|head|header-names|headers|host|limits|message|name-addr|params|parse|start-line|to-tag|uri|via)\.js$/;
const engine = /\/dist\/sip\/(?:engine|message)\//;
const application = /\/node_modules\/drachtio-srf\/|\/dist\/test\//;

/**
 * Reads a CPU profile. Time belongs to parsing when the parser is anywhere on the stack; to the engine or the
 * application by the first of both that is found from the top of the stack downwards.
 */
export function readEngineShares(file: string): EngineShares {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
  const frames = new Map(nodes.map((node) => [node.id, node.callFrame]));
  const parents = new Map<number, number>();
  for (const { id, children } of nodes) for (const child of children ?? []) parents.set(child, id);
  const micros = { all: 0, parsing: 0, engine: 0, application: 0 };
  samples.forEach((id, i) => {
    if (notBusy.has(frames.get(id)?.functionName ?? '')) return;
    const delta = timeDeltas[i] ?? 0;
    const urls: string[] = [];
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at))
      urls.push(frames.get(at)?.url ?? '');
    micros.all += delta;
    if (urls.some((url) => parser.test(url))) micros.parsing += delta;
    const owner = urls.find((url) => engine.test(url) || application.test(url));
    if (owner !== undefined) micros[engine.test(owner) ? 'engine' : 'application'] += delta;
  });
  return {
    parsingOfEngine: micros.parsing / micros.engine,
    parsing: micros.parsing / micros.all,
    engine: micros.engine / micros.all,
    application: micros.application / micros.all,
  };
}
