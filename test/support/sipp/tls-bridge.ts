import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TlsSettings } from '../../../sip/engine/transport/tls-trust.js';
import { ChildProgram } from '../child-program.js';
import { freePort } from '../free-port.js';
import { untilListening } from '../listening.js';
import type { TestAuthority } from '../test-certificate.js';

const host = '127.0.0.1';

/** The engine's TLS settings for a peer behind a bridge: both sides verify the other's address by this authority. */
export function bridgedTls(authority: TestAuthority): TlsSettings {
  const { ca } = authority;
  return { ...authority.issue(`IP:${host}`), clientCa: ca, peers: [{ host, ca }] };
}

/** stunnel between SIPp, which has no TLS in Debian, and the engine's TLS port. Each side must show a certificate. */
export class TlsBridge {
  private constructor(
    private readonly program: ChildProgram,
    /** Takes TCP, for the engine over TLS. */
    readonly towardsEngine: number,
    /** Takes TLS, for SIPp over TCP. */
    readonly towardsSipp: number,
    /** Where SIPp has to listen. */
    readonly sipp: number,
  ) {}

  static async start(stunnel: string, authority: TestAuthority, enginePort: number): Promise<TlsBridge> {
    const [accept, tls, sipp] = [await freePort(), await freePort(), await freePort()];
    const folder = ChildProgram.createFolder('stunnel');
    const { cert, key } = authority.issue(`IP:${host}`);
    writeFileSync(join(folder, 'ca.pem'), authority.ca);
    writeFileSync(join(folder, 'own.pem'), `${key}\n${cert}`);
    writeFileSync(join(folder, 'stunnel.conf'), configText({ accept, enginePort, tls, sipp }));
    const program = ChildProgram.start(stunnel, ['stunnel.conf'], folder);
    try {
      await Promise.all([untilListening('tcp', accept), untilListening('tcp', tls)]);
    } catch (error) {
      await program.stop();
      throw new Error(`stunnel does not listen: ${program.output}`, { cause: error });
    }
    return new TlsBridge(program, accept, tls, sipp);
  }

  close(): Promise<void> {
    return this.program.stop();
  }
}

interface Ports {
  readonly accept: number;
  readonly enginePort: number;
  readonly tls: number;
  readonly sipp: number;
}

function configText({ accept, enginePort, tls, sipp }: Ports): string {
  return [
    ...['foreground = yes', 'pid =', 'syslog = no', 'debug = warning'],
    ...['socket = l:TCP_NODELAY=1', 'socket = r:TCP_NODELAY=1'],
    ...['cert = own.pem', 'CAfile = ca.pem', 'verifyChain = yes'],
    ...['[to-engine]', 'client = yes', `accept = ${host}:${accept}`],
    ...[`connect = ${host}:${enginePort}`, `checkIP = ${host}`],
    ...['[to-sipp]', `accept = ${host}:${tls}`, `connect = ${host}:${sipp}`, ''],
  ].join('\n');
}
