import { z } from 'zod';
import * as field from './fields.js';
import { callerId, headers, numbers } from './schema-identity.js';
import * as upkeep from './schema-upkeep.js';
import { presetNames } from './presets.js';

/** `trunks:` and `routes:` of the configuration file. */

const codecs = ['opus', 'G722', 'PCMU', 'PCMA'] as const;
const videoCodecs = ['VP8', 'H264'] as const;

const nameOf = (what: string, example: string) =>
  field.text(
    `Name of the ${what}, for routes, log and API.`,
    'letters, digits, dots and dashes',
    example,
    field.label,
  );

export const trunk = z.strictObject({
  name: nameOf('trunk', 'office'),
  preset: field
    .choice(
      'A kind of PBX or carrier whose usual keys are filled in where this trunk does not say otherwise; `webtrunk check` shows them.',
      presetNames,
    )
    .optional(),
  type: field.choice(
    '`ip`: both sides know each other by address. `auth`: the trunk asks for a password when we call. `register`: we sign in there too.',
    ['ip', 'auth', 'register'],
  ),
  hosts: z
    .array(
      z.strictObject({
        uri: field.trunkHostUri('Next hop.', '"sip:pbx.example.net:5060;transport=udp"'),
        priority: field.integer('Lower is tried first.', 0, 65_535, 10).default(10),
        weight: upkeep.hostWeight,
      }),
    )
    .min(1)
    .meta({
      description: 'Hosts of the PBX or carrier.',
      expected: 'a list of hosts',
      example: '[{ uri: "sip:pbx.example.net:5060" }]',
    }),
  auth: z
    .strictObject({
      username: field.text('User name for digest.', 'text', 'gw'),
      password: field.secretText('Password for digest.', '${PBX_PASSWORD}'),
      realm: field
        .text(
          'The one realm that gets the password, when we sign in and when we call. Default: any.',
          'text',
          'pbx.example.net',
        )
        .optional(),
    })
    .meta({
      description: 'Needed with `type: auth` and `type: register`.',
      example: '{ username: gw, password: ${PBX_PASSWORD} }',
    })
    .optional(),
  from: z
    .strictObject({
      user: field
        .text('User part of From in every call.', 'a number or name', '"+15551230000"', field.phoneNumber)
        .optional(),
      domain: field.host('Host part of From.', 'example.com').optional(),
    })
    .meta({
      description: 'What From shows instead of the calling user and the host of the trunk.',
      example: '{ user: "+15551230000" }',
    })
    .optional(),
  register: upkeep.register.optional(),
  options: upkeep.options.optional(),
  attempt_timeout: upkeep
    .attemptTimeout(
      'How long a host may leave a call without any answer before the next is tried. Default: `limits.attempt_timeout`.',
    )
    .optional(),
  progress_timeout: upkeep
    .progressTimeout(
      'How long a host that has said 100 Trying may take until a phone rings before the next is tried. Default: `limits.progress_timeout`.',
    )
    .optional(),
  failover_on: upkeep.failoverOn.optional(),
  limits: upkeep
    .callLimits(
      'Limits of the trunk, both directions together. When it is full the next of the route is tried.',
    )
    .optional(),
  tls: z
    .strictObject({
      ca: field
        .text(
          'File with the authorities that are trusted for this trunk, PEM. Default: the public ones.',
          'a file name',
          '/etc/webtrunk/pbx-ca.crt',
        )
        .optional(),
      fingerprint: field
        .fingerprint(
          'SHA-256 of the certificate of the trunk: then nothing else of it is verified.',
          `"${Array.from({ length: 32 }, () => 'AB').join(':')}"`,
        )
        .optional(),
      server_name: field
        .host('Name in the certificate when it is not that in `hosts`.', 'sip.example.net')
        .optional(),
      cert: field
        .text(
          'File with a certificate of ours for this trunk alone, PEM.',
          'a file name',
          '/etc/webtrunk/carrier.crt',
        )
        .optional(),
      key: field
        .text('File with its private key, PEM.', 'a file name', '/etc/webtrunk/carrier.key')
        .optional(),
    })
    .meta({
      description: 'How the trunk proves who it is over TLS, and what it is shown.',
      example: '{ ca: /etc/webtrunk/pbx-ca.crt }',
    })
    .optional(),
  inbound: z
    .strictObject({
      allow: z
        .array(field.source('', '198.51.100.0/24'))
        .meta({
          description: 'Who may call in. Default: the addresses of `hosts`.',
          expected: 'a list of addresses',
          example: '[198.51.100.0/24]',
        })
        .optional(),
      numbers: z
        .array(field.text('', 'a number', '"+15551230000"', field.phoneNumber))
        .meta({
          description: 'Numbers that may be called from the trunk. Default: all that a route takes.',
          expected: 'a list of numbers',
          example: '["+15551230000"]',
        })
        .optional(),
      trust_identity: field
        .flag('P-Asserted-Identity of the trunk is believed and shown to whoever is called.')
        .default(false),
      number_from: upkeep.numberFrom,
    })
    .meta({ description: 'Calls from the trunk.', example: '{ allow: [198.51.100.0/24] }' })
    .prefault({}),
  numbers,
  caller_id: callerId,
  headers,
  media: z
    .strictObject({
      codecs: z
        .array(field.choice('', codecs))
        .min(1)
        .meta({
          description: 'Codecs offered and taken, in order of preference. Default: all.',
          expected: `a list of ${codecs.join(', ')}`,
          example: '[opus, PCMU, PCMA]',
        })
        .optional(),
      video: z
        .array(field.choice('', videoCodecs))
        .meta({
          description:
            'Video codecs offered and taken, in order of preference. Default: none, calls have no video. Needs `media.engine: relay`.',
          expected: `a list of ${videoCodecs.join(', ')}`,
          example: '[VP8, H264]',
        })
        .default([]),
      ptime: field
        .integer('Milliseconds of audio in a packet that are asked for.', 10, 120, 20)
        .multipleOf(10)
        .optional(),
      dtmf: field
        .choice(
          'How the trunk sends and takes DTMF. `rfc4733`: events in RTP. `info`: INFO with `application/dtmf-relay`. `info_dtmf`: INFO with `application/dtmf`, which tells no duration. Both INFO kinds need `media.engine: relay`.',
          ['rfc4733', 'info', 'info_dtmf'],
        )
        .default('rfc4733'),
      srtp: field
        .choice(
          'SRTP with keys in SDP (SDES). `off`: the trunk gets plain RTP. `optional`: keys stand beside RTP/AVP, and the audio is encrypted when the other side does so too (RFC 8643). `required`: RTP/SAVP, and no call without. Needs `media.engine: rtpengine`, and `transport=tls` in `hosts` lest everybody on the way reads the keys.',
          ['off', 'optional', 'required'],
        )
        .default('off'),
    })
    .meta({ description: 'Audio and video of the trunk.', example: '{ codecs: [PCMA], ptime: 20 }' })
    .prefault({}),
});
