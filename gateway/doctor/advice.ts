import type { Advice } from './finding.js';

const silent: Advice = {
  cause: 'Nobody answers there, or a firewall drops the packets or the answers.',
  change: 'Check address, port and transport in hosts; let this machine through the firewall of the PBX.',
};

const notAuthorised: Advice = {
  cause: 'The PBX does not know this machine.',
  change: 'Enter the address of this machine at the PBX, or use type: auth with its user name and password.',
};

const byStatus: Readonly<Record<number, Advice>> = {
  401: {
    cause: 'The PBX asks for a password.',
    change: 'Use type: auth (or register) with auth: { username, password }.',
  },
  403: notAuthorised,
  404: {
    cause: 'The PBX does not know the number, or not in this form.',
    change: 'Dial it as the PBX expects it (numbers: { out, strip, prefix }).',
  },
  408: silent,
  407: {
    cause: 'A proxy asks for a password.',
    change: 'Use type: auth (or register) with auth: { username, password }.',
  },
  415: { cause: 'The PBX takes no SDP.', change: 'Allow calls with SDP at the PBX.' },
  480: { cause: 'The phone is not signed in.', change: 'Look for the extension at the PBX.' },
  486: { cause: 'The phone is busy.', change: 'Try again, or another number.' },
  488: {
    cause: 'There is no common codec.',
    change: 'Give media.codecs that the PBX takes, such as [PCMA, PCMU].',
  },
  503: {
    cause: 'The PBX is overloaded, or has no line for the call.',
    change: 'Look at the PBX; a second host in hosts would be tried next.',
  },
};

/** What a final status to our request means; undefined when it says nothing in particular. */
export function adviceOnStatus(status: number): Advice | undefined {
  if (byStatus[status] !== undefined) return byStatus[status];
  if (status < 500) return undefined;
  return { cause: 'The PBX has a fault.', change: 'Look into the log of the PBX, for the Call-ID above.' };
}

/** By the code of Node.js or OpenSSL. */
const byCode: Readonly<Record<string, Advice>> = {
  ECONNREFUSED: {
    cause: 'The machine is there, but nothing listens on that port.',
    change: 'Check the port and the transport in hosts, and that the PBX is running.',
  },
  ETIMEDOUT: silent,
  EHOSTUNREACH: { cause: 'There is no way to that network.', change: 'Check address, routing and VPN.' },
  ENETUNREACH: { cause: 'There is no way to that network.', change: 'Check address, routing and VPN.' },
  ECONNRESET: {
    cause:
      'The peer hung up during the handshake: it may not speak TLS on this port, or want a certificate of ours.',
    change: 'Check the port (5061 is usual), or give tls: { cert, key } for this trunk.',
  },
  EPROTO: {
    cause: 'What is there does not speak TLS 1.2 or later.',
    change: 'Check the port (5061 is usual) and the TLS settings of the PBX.',
  },
  CERT_HAS_EXPIRED: { cause: 'Its certificate has expired.', change: 'Renew the certificate of the PBX.' },
  CERT_NOT_YET_VALID: {
    cause: 'Its certificate is not valid yet.',
    change: 'Set the clocks of both machines.',
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    cause: 'Its certificate is for another name.',
    change:
      'Write the name of the certificate into hosts, or tls: { server_name } when it is known to be right.',
  },
};

const unknownAuthority: Advice = {
  cause: 'No authority that is known here has signed its certificate.',
  change: 'Give tls: { ca } with that authority, or pin the certificate by tls: { fingerprint } as above.',
};

/** What a failed connection means. */
export function adviceOnError(error: {
  readonly code?: string | undefined;
  readonly message: string;
}): Advice {
  const { code = '', message } = error;
  if (byCode[code] !== undefined) return byCode[code];
  if (/ISSUER|SELF_SIGNED|UNABLE_TO_VERIFY|LEAF/.test(code)) return unknownAuthority;
  if (/fingerprint/.test(message)) {
    return {
      cause: 'Its certificate is not the pinned one: it was renewed, or somebody is in between.',
      change: 'When it was renewed: put the fingerprint above into tls: { fingerprint }.',
    };
  }
  if (code.startsWith('ERR_SSL')) return byCode['EPROTO'] ?? silent;
  return silent;
}
