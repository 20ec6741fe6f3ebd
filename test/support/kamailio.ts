import type { ChildProgram } from './child-program.js';
import { freePort } from './free-port.js';
import { startKamailio } from './kamailio-program.js';

export interface KamailioOptions {
  readonly program: string;
  /** Passwords of phones and of the trunk account, by user. */
  readonly users: Readonly<Record<string, string>>;
  /** Numbers that lead to the gateway, and its `host:port`. */
  readonly gateway: { readonly numbers: readonly string[]; readonly address: string };
  /** Telephones that do not register: their `host:port` by number. */
  readonly phones?: Readonly<Record<string, string>>;
  /** UDP port; a free one when not given. */
  readonly port?: number;
  /** Shortest registration in seconds; what asks for less gets 423 with Min-Expires. */
  readonly minExpires?: number;
  /** The first REGISTER with credentials gets 503 with this Retry-After, in seconds. */
  readonly busyForSeconds?: number;
}

/** What Kamailio asks passwords for. */
export const kamailioRealm = 'pbx.example';

/** A PBX: registrar and record-routing proxy that wants digest from phones and trunks, on loopback. */
export class Kamailio {
  private constructor(
    readonly port: number,
    private readonly program: ChildProgram,
  ) {}

  /** Starts it and waits until it answers OPTIONS. */
  static async start(options: KamailioOptions): Promise<Kamailio> {
    const port = options.port ?? (await freePort());
    return new Kamailio(port, await startKamailio(options.program, configText(options, port), port));
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

  /** It stays silent until {@link resume}. */
  pause(): void {
    this.program.pause();
  }

  resume(): void {
    this.program.resume();
  }

  close(): Promise<void> {
    return this.program.stop();
  }
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

/** Refuses the first REGISTER that gets here, when it is to. */
function busy(seconds: number | undefined): string {
  if (seconds === undefined) return '';
  return `
    if ($sht(refused=>once) == $null) {
      $sht(refused=>once) = 1;
      append_to_reply("Retry-After: ${seconds}\\r\\n");
      sl_send_reply("503", "Busy");
      exit;
    }`;
}

function configText(options: KamailioOptions, port: number): string {
  const { users, gateway, minExpires, busyForSeconds } = options;
  const shortest =
    minExpires === undefined
      ? ''
      : `modparam("registrar", "min_expires", ${minExpires})
modparam("registrar", "min_expires_mode", 1)`;
  const passwords = Object.entries(users).map(
    ([name, password]) => `$sht(password=>${name}) = "${password}";`,
  );
  const phones = Object.entries(options.phones ?? {}).map(
    ([number, address]) => `if ($rU == "${number}") { $ru = "sip:${number}@${address}"; t_relay(); exit; }`,
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
${shortest}
modparam("htable", "htable", "refused=>size=2;")
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
  if (is_method("REGISTER")) {${digest('pv_www_authenticate', 'www_challenge')}${busy(busyForSeconds)}
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
  ${phones.join('\n  ')}
  if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
  t_relay();
}
`;
}
