import { URI } from 'sip.js/lib/core/index.js';
import { failure } from '../failure.js';
import { parseUri } from '../message/index.js';
import { nameAddrText, oneLine } from './header-lines.js';

/**
 * A URI that sip.js carries but never takes apart: it prints exactly as given. sip.js's own class re-escapes the user
 * (and throws on an escape that is not UTF-8), and cannot hold `tel:`.
 */
export class WireUri extends URI {
  /**
   * @param text - the URI, without CR or LF
   * @param nameAddr - how it is written in From and To, without header parameters
   */
  constructor(
    readonly text: string,
    readonly nameAddr = `<${text}>`,
  ) {
    super('sip', '', 'wire.invalid');
  }

  /** Immutable, hence its own clone. */
  override clone(): URI {
    return this;
  }

  override toString(): string {
    return this.text;
  }

  override toRaw(): string {
    return this.text;
  }
}

/** Throws `message.malformed` when the URI cannot be read. */
export function readWireUri(text: string, displayName?: string): WireUri {
  const line = oneLine(text).trim();
  if (parseUri(line) === undefined) throw failure('message.malformed', { detail: `unreadable URI ${line}` });
  return new WireUri(line, nameAddrText(line, displayName));
}
