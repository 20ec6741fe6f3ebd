import { z } from 'zod';
import * as field from './fields.js';
import { domain } from './schema-domains.js';
import { drain } from './schema-drain.js';
import { ice } from './schema-ice.js';
import { jwt } from './schema-jwt.js';
import { route, routing } from './schema-routes.js';
import { trunk } from './schema-trunks.js';
import { abuseLimits, fraudLimits } from './schema-limits.js';
import { attemptTimeout, callLimits, progressTimeout } from './schema-upkeep.js';

/** The configuration file as it is written. Nothing is converted here: see settle.ts. */

const listenAddress = (defaultAddress: string, defaultPort: number) => ({
  address: field.ipAddress('IP address to listen on.', defaultAddress).default(defaultAddress),
  port: field.integer('TCP port; 0 for any free one.', 0, 65_535, defaultPort).default(defaultPort),
});

const file = (description: string, example: string) =>
  field.text(description, 'a file name', `/etc/webtrunk/${example}`);

const listen = z
  .strictObject({
    http: z
      .strictObject(listenAddress('0.0.0.0', 8_080))
      .meta({
        description:
          'HTTP and WebSocket for browsers. Beyond localhost browsers give a page the microphone over https only: then put a TLS proxy in front, or use `https`.',
      })
      .optional(),
    https: z
      .strictObject({
        ...listenAddress('0.0.0.0', 8_443),
        cert: file('File with the certificate and its chain, PEM.', 'tls.crt'),
        key: file('File with the private key, PEM.', 'tls.key'),
      })
      .meta({ description: 'HTTPS and WebSocket over TLS for browsers. The files are read again at SIGHUP.' })
      .optional(),
    trusted_proxies: z
      .array(field.network('', '10.0.0.0/8'))
      .meta({
        description:
          'Proxies in front of `http` and `https`: what they say of the address of a client counts, in limits and in the log.',
        expected: 'a list of IP addresses and CIDR blocks',
        example: '[10.0.0.0/8]',
      })
      .default([]),
    proxy_header: field
      .choice('The header that they write it into. The other one is not looked at.', [
        'x-forwarded-for',
        'forwarded',
      ])
      .default('x-forwarded-for'),
    admin: z
      .strictObject({
        ...listenAddress('127.0.0.1', 8_081),
        token: field
          .secretText(
            'Bearer token that the API and the metrics ask for. Needed when the address is not a loopback one.',
            '${WEBTRUNK_ADMIN_TOKEN}',
          )
          .optional(),
      })
      .meta({ description: 'Health checks, metrics and API for operators.' })
      .prefault({}),
  })
  .meta({
    description: 'Where webtrunk listens. At least one of `http` and `https`.',
    example: 'http: { address: 0.0.0.0, port: 8080 }',
  });

const websocket = z
  .strictObject({
    max_message: field
      .size('Largest SIP message that is taken from a browser.', 4_096, 1_048_576, '64KiB')
      .default('64KiB'),
    origins: z
      .array(field.origin('', '"https://phone.example.com"'))
      .meta({
        description:
          'Origins whose pages may connect, or `"*"`. Empty: only pages of the very host that they connect to.',
        expected: 'a list of origins',
        example: '["https://phone.example.com"]',
      })
      .default([]),
    keepalive: field
      .duration('How often each WebSocket is asked for a sign of life.', 1_000, 3_600_000, '25s')
      .default('25s'),
    resume_grace: field
      .duration(
        'How long calls and registrations wait for a browser that lost its connection.',
        0,
        3_600_000,
        '30s',
      )
      .default('30s'),
    per_message_deflate: field
      .flag('Compress WebSocket messages. Costs about 200 KB of memory a connection.')
      .default(false),
  })
  .meta({ description: 'The browser side.' });

