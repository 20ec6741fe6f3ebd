import type { SdpCrypto } from './description.js';

/** SRTP protection profiles with keys in SDP that can be agreed on, and the bytes of master key and salt together. */
const keyBytes: ReadonlyMap<string, number> = new Map([
  ['AES_CM_128_HMAC_SHA1_80', 30],
  ['AES_CM_128_HMAC_SHA1_32', 30],
  ['AES_256_CM_HMAC_SHA1_80', 46],
  ['AES_256_CM_HMAC_SHA1_32', 46],
  ['AEAD_AES_128_GCM', 28],
  ['AEAD_AES_256_GCM', 44],
]);

/** What every end with SDES knows (RFC 4568 §6.2), in our order of preference. */
export const commonSuites: readonly string[] = ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'];

/** Bytes of master key and salt for a suite (RFC 4568 §6.2, RFC 6188 §2, RFC 7714 §14.1); undefined: not known here. */
export function suiteKeyBytes(suite: string): number | undefined {
  return keyBytes.get(suite);
}

/**
 * Reads the parts of `a=crypto:<tag> <suite> <key parameters>` (RFC 4568 §9.1). Undefined when the line cannot be
 * agreed on: an unknown suite, a key of the wrong length, several keys, or session parameters, which change the
 * protection (RFC 4568 §6.3) and are not offered by us.
 */
export function readCrypto(
  tag: string,
  suite: string,
  keyParameters: string,
  sessionParameters: string,
): SdpCrypto | undefined {
  const bytes = keyBytes.get(suite);
  if (bytes === undefined || !/^[1-9]\d{0,8}$/.test(tag) || sessionParameters !== '') return undefined;
  if (!keyParameters.startsWith('inline:') || keyParameters.includes(';')) return undefined;
  const [key = '', ...rest] = keyParameters.slice('inline:'.length).split('|');
  if (!isKey(key, bytes) || rest.length > 2) return undefined;
  const mki = rest.find((part) => part.includes(':'));
  const lifetime = rest.find((part) => !part.includes(':'));
  if (lifetime !== undefined && !/^(?:2\^)?\d{1,15}$/.test(lifetime)) return undefined;
  return {
    tag: Number(tag),
    suite,
    key,
    ...(lifetime === undefined ? {} : { lifetime }),
    ...(mki === undefined ? {} : { mki }),
  };
}

/**
 * The line of an offer to answer with: the offerer's first (RFC 4568 §7.1.2) of the suites taken. Lines with a master key
 * identifier are passed over: it would stand in every packet.
 */
export function chooseCrypto(
  offered: readonly SdpCrypto[],
  taken: readonly string[] = commonSuites,
): SdpCrypto | undefined {
  return offered.find((line) => line.mki === undefined && taken.includes(line.suite));
}

/** The line of an answer, which must name one of ours by tag and suite (RFC 4568 §7.1.3); undefined: it does not. */
export function answeredCrypto(
  answer: readonly SdpCrypto[],
  offered: readonly SdpCrypto[],
): SdpCrypto | undefined {
  const [chosen, ...more] = answer;
  if (chosen === undefined || more.length > 0 || chosen.mki !== undefined) return undefined;
  return offered.some((line) => line.tag === chosen.tag && line.suite === chosen.suite) ? chosen : undefined;
}

/**
 * A line of ours. `random` gives that many unpredictable bytes; each line needs its own (RFC 4568 §6.1).
 *
 * @throws RangeError for a suite that is not known
 */
export function ownCrypto(tag: number, suite: string, random: (sizeBytes: number) => Buffer): SdpCrypto {
  const bytes = keyBytes.get(suite);
  if (bytes === undefined) throw new RangeError(`unknown SRTP suite ${suite}`);
  return { tag, suite, key: random(bytes).toString('base64') };
}

/** The key parameters as written: `inline:` with the key and what belongs to it. */
export function keyParameters({ key, lifetime, mki }: SdpCrypto): string {
  return ['inline:' + key, lifetime, mki].filter((part) => part !== undefined).join('|');
}

/** Base64 of exactly `bytes` bytes; the padding may be left out, as some write it. */
function isKey(key: string, bytes: number): boolean {
  if (!/^[A-Za-z0-9+/]{1,80}={0,2}$/.test(key)) return false;
  return Buffer.from(key, 'base64').length === bytes;
}
