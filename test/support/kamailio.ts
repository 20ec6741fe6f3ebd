import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChildProgram } from './child-program.js';
import { freePort } from './free-port.js';

export interface KamailioOptions {
  readonly program: string;
  /** Passwords of phones and of the trunk account, by user. */
  readonly users: Readonly<Record<string, string>>;
  /** Numbers that lead to the gateway, and its `host:port`. */
  readonly gateway: { readonly numbers: readonly string[]; readonly address: string };
  /** UDP port; a free one when not given. */
  readonly port?: number;
}

/** What Kamailio asks passwords for. */
export const kamailioRealm = 'pbx.example';

const readyWithinMs = 10_000;
const askEveryMs = 100;

/** A PBX: registrar and record-routing proxy that wants digest from phones and trunks, on loopback. */
export class Kamailio {
  private constructor(
    readonly port: number,
    private readonly program: ChildProgram,
  ) {}

  /** Starts it and waits until it answers OPTIONS. */
  static async start(options: KamailioOptions): Promise<Kamailio> {
    const port = options.port ?? (await freePort());
    const folder = ChildProgram.createFolder('kamailio');
    const config = join(folder, 'kamailio.cfg');
    writeFileSync(config, configText(options, port));
    const args = ['-f', config, '-DD', '-E', '-Y', folder, '-w', folder, '-m', '16', '-M', '4'];
    const kamailio = new Kamailio(port, ChildProgram.start(options.program, args, folder));
    try {
      await kamailio.#ready();
    } catch (error) {
      await kamailio.close();
      throw error;
    }
    return kamailio;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** `sip:127.0.0.1:port;transport=udp` */
  get uri(): string {
    return `sip:${this.address};transport=udp`;
  }

  /** Its log. */
  get output(): string {
    return this.program.output;
  }

  close(): Promise<void> {
    return this.program.stop();
  }

  async #ready(): Promise<void> {
    const socket = createSocket('udp4');
    try {
      await new Promise<void>((resolve, reject) => {
        const ask = (): void => {
          if (!this.program.running) return reject(new Error(`kamailio has ended:\n${this.output}`));
          socket.send(optionsText(this.port, socket.address().port), this.port, '127.0.0.1');
        };
        const asking = setInterval(ask, askEveryMs);
        const late = setTimeout(() => {
          reject(new Error(`kamailio is silent:\n${this.output}`));
        }, readyWithinMs);
        socket.on('message', () => resolve());
        socket.on('close', () => {
          clearInterval(asking);
          clearTimeout(late);
        });
        socket.bind(0, '127.0.0.1', ask);
      });
    } finally {
      socket.close();
    }
  }
}

function optionsText(port: number, from: number): string {
  return [
    `OPTIONS sip:127.0.0.1:${port} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${from};branch=z9hG4bKready${from}`,
    'Max-Forwards: 5',
    `From: <sip:test@127.0.0.1:${from}>;tag=ready`,
    `To: <sip:127.0.0.1:${port}>`,
    `Call-ID: ready-${from}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

const modules = [
  'kex',
  'tm',
  'sl',
  'rr',
  'pv',
  'maxfwd',
  'usrloc',
  'registrar',
  'textops',
  'siputils',
  'htable',
  'auth',
];

/** Digest check of a request: challenges whoever is unknown or wrong. */
function digest(check: string, challenge: string): string {
  return `
    $var(password) = $sht(password=>$au);
    if ($au == $null || !${check}("${kamailioRealm}", "$var(password)", "0")) {
      ${challenge}("${kamailioRealm}", "1");
      exit;
    }`;
}

function configText({ users, gateway }: KamailioOptions, port: number): string {
  const passwords = Object.entries(users).map(
    ([name, password]) => `$sht(password=>${name}) = "${password}";`,
  );
  const ofGateway = gateway.numbers.map((number) => `$rU == "${number}"`).join(' || ') || 'false';
  return `#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=2
disable_tcp=yes
auto_aliases=no
server_signature=no
disable_core_dump=yes
listen=udp:127.0.0.1:${port}
${modules.map((name) => `loadmodule "${name}.so"`).join('\n')}
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_contacts", 1)
modparam("htable", "htable", "password=>size=4;")

event_route[htable:mod-init] {
  ${passwords.join('\n  ')}
}

request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("OPTIONS") && uri == myself && $rU == $null) { sl_send_reply("200", "OK"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (has_totag()) {
    if (loose_route()) { t_relay(); exit; }
    if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
    sl_send_reply("404", "Not here");
    exit;
  }
  t_check_trans();
  if (is_method("REGISTER")) {${digest('pv_www_authenticate', 'www_challenge')}
    if (!save("location")) sl_reply_error();
    exit;
  }
  if (is_method("INVITE|MESSAGE")) {${digest('pv_proxy_authenticate', 'proxy_challenge')}
    consume_credentials();
  }
  if (is_method("INVITE")) record_route();
  if (${ofGateway}) {
    $ru = "sip:" + $rU + "@${gateway.address}";
    t_relay();
    exit;
  }
  if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
  t_relay();
}
`;
}
