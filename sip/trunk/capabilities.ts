import type { HeaderList } from '../leg.js';

/** Methods that the trunk side answers, and option tags that it (with the engine below it) speaks. */
export const allowedMethods = [
  'INVITE',
  'ACK',
  'CANCEL',
  'BYE',
  'OPTIONS',
  'INFO',
  'MESSAGE',
  'UPDATE',
  'PRACK',
] as const;

export const allow: HeaderList = [['Allow', allowedMethods.join(', ')]];

/** Option tags that an INVITE to us may require (RFC 3262; RFC 4028: the session timer is the engine's business). */
export const understoodOptions: readonly string[] = ['100rel', 'timer'];

/** What an answer to OPTIONS says (RFC 3261 §11.2). */
export const optionsAnswer: HeaderList = [
  ...allow,
  ['Accept', 'application/sdp'],
  ['Accept-Encoding', 'identity'],
  ['Accept-Language', 'en'],
  ['Supported', understoodOptions.join(', ')],
];