const sip = z
  .strictObject({
    engine: field
      .choice('`embedded`: inside webtrunk. `drachtio`: a drachtio-server.', ['embedded', 'drachtio'])
      .default('embedded'),
    embedded: z
      .strictObject({
        listen: z
          .array(field.sipListen('', '"udp:0.0.0.0:5060"'))
          .min(1)
          .meta({
            description: 'Where SIP is taken from PBXs.',
            expected: 'a list of udp:ADDRESS:PORT, tcp:ADDRESS:PORT and tls:ADDRESS:PORT',
            example: '["udp:0.0.0.0:5060", "tcp:0.0.0.0:5060"]',
          })
          .default(['udp:0.0.0.0:5060', 'tcp:0.0.0.0:5060']),
        external_address: field
          .host('Address by which PBXs reach this machine when it is behind NAT.', '203.0.113.5')
          .optional(),
        tls: z
          .strictObject({
            cert: file(
              'File with our certificate and its chain, PEM. PBXs that ask for one see it too.',
              'sip.crt',
            ),
            key: file('File with its private key, PEM.', 'sip.key'),
            client_ca: file(
              'File with authorities, PEM: then only PBXs with a certificate of theirs may connect.',
              'pbx-ca.crt',
            ).optional(),
          })
          .meta({
            description: 'Needed to listen on TLS. Read again at SIGHUP.',
            example: '{ cert: /etc/webtrunk/sip.crt, key: /etc/webtrunk/sip.key }',
          })
          .optional(),
        name_servers: z
          .array(field.nameServer('', '"192.0.2.53"'))
          .min(1)
          .meta({
            description:
              'DNS servers that know the hosts of trunks. Default: those of the machine, and /etc/hosts.',
            expected: 'a list of addresses',
            example: '["192.0.2.53"]',
          })
          .optional(),
      })
      .meta({ description: 'The embedded SIP engine.' })
      .prefault({}),
    drachtio: z
      .strictObject({
        host: field.host('Host of the drachtio-server.', '127.0.0.1').default('127.0.0.1'),
        port: field.integer('Its control port.', 1, 65_535, 9_022).default(9_022),
        secret: field.secretText('Its secret.', '${DRACHTIO_SECRET}'),
        journal: field
          .text(
            'File that notes which calls are up, so that those of a crashed webtrunk are ended at the next start. Without it: the name of the configuration file with `.dialogs.ndjson` in place of its ending, in the same folder.',
            'a file name',
            '/var/lib/webtrunk/dialogs.ndjson',
          )
          .optional(),
        tls: z
          .strictObject({
            ca: file(
              'File with the authorities that sign its certificate, PEM. Default: the public ones.',
              'drachtio-ca.crt',
            ).optional(),
            server_name: field
              .host('Name in its certificate when it is not `host`.', 'sip.example.com')
              .optional(),
          })
          .meta({
            description: 'Connects with TLS; `port` is then its `tls-port`.',
            example: '{ ca: drachtio-ca.crt }',
          })
          .optional(),
      })
      .meta({ description: 'The drachtio-server to use with `engine: drachtio`.' })
      .optional(),
    strangers: field
      .choice(
        'What whoever is in no trunk gets. `silence`: nothing at all. `refuse`: the same 403 to every request. Default: silence; with `engine: drachtio` always `refuse`.',
        ['silence', 'refuse'],
      )
      .optional(),
  })
  .meta({ description: 'The PBX side.' });

const media = z
  .strictObject({
    engine: field
      .choice(
        '`relay`: webtrunk translates between WebRTC and plain RTP. `rtpengine`: one or more rtpengines do. `passthrough`: SDP is left alone, for PBXs that speak WebRTC.',
        ['relay', 'rtpengine', 'passthrough'],
      )
      .default('relay'),
    relay: z
      .strictObject({
        address: field.ipAddress('IP address of this machine as browsers and PBXs reach it.', '203.0.113.5'),
        ports: field
          .portRange(
            'UDP ports for audio and video; a call takes four, or two with `browser_port`, and two more when a PBX takes its video.',
            16,
            '20000-29999',
          )
          .default('20000-29999'),
        browser_port: field
          .integer(
            'The one UDP port of all browsers, for firewalls that open no range; then a call takes two of `ports`, towards PBXs. Each of the `processes` takes one, counted up from here.',
            1,
            65_535,
            8_443,
          )
          .optional(),
        processes: z
          .union([z.literal('auto'), z.int().min(0).max(64)])
          .meta({
            description:
              'Processes that carry audio and video. `auto`: one per processor but one, at most four; one with `browser_port`. A crash of one ends its calls alone. `0`: webtrunk itself does, and ends with its calls when native code crashes.',
            expected: 'auto, or a number from 0 to 64',
            example: 'auto',
          })
          .default('auto'),
      })
      .meta({
        description: 'The embedded media relay. Needed with `engine: relay`.',
        example: '{ address: 203.0.113.5, ports: 20000-29999 }',
      })
      .optional(),
    rtpengine: z
      .array(
        z.strictObject({
          ng: field.ngAddress('Where it takes NG commands (`listen-ng`).', '"udp:127.0.0.1:2223"'),
          weight: field.integer('How many calls it gets, relative to the others.', 1, 1_000, 1).default(1),
        }),
      )
      .min(1)
      .meta({
        description: 'The rtpengines to use with `engine: rtpengine`.',
        expected: 'a list of rtpengines',
        example: '[{ ng: "udp:127.0.0.1:2223", weight: 1 }]',
      })
      .optional(),
    browser_to_browser: field
      .choice(
        '`direct`: audio and video between two browsers do not pass through webtrunk. `anchored`: the media engine is between them, which hides their addresses from each other.',
        ['direct', 'anchored'],
      )
      .default('direct'),
    timeout: field
      .duration(
        'How long both sides of a call may send nothing, while nobody holds, before it is ended with `media.timeout`; `0s`: for ever. Not with `engine: passthrough`.',
        0,
        86_400_000,
        '60s',
      )
      .default('60s'),
  })
  .meta({ description: 'Audio and video.', example: 'relay: { address: 203.0.113.5 }' });

