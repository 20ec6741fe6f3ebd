import { hasLineBreak, isToken } from './chars.js';
import { headerNameOf, Slot, type HeaderName } from './header-names.js';

/**
 * Header fields in order. Names match without case and compact forms equal long ones (RFC 3261 §7.3.3). Values are
 * raw: unfolded and trimmed, never split. No value can hold CR, LF or NUL: what adds one throws a TypeError.
 */
export class Headers {
  private constructor(
    private readonly names: HeaderName[],
    private readonly values: string[],
  ) {}

  static from(list: Iterable<readonly [string, string]>): Headers {
    const headers = new Headers([], []);
    for (const [name, value] of list) headers.append(name, value);
    return headers;
  }

  /**
   * What a response repeats of its request's header fields (RFC 3261 §8.2.6.2), `toTag` added to To when given. Its
   * values are clean as they stand in `request`. `withRoutes`: Record-Route too; `withTimestamp`: Timestamp too.
   */
  static repeating(
    request: Headers,
    toTag: string | undefined,
    withRoutes: boolean,
    withTimestamp: boolean,
  ): Headers {
    const names: HeaderName[] = [];
    const values: string[] = [];
    for (let i = 0; i < request.values.length; i++) {
      const entry = request.names[i];
      const value = request.values[i];
      if (entry === undefined || value === undefined) continue;
      const isRepeated =
        (entry.slot >= Slot.via && entry.slot <= Slot.cseq) ||
        (withRoutes && entry.key === 'record-route') ||
        (withTimestamp && entry.key === 'timestamp');
      if (!isRepeated) continue;
      names.push(entry);
      values.push(entry.slot === Slot.to && toTag !== undefined ? `${value};tag=${toTag}` : value);
    }
    return new Headers(names, values);
  }

  /** For the parser only: takes over two arrays of equal length whose values are known to be clean. */
  static adopt(names: HeaderName[], values: string[]): Headers {
    return new Headers(names, values);
  }

  /** Number of header lines. */
  get size(): number {
    return this.values.length;
  }

  /** The first value, or undefined. */
  get(name: string): string | undefined {
    return this.values[this.indexOf(headerNameOf(name), 0)];
  }

  /** As {@link get}, for a name that was looked up before: hot paths save the look-up. */
  first(name: HeaderName): string | undefined {
    return this.values[this.indexOf(name, 0)];
  }

  /** The values, one for each header line. */
  getAll(name: string): string[] {
    return this.all(headerNameOf(name));
  }

  /** As {@link getAll}, for a name that was looked up before. */
  all(name: HeaderName): string[] {
    const found: string[] = [];
    for (let i = this.indexOf(name, 0); i !== -1; i = this.indexOf(name, i + 1)) {
      found.push(this.values[i] ?? '');
    }
    return found;
  }

  has(name: string): boolean {
    return this.indexOf(headerNameOf(name), 0) !== -1;
  }

  /** Replaces all of that name, in the place of the first. */
  set(name: string, value: string): void {
    checkField(name, value);
    const entry = headerNameOf(name);
    const first = this.indexOf(entry, 0);
    if (first === -1) {
      this.insert(this.values.length, entry, value);
      return;
    }
    this.values[first] = value;
    this.removeFrom(first + 1, entry);
  }

  /** Adds one after all others. */
  append(name: string, value: string): void {
    checkField(name, value);
    this.names.push(headerNameOf(name));
    this.values.push(value);
  }

  /** Adds one before all others of that name, or at the top when there is none. */
  prepend(name: string, value: string): void {
    checkField(name, value);
    const entry = headerNameOf(name);
    this.insert(Math.max(this.indexOf(entry, 0), 0), entry, value);
  }

  delete(name: string): void {
    this.removeFrom(0, headerNameOf(name));
  }

  /** Removes the first of that name and returns its value. */
  removeFirst(name: string): string | undefined {
    const at = this.indexOf(headerNameOf(name), 0);
    if (at === -1) return undefined;
    this.names.splice(at, 1);
    return this.values.splice(at, 1)[0];
  }

  *entries(): IterableIterator<readonly [name: string, value: string]> {
    for (let i = 0; i < this.values.length; i++) yield [this.names[i]?.name ?? '', this.values[i] ?? ''];
  }

  clone(): Headers {
    return new Headers(this.names.slice(), this.values.slice());
  }

  /** All fields as header lines with their line ends, except Content-Length, which the serializer writes. */
  toLines(): string {
    const { names, values } = this;
    let text = '';
    for (let i = 0; i < values.length; i++) {
      const entry = names[i];
      if (entry === undefined || entry.key === 'content-length') continue;
      text += `${entry.name}: ${values[i] ?? ''}\r\n`;
    }
    return text;
  }

  /** Known names have one entry each; of others each header line has its own, and their keys are compared. */
  private indexOf(name: HeaderName, from: number): number {
    const { names } = this;
    const { isKnown, key } = name;
    for (let i = from; i < names.length; i++) {
      if (names[i] === name || (!isKnown && names[i]?.key === key)) return i;
    }
    return -1;
  }

  private insert(at: number, name: HeaderName, value: string): void {
    this.names.splice(at, 0, name);
    this.values.splice(at, 0, value);
  }

  private removeFrom(start: number, name: HeaderName): void {
    for (let i = this.indexOf(name, start); i !== -1; i = this.indexOf(name, i)) {
      this.names.splice(i, 1);
      this.values.splice(i, 1);
    }
  }
}

function checkField(name: string, value: string): void {
  if (!isToken(name)) throw new TypeError('header field name is no token');
  if (hasLineBreak(value)) throw new TypeError(`line break in the value of ${name}`);
}
