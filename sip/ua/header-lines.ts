import { serializeUri, type NameAddr } from '../message/index.js';
import type { HeaderList, HeaderView, Party } from '../leg.js';

/** Header fields that the stack writes itself; a caller of a leg cannot set them. */
const ownHeaders = new Set([
  'via',
  'from',
  'to',
  'call-id',
  'cseq',
  'contact',
  'route',
  'record-route',
  'content-length',
  'content-type',
  'supported',
  'allow',
  'rseq',
  'rack',
]);

/** Control characters; CR and LF would start a header field of a peer's choosing. */
const controls = /\p{Cc}+/gu;

/** The text on one line. */
export function oneLine(text: string): string {
  return text.replace(controls, ' ');
}

/** The header fields that may be sent for a caller of a leg, each on one line. */
export function safeHeaders(headers: HeaderList): HeaderList {
  return headers.filter(([name]) => !ownHeaders.has(name.toLowerCase())).map(onOneLine);
}

/**
 * Those of an answer: our `own`, and the others that may be sent. Allow is the answerer's when we say nothing: 405 must have it
 * (RFC 3261 §21.4.6), the answer to OPTIONS should.
 */
export function answerHeaders(own: HeaderList, headers: HeaderList): HeaderList {
  const isAllow = ([name]: HeaderList[number]): boolean => name.toLowerCase() === 'allow';
  const allow = own.some(isAllow) ? [] : headers.filter(isAllow);
  return [...own, ...allow.map(onOneLine), ...safeHeaders(headers)];
}

function onOneLine([name, value]: HeaderList[number]): HeaderList[number] {
  return [oneLine(name), oneLine(value)];
}

/** The same as `Name: value` lines, the form in which sip.js takes them. */
export function headerLines(headers: HeaderList): string[] {
  return headers.map(([name, value]) => `${name}: ${value}`);
}

/** From and To without their parameters (RFC 3261 §25.1 name-addr). */
export function nameAddrText(uri: string, displayName: string | undefined): string {
  if (displayName === undefined || displayName === '') return `<${uri}>`;
  return `"${oneLine(displayName).replace(/[\\"]/g, '\\$&')}" <${uri}>`;
}

export function partyOf(address: NameAddr): Party {
  const uri = serializeUri(address.uri);
  return address.displayName === undefined ? { uri } : { uri, displayName: address.displayName };
}

/** Does Require or Supported list this option tag (RFC 3261 §19.2)? */
export function hasOptionTag(headers: HeaderView, name: 'require' | 'supported', tag: string): boolean {
  return headers.getAll(name).some((value) =>
    value
      .toLowerCase()
      .split(',')
      .some((each) => each.trim() === tag),
  );
}
