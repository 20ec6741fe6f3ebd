import { z } from 'zod';
import * as field from './fields.js';

const iceServer = z.strictObject({
  urls: z
    .array(
      field.text('', 'a stun: or turn: URL', '"stun:stun.example.com:3478"', /^(?:stuns?|turns?):[^\s]+$/),
    )
    .min(1)
    .meta({
      description: 'URLs of the server.',
      expected: 'a list of stun: and turn: URLs',
      example: '["turn:turn.example.com:3478"]',
    }),
  username: field.text('User name for TURN.', 'text', 'webtrunk').optional(),
  credential: field
    .secretText(
      'Password for TURN. Everybody who can load the page gets it: rather use `secret`.',
      '${TURN_PASSWORD}',
    )
    .optional(),
  secret: field
    .secretText(
      'Secret shared with the TURN server (coturn: `static-auth-secret`). Whoever has signed in gets a user name and a password that last for `ttl`.',
      '${TURN_SECRET}',
    )
    .optional(),
  ttl: field
    .duration('How long a password made with `secret` lasts.', 60_000, 86_400_000, '1h')
    .default('1h'),
});

/** The section `ice:`. */
export const ice = z
  .strictObject({
    servers: z
      .array(iceServer)
      .meta({
        description: 'STUN and TURN servers for the pages.',
        expected: 'a list of servers',
        example: '[{ urls: ["stun:stun.example.com:3478"] }]',
      })
      .default([]),
    filter_private_candidates: z
      .boolean()
      .meta({
        description:
          'Takes private addresses out of descriptions that pass between two ends untranslated (`browser_to_browser: direct`, `engine: passthrough`). Browsers on one private network then need a TURN server between them.',
        expected: 'true or false',
        example: 'true',
      })
      .default(false),
  })
  .meta({ description: 'ICE: how browsers find the way to the other side.' });
