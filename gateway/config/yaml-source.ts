import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
  type YAMLError,
} from 'yaml';
import type { ConfigProblem, Path } from './problem.js';

/** A YAML file: its values and where each stands. */
export interface YamlSource {
  readonly value: unknown;
  /** Line (from 1) of the key or list item at `path`, or of the nearest one above it that is written. */
  lineOf(path: Path): number | undefined;
  /** The scalar at `path` as it is written, without quotes; undefined when there is none. */
  writtenAt(path: Path): string | undefined;
}

const maxAliases = 100;

/**
 * `${NAME}` may stand anywhere without quotes, but braces mean something in `{ key: value }`: while YAML is read they are
 * characters that mean nothing.
 */
const variable = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;
const maskedVariable = /\$\uE000([A-Za-z_][A-Za-z0-9_]*)\uE001/g;
const unmask = (text: string): string => text.replace(maskedVariable, '${$1}');

/** Reads a YAML text; gives the problems when it is not YAML, has a key twice, or is not a list of keys. */
export function readYaml(text: string): YamlSource | readonly ConfigProblem[] {
  const lines = new LineCounter();
  const masked = text.replace(variable, '$\uE000$1\uE001');
  const document = parseDocument(masked, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  if (document.errors.length > 0) return explainErrors(document.errors, lines);
  if (!isMap(document.contents)) {
    return [
      { path: '', line: 1, problem: 'no keys found', fix: 'start from the example in docs/configuration.md' },
    ];
  }
  const unusable = unusableAliases(document, lines);
  if (unusable.length > 0) return unusable;
  visit(document, {
    Scalar(_key, scalar) {
      if (typeof scalar.value === 'string') scalar.value = unmask(scalar.value);
      if (scalar.source !== undefined) scalar.source = unmask(scalar.source);
    },
  });
  const value = valueOf(document);
  if (value === undefined) return [{ path: '', line: 1, ...tooManyAliases }];
  return {
    value,
    lineOf: (path) => lineOf(document, lines, path),
    writtenAt: (path) => writtenAt(document, path),
  };
}

const tooManyAliases = {
  problem: `aliases (*name) stand for far too much: more than ${maxAliases} copies of one part`,
  fix: 'write it without aliases',
};

/** Undefined when aliases would make far more of the text than it is. */
function valueOf(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: maxAliases });
  } catch (thrown) {
    if (thrown instanceof ReferenceError) return undefined;
    throw thrown;
  }
}

/** Aliases that stand for nothing, or for what they are a part of. */
function unusableAliases(document: Document, lines: LineCounter): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  visit(document, {
    Alias(_key, alias, ancestors) {
      const target = alias.resolve(document);
      const isOwnPart = target !== undefined && ancestors.includes(target);
      if (target !== undefined && !isOwnPart) return;
      problems.push({
        path: '',
        line: lines.linePos(alias.range?.[0] ?? 0).line,
        problem: `*${unmask(alias.source)} ${isOwnPart ? 'stands for what it is a part of' : 'stands for nothing'}`,
        fix: 'put text that begins with * into quotes, or write what is meant in full',
      });
    },
  });
  return problems;
}

const fixes: Partial<Record<YAMLError['code'], string>> = {
  DUPLICATE_KEY: 'keep one of them',
  TAB_AS_INDENT: 'indent with spaces',
  BLOCK_AS_IMPLICIT_KEY: 'one key on a line; put a value that has a colon in it into quotes',
  MISSING_CHAR: 'add the missing bracket, brace or quotation mark',
};

/** Every key that is there twice, else only the first error: the others follow from it. */
function explainErrors(errors: readonly YAMLError[], lines: LineCounter): readonly ConfigProblem[] {
  const duplicates = errors.filter(({ code }) => code === 'DUPLICATE_KEY');
  const told = duplicates.length === errors.length ? duplicates : errors.slice(0, 1);
  return told.map(({ code, message, pos }) => ({
    path: '',
    line: lines.linePos(pos[0]).line,
    problem: `not readable as YAML: ${unmask(message)}`,
    fix: fixes[code] ?? 'check indentation, colons and quotes near this line',
  }));
}

function lineOf(document: Document, lines: LineCounter, path: Path): number | undefined {
  let node: unknown = document.contents;
  let offset: number | undefined;
  for (const step of path) {
    const next = childAt(document, node, step);
    if (next === undefined) break;
    offset = next.offset ?? offset;
    node = next.node;
  }
  return offset === undefined ? undefined : lines.linePos(offset).line;
}

function writtenAt(document: Document, path: Path): string | undefined {
  let node: unknown = document.contents;
  for (const step of path) node = childAt(document, node, step)?.node;
  if (!isScalar(node)) return undefined;
  return node.source ?? String(node.value);
}

/** The value below `node` and where its key (or, in a list, the value itself) begins. */
function childAt(
  document: Document,
  node: unknown,
  step: string | number,
): { readonly node: unknown; readonly offset: number | undefined } | undefined {
  const parent = isAlias(node) ? node.resolve(document) : node;
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
    return pair === undefined ? undefined : { node: pair.value, offset: startOf(pair.key) };
  }
  if (!isSeq(parent) || typeof step !== 'number') return undefined;
  const item = parent.items[step];
  return item === undefined ? undefined : { node: item, offset: startOf(item) };
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null)?.range?.[0];
}
