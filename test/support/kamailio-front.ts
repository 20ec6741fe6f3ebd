import type { ChildProgram } from './child-program.js';
import { freePorts } from './free-port.js';
import { startKamailio } from './kamailio-program.js';
import type { TestAuthority } from './test-certificate.js';

export type FrontTransport = 'udp' | 'tcp' | 'tls';

/** A stateful proxy that stays in the path of every call and changes between transports; it asks nobody for a password. */
export class KamailioFront {
  private constructor(
    private readonly ports: Readonly<Record<FrontTransport, number>>,
    private program: ChildProgram,
    private readonly launch: () => Promise<ChildProgram>,
  ) {}

  /** With an authority it speaks TLS too: it shows a certificate of that for localhost and 127.0.0.1, and wants one. */
  static async start(program: string, authority: TestAuthority | undefined): Promise<KamailioFront> {
    const [plain = 0, secure = 0] = await freePorts(2);
    const own = authority?.issue('DNS:localhost', 'IP:127.0.0.1');
    const files: Record<string, string> =
      authority === undefined || own === undefined
        ? {}
        : { 'ca.pem': authority.ca, 'cert.pem': own.cert, 'key.pem': own.key, 'tls.cfg': tlsConfig };
    const config = configText(plain, own === undefined ? undefined : secure);
    const ports = { udp: plain, tcp: plain, tls: secure };
    const launch = (): Promise<ChildProgram> => startKamailio(program, config, plain, files);
    return new KamailioFront(ports, await launch(), launch);
  }

  portOf(transport: FrontTransport): number {
    return this.ports[transport];
  }

  /** `sip:127.0.0.1:port;transport=…` */
  uri(transport: FrontTransport): string {
    return `sip:127.0.0.1:${this.ports[transport]};transport=${transport}`;
  }

  /** Its log. */
  get output(): string {
    return this.program.output;
  }

  /** Ends it and starts it again: connections and transactions are lost, the path of calls is not. */
  async restart(): Promise<void> {
    await this.program.stop();
    this.program = await this.launch();
  }

  close(): Promise<void> {
    return this.program.stop();
  }
}

const tlsConfig = ['server', 'client']
  .map(
    (side) => `[${side}:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = ${side === 'client' ? 'yes' : 'no'}
ca_list = ./ca.pem
certificate = ./cert.pem
private_key = ./key.pem
`,
  )
  .join('\n');

const modules = ['kex', 'tm', 'sl', 'rr', 'pv', 'maxfwd', 'textops', 'siputils'];

function configText(plain: number, secure: number | undefined): string {
  const tls =
    secure === undefined
      ? ''
      : `enable_tls=yes
listen=tls:127.0.0.1:${secure}
loadmodule "tls.so"
modparam("tls", "config", "./tls.cfg")`;
  return `#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=2
tcp_children=2
auto_aliases=no
server_signature=no
disable_core_dump=yes
listen=udp:127.0.0.1:${plain}
listen=tcp:127.0.0.1:${plain}
${tls}
${modules.map((name) => `loadmodule "${name}.so"`).join('\n')}

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
  record_route();
  t_relay();
}
`;
}
