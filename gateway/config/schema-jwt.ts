import { z } from 'zod';
import { tokenAlgorithms } from './signing-keys.js';
import * as field from './fields.js';

/** The section `jwt:`. */
export const jwt = z
  .strictObject({
    jwks_url: field
      .webUrl(
        'URL of the JWK set with the public keys. Keys that are new there are found when the first token comes that is signed with them. https, or http on this machine.',
        'https://id.example.com/jwks.json',
      )
      .optional(),
    keys_file: field
      .text(
        'File with the public keys: a JWK set, or one key, PEM.',
        'a file name',
        '/etc/webtrunk/jwks.json',
      )
      .optional(),
    public_key: field
      .text(
        'The public key itself, PEM.',
        'a public key, PEM',
        '${JWT_PUBLIC_KEY}',
        /^\s*-----BEGIN PUBLIC KEY-----/,
      )
      .optional(),
    algorithms: z
      .array(field.choice('', tokenAlgorithms))
      .min(1)
      .meta({
        description: 'Algorithms that tokens may be signed with. There is none without a public key.',
        expected: `a list of ${tokenAlgorithms.join(', ')}`,
        example: '[RS256, ES256]',
      })
      .default(['RS256', 'ES256', 'EdDSA']),
    audience: field.text('What `aud` of a token must name.', 'text', 'webtrunk'),
    issuer: field
      .text('What `iss` of a token must be. Default: anything.', 'text', 'https://id.example.com')
      .optional(),
    aor_claim: field
      .text(
        'Claim that names the user: `sip:alice@example.com`, `alice@example.com`, or `alice` when one domain only has `auth: jwt`.',
        'the name of a claim',
        'sip_aor',
      )
      .default('sip_aor'),
    leeway: field
      .duration('How far the clocks of the issuer and of this machine may differ.', 0, 300_000, '5s')
      .default('5s'),
    cookie: field
      .text(
        'Cookie that has the token when the WebSocket is opened, for pages of the same site. Not with `websocket.origins: ["*"]`.',
        'the name of a cookie',
        'webtrunk_token',
        /^[A-Za-z0-9_-]{1,64}$/,
      )
      .optional(),
    authz_server: field
      .webUrl('Told to clients that have no token (RFC 8898). Default: nothing.', 'https://id.example.com')
      .optional(),
    login_url: field
      .webUrl(
        'Page that the softphone sends people to who have no token; it sends them back with `#access_token=TOKEN`.',
        'https://id.example.com/login?return=phone',
      )
      .optional(),
  })
  .meta({
    description:
      'Tokens of the domains with `auth: jwt`. Keys come from one of `jwks_url`, `keys_file` and `public_key`.',
    example: '{ jwks_url: "https://id.example.com/jwks.json", audience: webtrunk }',
  });
