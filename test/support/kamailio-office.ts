import type { ChildProgram } from './child-program.js';
import { freePort } from './free-port.js';
import { startKamailio } from './kamailio-program.js';

export interface KamailioOfficeOptions {
  readonly program: string;
  /** What the phones sign in to. */
  readonly domain: string;
  /** Passwords by extension. */
  readonly extensions: Readonly<Record<string, string>>;
  /** It takes Path (RFC 3327); otherwise it would not know where the browsers are. */
  readonly takesPath?: boolean;
  /** Seconds that a registration lasts at most. */
  readonly maxExpires?: number;
}

/**
 * A PBX with extensions: registrar, presence server and record-routing proxy that wants digest from everybody, with the
 * Request-URI in it. A MESSAGE to `voicemail` makes it tell the sender, unasked, that there is a new message (MWI).
 */
export class KamailioOffice {
  private constructor(
    readonly port: number,
    private readonly program: ChildProgram,
  ) {}

  /** Starts it and waits until it answers OPTIONS. */
  static async start(options: KamailioOfficeOptions): Promise<KamailioOffice> {
    const port = await freePort();
    return new KamailioOffice(port, await startKamailio(options.program, configText(options, port), port));
  }

  /** `127.0.0.1:port` */
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
  'uac',
  'xlog',
  'presence',
  'presence_xml',
];

function configText(
  { domain, extensions, maxExpires = 3600, takesPath = false }: KamailioOfficeOptions,
  port: number,
): string {
  const passwords = Object.entries(extensions).map(([name, word]) => `$sht(password=>${name}) = "${word}";`);
  const realm = `office of ${domain}`;
  return `#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=2
disable_tcp=yes
auto_aliases=no
server_signature=no
disable_core_dump=yes
alias=${domain}
listen=udp:127.0.0.1:${port}
${modules.map((name) => `loadmodule "${name}.so"`).join('\n')}
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_contacts", 10)
modparam("registrar", "use_path", ${takesPath ? 1 : 0})
modparam("registrar", "max_expires", ${maxExpires})
modparam("htable", "htable", "password=>size=4;")
modparam("presence", "subs_db_mode", 0)
modparam("presence", "publ_cache", 2)
modparam("presence", "server_address", "sip:presence@127.0.0.1:${port}")
modparam("presence", "send_fast_notify", 1)
modparam("presence_xml", "force_active", 1)

event_route[htable:mod-init] {
  ${passwords.join('\n  ')}
}

request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("OPTIONS") && uri == myself && $rU == $null) { sl_send_reply("200", "OK"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (has_totag()) {
    if (is_method("SUBSCRIBE")) { route(PRESENCE); exit; }
    if (loose_route()) { t_relay(); exit; }
    if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
    sl_send_reply("404", "Not here");
    exit;
  }
  t_check_trans();
  if (is_method("NOTIFY") && src_port == ${port}) { route(PHONE); exit; }
  if (is_method("REGISTER")) {
    $var(password) = $sht(password=>$au);
    if ($au == $null || !pv_www_authenticate("${realm}", "$var(password)", "0")) {
      www_challenge("${realm}", "1");
      exit;
    }
    route(SIGNED);
    if (!save("location")) sl_reply_error();
    exit;
  }
  $var(password) = $sht(password=>$au);
  if ($au == $null || !pv_proxy_authenticate("${realm}", "$var(password)", "0")) {
    proxy_challenge("${realm}", "1");
    exit;
  }
  route(SIGNED);
  consume_credentials();
  if (is_method("SUBSCRIBE|PUBLISH")) { route(PRESENCE); exit; }
  if (is_method("MESSAGE") && $rU == "voicemail") {
    sl_send_reply("202", "Accepted");
    $uac_req(method) = "NOTIFY";
    $uac_req(ruri) = "sip:" + $fU + "@${domain}";
    $uac_req(furi) = "sip:voicemail@${domain}";
    $uac_req(turi) = "sip:" + $fU + "@${domain}";
    $uac_req(ouri) = "sip:127.0.0.1:${port}";
    $uac_req(hdrs) = "Event: message-summary\\r\\nSubscription-State: active\\r\\nContent-Type: application/simple-message-summary\\r\\n";
    $uac_req(body) = "Messages-Waiting: yes\\r\\nVoice-Message: 2/1\\r\\n";
    uac_req_send();
    exit;
  }
  if (is_method("INVITE")) record_route();
  route(PHONE);
}

route[SIGNED] {
  if ($adu != $ru) { sl_send_reply("400", "Digest for another URI"); exit; }
  if ($au != $fU) { sl_send_reply("403", "Somebody else"); exit; }
}

route[PHONE] {
  if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
  t_relay();
}

route[PRESENCE] {
  if (!t_newtran()) { sl_reply_error(); exit; }
  if (is_method("PUBLISH")) handle_publish();
  else handle_subscribe();
  t_release();
}
`;
}
