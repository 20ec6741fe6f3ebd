import { isIP } from 'node:net';
import { checkServerIdentity, type ConnectionOptions, type PeerCertificate, type TLSSocket } from 'node:tls';
import { bareAddress } from './local-address.js';

/** How one peer proves who it is, and what we show it, when the defaults do not fit. */
export interface TlsPeer {
  /** The host of the URIs that lead there. */
  readonly host: string;
  /** PEM certificates of the authorities that are trusted for it; default: those that Node.js ships. */
  readonly ca?: string;
  /** SHA-256 fingerprint of its certificate, as hex octets with colons: then nothing else is verified. */
  readonly fingerprint?: string;
  /** The name in its certificate and in SNI; default: `host`. */
  readonly serverName?: string;
  /** PEM, for a peer that asks for a certificate of ours other than that of the listener. */
  readonly certificate?: { readonly cert: string; readonly key: string };
}

/** The TLS side of the engine. */
export interface TlsSettings {
  /** PEM: our certificate with its chain, shown by the listeners, and to peers that ask for one. */
  readonly cert: string;
  readonly key: string;
  /** PEM authorities: when given, peers that connect must show a certificate of theirs (mutual TLS). */
  readonly clientCa?: string;
  readonly peers?: readonly TlsPeer[];
}

const minVersion = 'TLSv1.2';

/** RFC 5922 §7.2: a `sip:` URI in the certificate names the domain; else a DNS name or IP address must. */
function checkSipIdentity(name: string, certificate: PeerCertificate): Error | undefined {
  const names = (certificate.subjectaltname ?? '').split(', ');
  if (names.includes(`URI:sip:${name}`)) return undefined;
  return checkServerIdentity(name, certificate);
}

const normalised = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase();

/** Whom the engine trusts over TLS, and as whom it shows itself. Can be renewed while connections are up. */
export class TlsTrust {
  constructor(private settings: TlsSettings) {}

  /** For new connections. Returns what was in force. */
  renew(settings: TlsSettings): TlsSettings {
    const before = this.settings;
    this.settings = settings;
    return before;
  }

  /** For a listener. Whether certificates are asked for is fixed when it starts. */
  get listenerOptions() {
    const { cert, key, clientCa } = this.settings;
    const isMutual = clientCa !== undefined;
    return {
      cert,
      key,
      minVersion,
      requestCert: isMutual,
      rejectUnauthorized: isMutual,
      ...(isMutual ? { ca: clientCa } : {}),
    } as const;
  }

  /** For a connection to `host`, which has to prove that name (RFC 5922 §4). */
  connectionOptions(host: string): ConnectionOptions {
    const peer = this.peer(host);
    const name = nameOf(host, peer);
    const { cert, key } = peer?.certificate ?? this.settings;
    return {
      cert,
      key,
      minVersion,
      rejectUnauthorized: peer?.fingerprint === undefined,
      checkServerIdentity: (_host, certificate) => checkSipIdentity(name, certificate),
      // RFC 6066 §3: no addresses in SNI.
      ...(isIP(name) === 0 ? { servername: name } : {}),
      ...(peer?.ca === undefined ? {} : { ca: peer.ca }),
    };
  }

  /** Why a connection whose handshake is over is not trusted all the same. */
  refusal(host: string, socket: TLSSocket): Error | undefined {
    const pinned = this.peer(host)?.fingerprint;
    if (pinned === undefined) return undefined;
    const shown = socket.getPeerCertificate().fingerprint256;
    if (typeof shown === 'string' && normalised(shown) === normalised(pinned)) return undefined;
    return new Error(`the certificate of ${host} has another fingerprint: ${shown ?? 'none'}`);
  }

  private peer(host: string): TlsPeer | undefined {
    const wanted = bareAddress(host).toLowerCase();
    return this.settings.peers?.find((peer) => bareAddress(peer.host).toLowerCase() === wanted);
  }
}

function nameOf(host: string, peer: TlsPeer | undefined): string {
  return peer?.serverName ?? bareAddress(host);
}
