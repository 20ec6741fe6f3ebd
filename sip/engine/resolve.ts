import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { bareAddress } from './transport/local-address.js';

/**
 * Finds the address of a SIP host: a literal at once, a name through the machine's resolver (A and AAAA).
 * `done` gets undefined when the name has no address.
 */
export function resolveHost(host: string, done: (address: string | undefined) => void): void {
  const literal = bareAddress(host);
  if (isIP(literal) !== 0) {
    done(literal);
    return;
  }
  lookup(literal, { verbatim: false }, (error, address) => done(error === null ? address : undefined));
}
