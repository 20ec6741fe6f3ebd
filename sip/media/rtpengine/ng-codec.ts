/** What a bencoded message can hold. Byte strings are read and written as UTF-8 text. */
export type NgValue = string | number | NgList | NgDictionary;
export type NgList = readonly NgValue[];
/** A map, not an object: keys come from the network. */
export type NgDictionary = ReadonlyMap<string, NgValue>;

/** A command as it is written in code; entries that are undefined are left out. */
export type NgCommand = { readonly [key: string]: NgCommandValue | undefined };
export type NgCommandValue = string | number | readonly NgCommandValue[] | NgCommand;

/** Bounds that hold before any work that grows with the message. */
export const ngLimits = {
  /** What fits into one UDP datagram over IPv4. */
  maxBytes: 65_507,
  maxDepth: 12,
  maxValues: 20_000,
} as const;

const [zero, nine, minus, colon] = [0x30, 0x39, 0x2d, 0x3a];
const [letterD, letterE, letterI, letterL] = [0x64, 0x65, 0x69, 0x6c];

/** Longest run of digits that is read: 64-bit counters have up to 20 of them. */
const maxDigits = 20;

/** Bencode of a command. Dictionary keys are sorted by bytes, as the format asks. */
export function encodeNg(command: NgCommand): Buffer {
  const parts: string[] = [];
  encodeValue(command, parts);
  return Buffer.from(parts.join(''), 'utf8');
}

function encodeValue(value: NgCommandValue, parts: string[]): void {
  if (typeof value === 'string') parts.push(String(Buffer.byteLength(value)), ':', value);
  else if (typeof value === 'number') parts.push('i', String(Math.trunc(value)), 'e');
  else if (isCommandList(value)) {
    parts.push('l');
    for (const item of value) encodeValue(item, parts);
    parts.push('e');
  } else {
    parts.push('d');
    for (const key of Object.keys(value).sort(compareBytes)) {
      const item = value[key];
      if (item === undefined) continue;
      encodeValue(key, parts);
      encodeValue(item, parts);
    }
    parts.push('e');
  }
}

function isCommandList(value: readonly NgCommandValue[] | NgCommand): value is readonly NgCommandValue[] {
  return Array.isArray(value);
}

function compareBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

/**
 * Reads one bencoded dictionary that fills `bytes`. Returns undefined for anything else: other values, bytes left over,
 * lengths and numbers with leading zeros, more than {@link ngLimits} allows. Never throws; time is linear in the bytes.
 * Interop: rtpengine does not sort its keys, and some versions name an SSRC twice that both ends use: the first one holds.
 */
export function decodeNg(bytes: Uint8Array): NgDictionary | undefined {
  if (bytes.length === 0 || bytes.length > ngLimits.maxBytes) return undefined;
  const reader = new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const value = reader.value(0);
  return reader.isAtEnd && value instanceof Map ? value : undefined;
}

/** Reads values one after the other; undefined from any method means that the message is not valid. */
class Reader {
  #at = 0;
  #count = 0;

  constructor(private readonly bytes: Buffer) {}

  get isAtEnd(): boolean {
    return this.#at === this.bytes.length;
  }

  value(depth: number): NgValue | undefined {
    this.#count += 1;
    if (depth > ngLimits.maxDepth || this.#count > ngLimits.maxValues) return undefined;
    switch (this.bytes[this.#at]) {
      case letterI:
        return this.#integer();
      case letterL:
        return this.#list(depth);
      case letterD:
        return this.#dictionary(depth);
      default:
        return this.#text();
    }
  }

  #list(depth: number): NgList | undefined {
    this.#at += 1;
    const list: NgValue[] = [];
    while (this.bytes[this.#at] !== letterE) {
      const item = this.value(depth + 1);
      if (item === undefined) return undefined;
      list.push(item);
    }
    this.#at += 1;
    return list;
  }

  #dictionary(depth: number): NgDictionary | undefined {
    this.#at += 1;
    const dictionary = new Map<string, NgValue>();
    while (this.bytes[this.#at] !== letterE) {
      const key = this.#text();
      if (key === undefined) return undefined;
      const item = this.value(depth + 1);
      if (item === undefined) return undefined;
      if (!dictionary.has(key)) dictionary.set(key, item);
    }
    this.#at += 1;
    return dictionary;
  }

  #integer(): number | undefined {
    this.#at += 1;
    const isNegative = this.bytes[this.#at] === minus;
    if (isNegative) this.#at += 1;
    const amount = this.#digits(letterE);
    if (amount === undefined || (isNegative && amount === 0)) return undefined;
    return isNegative ? -amount : amount;
  }

  #text(): string | undefined {
    const length = this.#digits(colon);
    if (length === undefined || length > this.bytes.length - this.#at) return undefined;
    const start = this.#at;
    this.#at += length;
    return this.bytes.toString('utf8', start, this.#at);
  }

  /** A decimal number without leading zeros, and the byte that ends it. Above 2^53 it is rounded. */
  #digits(end: number): number | undefined {
    const start = this.#at;
    let amount = 0;
    for (
      let byte = this.bytes[this.#at] ?? 0;
      byte >= zero && byte <= nine;
      byte = this.bytes[this.#at] ?? 0
    ) {
      amount = amount * 10 + (byte - zero);
      this.#at += 1;
      if (this.#at - start > maxDigits) return undefined;
    }
    const count = this.#at - start;
    if (count === 0 || (count > 1 && this.bytes[start] === zero)) return undefined;
    if (this.bytes[this.#at] !== end) return undefined;
    this.#at += 1;
    return amount;
  }
}
