import { readFileSync } from 'node:fs';

/** The parts of a V8 CPU profile that we read. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

export const notBusy: ReadonlySet<string> = new Set(['(idle)', '(root)']);

/** `gateway/call/call.js` or `node_modules/ws`; undefined for Node's own code and native functions. */
function partOf(url: string): string | undefined {
  const modules = url.lastIndexOf('/node_modules/');
  if (modules !== -1)
    return url
      .slice(modules + 1)
      .split('/', 2)
      .join('/');
  const dist = url.lastIndexOf('/dist/');
  return dist === -1 ? undefined : url.slice(dist + 6);
}

/** Sums up time and prints the largest shares. */
class Shares {
  private readonly micros = new Map<string, number>();
  private total = 0;

  add(name: string, micros: number): void {
    this.total += micros;
    this.micros.set(name, (this.micros.get(name) ?? 0) + micros);
  }

  lines(count: number): string[] {
    const sorted = [...this.micros].sort(([, a], [, b]) => b - a).slice(0, count);
    return sorted.map(
      ([name, micros]) => `${((100 * micros) / this.total).toFixed(1).padStart(5)} %  ${name}`,
    );
  }
}

/**
 * Where the busy time went, in two lists: by file or package, Node's own work counted to whoever asked for it; and by
 * function, each for itself.
 */
export function readProfile(file: string, count: number): string[] {
  const profile = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map<number, number>();
  for (const { id, children } of profile.nodes) for (const child of children ?? []) parents.set(child, id);
  const parts = new Shares();
  const functions = new Shares();
  profile.samples.forEach((id, i) => {
    const { functionName, url, lineNumber } = nodes.get(id)?.callFrame ?? {
      functionName: '?',
      url: '',
      lineNumber: 0,
    };
    if (notBusy.has(functionName)) return;
    const micros = profile.timeDeltas[i] ?? 0;
    functions.add(
      `${functionName || '(anonymous)'} ${url.split('/').slice(-3).join('/')}:${lineNumber + 1}`,
      micros,
    );
    let part = partOf(url);
    for (let at = parents.get(id); part === undefined && at !== undefined; at = parents.get(at)) {
      part = partOf(nodes.get(at)?.callFrame.url ?? '');
    }
    parts.add(part ?? `Node: ${functionName || '(anonymous)'}`, micros);
  });
  return ['by file or package', ...parts.lines(count), 'by function', ...functions.lines(count)];
}
