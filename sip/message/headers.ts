import { hasLineBreak, isToken } from './chars.js';
import { headerKey, writtenName } from './header-names.js';

/**
 * Header fields in order. Names match without case and compact forms equal long ones (RFC 3261 §7.3.3). Values are
 * raw: unfolded and trimmed, never split. No value can hold CR, LF or NUL: what adds one throws a TypeError.
 */
export class Headers {
  private constructor(
    private readonly names: string[],
    private readonly keys: string[],
    private readonly values: string[],
  ) {}

  static from(list: Iterable<readonly [string, string]>): Headers {
    const headers = new Headers([], [], []);
    for (const [name, value] of list) headers.append(name, value);
    return headers;
  }

  /** For the parser only: takes over three arrays of equal length whose values are known to be clean. */
  static adopt(names: string[], keys: string[], values: string[]): Headers {
    return new Headers(names, keys, values);
  }

  /** Number of header lines. */
  get size(): number {
    return this.values.length;
  }

  /** The first value, or undefined. */
  get(name: string): string | undefined {
    return this.values[this.keys.indexOf(headerKey(name))];
  }

  /** The values, one for each header line. */
  getAll(name: string): string[] {
    const key = headerKey(name);
    const found: string[] = [];
    for (let i = this.keys.indexOf(key); i !== -1; i = this.keys.indexOf(key, i + 1)) {
      found.push(this.values[i] ?? '');
    }
    return found;
  }

  has(name: string): boolean {
    return this.keys.includes(headerKey(name));
  }

  /** Replaces all of that name, in the place of the first. */
  set(name: string, value: string): void {
    checkField(name, value);
    const key = headerKey(name);
    const first = this.keys.indexOf(key);
    if (first === -1) {
      this.insert(this.values.length, name, key, value);
      return;
    }
    this.values[first] = value;
    this.names[first] = writtenName(name);
    this.removeFrom(first + 1, key);
  }

  /** Adds one after all others. */
  append(name: string, value: string): void {
    checkField(name, value);
    this.insert(this.values.length, name, headerKey(name), value);
  }

  /** Adds one before all others of that name, or at the top when there is none. */
  prepend(name: string, value: string): void {
    checkField(name, value);
    const key = headerKey(name);
    this.insert(Math.max(this.keys.indexOf(key), 0), name, key, value);
  }

  delete(name: string): void {
    this.removeFrom(0, headerKey(name));
  }

  /** Removes the first of that name and returns its value. */
  removeFirst(name: string): string | undefined {
    const at = this.keys.indexOf(headerKey(name));
    if (at === -1) return undefined;
    this.names.splice(at, 1);
    this.keys.splice(at, 1);
    return this.values.splice(at, 1)[0];
  }

  *entries(): IterableIterator<readonly [name: string, value: string]> {
    for (let i = 0; i < this.values.length; i++) yield [this.names[i] ?? '', this.values[i] ?? ''];
  }

  clone(): Headers {
    return new Headers(this.names.slice(), this.keys.slice(), this.values.slice());
  }

  /** All fields as header lines with their line ends, except Content-Length, which the serializer writes. */
  toLines(): string {
    let text = '';
    for (let i = 0; i < this.values.length; i++) {
      if (this.keys[i] !== 'content-length') text += `${this.names[i] ?? ''}: ${this.values[i] ?? ''}\r\n`;
    }
    return text;
  }

  private insert(at: number, name: string, key: string, value: string): void {
    this.names.splice(at, 0, writtenName(name));
    this.keys.splice(at, 0, key);
    this.values.splice(at, 0, value);
  }

  private removeFrom(start: number, key: string): void {
    for (let i = this.keys.indexOf(key, start); i !== -1; i = this.keys.indexOf(key, i)) {
      this.names.splice(i, 1);
      this.keys.splice(i, 1);
      this.values.splice(i, 1);
    }
  }
}

function checkField(name: string, value: string): void {
  if (!isToken(name)) throw new TypeError('header field name is no token');
  if (hasLineBreak(value)) throw new TypeError(`line break in the value of ${name}`);
}
