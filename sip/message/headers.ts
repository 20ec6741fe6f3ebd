import { hasLineBreak, isToken } from './chars.js';
import { headerKey, headerNameOf, type HeaderName } from './header-names.js';

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
    return this.values[this.indexOf(headerKey(name), 0)];
  }

  /** The values, one for each header line. */
  getAll(name: string): string[] {
    const key = headerKey(name);
    const found: string[] = [];
    for (let i = this.indexOf(key, 0); i !== -1; i = this.indexOf(key, i + 1))
      found.push(this.values[i] ?? '');
    return found;
  }

  has(name: string): boolean {
    return this.indexOf(headerKey(name), 0) !== -1;
  }

  /** Replaces all of that name, in the place of the first. */
  set(name: string, value: string): void {
    checkField(name, value);
    const key = headerKey(name);
    const first = this.indexOf(key, 0);
    if (first === -1) {
      this.insert(this.values.length, name, value);
      return;
    }
    this.values[first] = value;
    this.removeFrom(first + 1, key);
  }

  /** Adds one after all others. */
  append(name: string, value: string): void {
    checkField(name, value);
    this.names.push(headerNameOf(name));
    this.values.push(value);
  }

  /** Adds all of that name in `source`, which are known to be clean, after all others. */
  appendFrom(source: Headers, name: string): void {
    const key = headerKey(name);
    for (let i = source.indexOf(key, 0); i !== -1; i = source.indexOf(key, i + 1)) {
      const entry = source.names[i];
      if (entry === undefined) return;
      this.names.push(entry);
      this.values.push(source.values[i] ?? '');
    }
  }

  /** Adds one before all others of that name, or at the top when there is none. */
  prepend(name: string, value: string): void {
    checkField(name, value);
    this.insert(Math.max(this.indexOf(headerKey(name), 0), 0), name, value);
  }

  delete(name: string): void {
    this.removeFrom(0, headerKey(name));
  }

  /** Removes the first of that name and returns its value. */
  removeFirst(name: string): string | undefined {
    const at = this.indexOf(headerKey(name), 0);
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
      if (entry !== undefined && entry.key !== 'content-length')
        text += `${entry.name}: ${values[i] ?? ''}\r\n`;
    }
    return text;
  }

  private indexOf(key: string, from: number): number {
    const { names } = this;
    for (let i = from; i < names.length; i++) {
      if (names[i]?.key === key) return i;
    }
    return -1;
  }

  private insert(at: number, name: string, value: string): void {
    this.names.splice(at, 0, headerNameOf(name));
    this.values.splice(at, 0, value);
  }

  private removeFrom(start: number, key: string): void {
    for (let i = this.indexOf(key, start); i !== -1; i = this.indexOf(key, i)) {
      this.names.splice(i, 1);
      this.values.splice(i, 1);
    }
  }
}

function checkField(name: string, value: string): void {
  if (!isToken(name)) throw new TypeError('header field name is no token');
  if (hasLineBreak(value)) throw new TypeError(`line break in the value of ${name}`);
}
