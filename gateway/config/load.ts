import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import type { Config } from './config.js';
import { crossCheck } from './cross-checks.js';
import { substitute, type Environment } from './environment.js';
import { explainIssue } from './explain.js';
import { ConfigError, pathText, type ConfigProblem, type Path } from './problem.js';
import { withPresets } from './presets.js';
import { quickStartConfig } from './quick-start-config.js';
import { withoutSecrets } from './masked.js';
import { readReferencedFiles, type ReferencedFiles } from './referenced-files.js';
import { schemaAt } from './schema-walk.js';
import { fileSchema, type ConfigFile } from './schema.js';
import { settle } from './settle.js';
import { readYaml, type YamlSource } from './yaml-source.js';

type Issue = z.core.$ZodIssue;

/**
 * Reads and checks the configuration file at `path`, with `${NAME}` from `env`; without a path gives the quick-start
 * configuration. Throws a ConfigError that names every problem.
 */
export async function loadConfig(path: string | undefined, env: Environment): Promise<Config> {
  if (path === undefined) return quickStartConfig();
  return parseConfig(await readText(path), path, env);
}

/** A configuration file that is right, and what there is to say about it. */
export interface CheckedConfig {
  readonly config: Config;
  /** As it is written, with every default; secrets are masked. */
  readonly written: ConfigFile;
  /** Line (from 1) of what stands at a path. */
  readonly lineOf: (path: Path) => number | undefined;
}

/** As {@link loadConfig}, for those who talk about the file. */
export async function checkConfig(path: string, env: Environment): Promise<CheckedConfig> {
  const { written, files, source } = await checkText(await readText(path), path, env);
  return {
    config: settle(written, files, path),
    written: withoutSecrets(written),
    lineOf: (at) => source.lineOf(at),
  };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const problem = `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new ConfigError(path, [
      { path: '', line: undefined, problem, fix: 'check the name and the rights' },
    ]);
  }
}

/** As {@link loadConfig}, with the text of the file read already; `path` is shown in errors and resolves relative names. */
export async function parseConfig(text: string, path: string, env: Environment): Promise<Config> {
  const { written, files } = await checkText(text, path, env);
  return settle(written, files, path);
}

async function checkText(
  text: string,
  path: string,
  env: Environment,
): Promise<{ readonly written: ConfigFile; readonly files: ReferencedFiles; readonly source: YamlSource }> {
  const source = readYaml(text);
  if (!('value' in source)) throw new ConfigError(path, source);
  const { value, replaced, problems } = substitute(source.value, env);
  const typed = withPresets(withNumbers(value, replaced));
  const checked = fileSchema.safeParse(typed);
  const sections = rightSections(typed);
  const { files, findings } = await readReferencedFiles(sections, path);
  const found: ConfigProblem[] = [...problems, ...crossCheck(sections), ...findings].map((finding) =>
    located(finding, source),
  );
  const reported = new Set(problems.map((problem) => pathText(problem.path)));
  for (const issue of checked.error?.issues ?? []) {
    if (!reported.has(pathText(issue.path.map(stepOf))))
      found.push(...explainIssue(issue, fileSchema, source));
  }
  if (found.length > 0) throw new ConfigError(path, inFileOrder(found));
  if (checked.data === undefined)
    throw new TypeError('the schema refused a configuration without saying why');
  return { written: checked.data, files, source };
}

function stepOf(step: Issue['path'][number]): string | number {
  return typeof step === 'symbol' ? String(step) : step;
}

function located(
  { path, problem, fix }: { readonly path: Path; readonly problem: string; readonly fix: string },
  source: YamlSource,
): ConfigProblem {
  return { path: pathText(path), line: source.lineOf(path), problem, fix };
}

function inFileOrder(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  return [...problems].sort((one, other) => (one.line ?? 0) - (other.line ?? 0));
}

/** Variables are text: where the schema wants a number or a flag, `8080` and `true` from the environment become one. */
function withNumbers(value: unknown, replaced: readonly Path[]): unknown {
  for (const path of replaced) {
    const kind = schemaAt(fileSchema, path).type;
    if (kind !== 'number' && kind !== 'boolean') continue;
    const parent = path.slice(0, -1).reduce<unknown>(childOf, value);
    const key = path.at(-1);
    if (typeof parent !== 'object' || parent === null || key === undefined) continue;
    const holder = parent as Record<string | number, unknown>;
    holder[key] = readAs(kind, String(holder[key]));
  }
  return value;
}

function readAs(kind: 'number' | 'boolean', text: string): unknown {
  if (kind === 'number') return /^[0-9]{1,15}$/.test(text) ? Number(text) : text;
  return text === 'true' || text === 'false' ? text === 'true' : text;
}

function childOf(parent: unknown, step: string | number): unknown {
  return typeof parent === 'object' && parent !== null
    ? (parent as Record<string | number, unknown>)[step]
    : undefined;
}

/**
 * Every top-level section that is right by itself, so that one wrong section does not hide what is wrong in another. One
 * that may be left out, and is, is there as undefined; one that is wrong is not.
 */
function rightSections(value: unknown): Partial<ConfigFile> {
  const sections: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(fileSchema.shape)) {
    const section = schema.safeParse(childOf(value, name));
    if (section.success) sections[name] = section.data;
  }
  return sections;
}
