import { RE2JS } from 're2js';

/** A regular expression as routes use it; a JavaScript RegExp is one too. */
export interface Pattern {
  readonly source: string;
  /** The match and its groups, as RegExp gives them; null when there is none. */
  exec(text: string): readonly (string | undefined)[] | null;
}

/** Longer expressions are mistakes. */
const maxSourceLength = 1_000;

/**
 * Compiles an expression in RE2's syntax: it takes time in proportion to the text, whatever is dialled. Undefined when it is
 * not one: look-around and back-references cannot be had in linear time.
 */
export function compilePattern(source: string): Pattern | undefined {
  if (source.length > maxSourceLength) return undefined;
  try {
    return new LinearPattern(source, RE2JS.compile(source));
  } catch {
    return undefined;
  }
}

class LinearPattern implements Pattern {
  /** Private: the engine keeps caches in it, which a frozen configuration must not freeze. */
  readonly #compiled: RE2JS;

  constructor(
    readonly source: string,
    compiled: RE2JS,
  ) {
    this.#compiled = compiled;
  }

  exec(text: string): readonly (string | undefined)[] | null {
    const matcher = this.#compiled.matcher(text);
    if (!matcher.find()) return null;
    return Array.from({ length: matcher.groupCount() + 1 }, (_, group) => matcher.group(group) ?? undefined);
  }
}