const limits = z
  .strictObject({
    connections_per_ip: field.integer('WebSockets from one address.', 1, 1_000_000, 200).default(200),
    messages_per_second: field.integer('Messages that one WebSocket may send.', 1, 100_000, 50).default(50),
    register_failures_per_minute: field
      .integer('Failed sign-ins of one user from one address before he has to wait there.', 1, 100_000, 10)
      .default(10),
    calls_per_endpoint: field
      .integer('Calls that one browser may have placed at a time.', 1, 1_000, 8)
      .default(8),
    ...abuseLimits,
    attempt_timeout: attemptTimeout(
      'How long a host of a trunk may leave a call without any answer before the next is tried.',
    ).default('10s'),
    progress_timeout: progressTimeout(
      'How long one that has said 100 Trying may take until a phone rings before the next is tried.',
    ).default('20s'),
    user: callLimits('Limits of each user; calls that they place, from all their devices.').optional(),
    fraud: fraudLimits.optional(),
  })
  .meta({ description: 'Protection against clients that want too much.' });

/** The whole file. */
export const fileSchema = z.strictObject({
  listen,
  websocket: websocket.prefault({}),
  domains: z.array(domain).min(1).meta({
    description: 'Domains whose users sign in here.',
    expected: 'a list of domains',
    example: '[{ name: example.com, users: [{ name: alice, password: ${ALICE_PASSWORD} }] }]',
  }),
  jwt: jwt.optional(),
  sip: sip.prefault({}),
  media,
  ice: ice.prefault({}),
  trunks: z
    .array(trunk)
    .meta({
      description: 'PBXs and carriers.',
      expected: 'a list of trunks',
      example: '[{ name: office, type: ip, hosts: [{ uri: "sip:pbx.example.net" }] }]',
    })
    .default([]),
  routes: z
    .array(route)
    .meta({
      description: 'Where calls go; the first route that matches is taken.',
      expected: 'a list of routes',
      example: '[{ name: users, match: "^[a-z]+$", to: users }]',
    })
    .default([]),
  routing: routing.optional(),
  limits: limits.prefault({}),
  cdr: z
    .strictObject({
      file: field
        .text('File that gets one JSON line for each call that has ended.', 'a file name', 'cdr.ndjson')
        .optional(),
      rotate: z
        .strictObject({
          size: field
            .size('The file is put aside before it gets larger.', 1_024, 1_099_511_627_776, '100MiB')
            .default('100MiB'),
          keep: field.integer('Files put aside that are kept.', 1, 100_000, 10).default(10),
        })
        .meta({ description: 'When a new file is begun.', example: '{ size: 100MiB, keep: 10 }' })
        .prefault({}),
      webhook: z
        .union([
          field.webUrl('', '"https://example.com/cdr"'),
          z.strictObject({
            url: field.webUrl('Where each record is posted to.', '"https://example.com/cdr"'),
            token: field.secretText('Bearer token for it.', '${CDR_TOKEN}').optional(),
            timeout: field.duration('How long one answer may take.', 100, 300_000, '10s').default('10s'),
          }),
        ])
        .meta({
          description:
            'URL that gets each record by POST, at least once; `{ url, token, timeout }` when it wants a token.',
          expected: 'a URL, or { url, token, timeout }',
          example: '"https://example.com/cdr"',
        })
        .optional(),
      queue: field
        .text(
          'File for records that the webhook has not taken. Default: `NAME.cdr-queue.ndjson` beside this file.',
          'a file name',
          '/var/lib/webtrunk/cdr-queue.ndjson',
        )
        .optional(),
    })
    .meta({ description: 'Call data records.', example: '{ file: cdr.ndjson }' })
    .prefault({}),
  store: field
    .store(
      'Where registrations, and with rtpengine calls that are up, outlive the process. `memory`: nowhere.',
      'redis://127.0.0.1:6379',
    )
    .default('memory'),
  drain: drain.prefault({}),
  log: z
    .strictObject({
      level: field
        .choice('Least severity that is written.', ['debug', 'info', 'warn', 'error'])
        .default('info'),
      format: field
        .choice('`json`: one JSON object per line. `pretty`: for people.', ['json', 'pretty'])
        .default('json'),
    })
    .meta({ description: 'The log, on standard output.' })
    .prefault({}),
});

export type ConfigFile = z.output<typeof fileSchema>;
