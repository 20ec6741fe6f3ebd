import type { SipFailure } from '../../sip/failure.js';
import type { Advice } from './finding.js';

const silent: Advice = {
  cause: 'Nobody answers there, or a firewall drops the packets or the answers.',
  change: 'Check address, port and transport in hosts; let this machine through the firewall of the PBX.',
};

const notAuthorised: Advice = {
  cause: 'The PBX does not know this machine.',
  change: 'Enter the address of this machine at the PBX, or use type: auth with its user name and password.',
};

/** What was asked of the PBX: the same status means another thing for each. */
export interface Question {
  readonly method: 'OPTIONS' | 'REGISTER' | 'INVITE';
  /** A user name and password are configured. */
  readonly hasPassword: boolean;
}

const passwordWanted: Advice = {
  cause: 'The PBX asks for a password, and none is configured.',
  change: 'Use type: auth (or register) with auth: { username, password }.',
};

const passwordRefused: Advice = {
  cause: 'The PBX does not let us in with this user name and password.',
  change: 'Correct auth: { username, password, realm } of this trunk.',
};

const onRegister: Readonly<Record<number, Advice>> = {
  403: {
    cause: 'The carrier does not take this account: wrong user name or password, or it is blocked.',
    change:
      'Correct auth: { username, password } and from: { domain }; ask the carrier whether it blocks this address.',
  },
  404: {
    cause: 'The carrier does not know the account, or not in this domain.',
    change: 'Correct auth: { username } and from: { user, domain } of this trunk.',
  },
  405: {
    cause: 'Nobody can sign in there.',
    change: 'Write type: auth or type: ip; or give the host of the registrar in hosts.',
  },
};

const onCall: Readonly<Record<number, Advice>> = {
  403: {
    cause: 'The account may not call this number, or may not show this caller.',
    change: 'Try another number; give from: { user, domain } as the carrier wants to see it.',
  },
};

const onCode: Readonly<Record<string, Advice>> = {
  'trunk.auth': passwordRefused,
  'callee.no_answer': {
    cause: 'The phone rings and nobody takes the call.',
    change: 'Call a number that answers by itself, such as an echo test or a mailbox.',
  },
};

const byStatus: Readonly<Record<number, Advice>> = {
  401: passwordWanted,
  403: notAuthorised,
  404: {
    cause: 'The PBX does not know the number, or not in this form.',
    change: 'Dial it as the PBX expects it (numbers: { out, strip, prefix }).',
  },
  408: silent,
  407: passwordWanted,
  415: {
    cause: 'The PBX takes no SDP.',
    change: 'Look at what the PBX has put in front of its phones: some proxies let no SDP pass.',
  },
  480: {
    cause: 'The phone is not signed in at the PBX, or does not want to be disturbed.',
    change: 'Look for the extension at the PBX, or call another number.',
  },
  486: {
    cause: 'The phone is busy, or all lines of the account are.',
    change: 'Try again, or another number.',
  },
  488: {
    cause: 'The PBX takes no PCMU, or no audio in clear: the test call offers nothing else.',
    change:
      'Allow PCMU for this trunk at the PBX; where it demands SRTP, make a call from a browser instead.',
  },
  503: {
    cause: 'The PBX is overloaded, or has no line for the call.',
    change: 'Look at the PBX; a second host in hosts would be tried next.',
  },
};

/** What a final status to our request means; undefined when it says nothing in particular. */
export function adviceOnStatus(status: number, { method, hasPassword }: Question): Advice | undefined {
  if (hasPassword && (status === 401 || status === 407)) return passwordRefused;
  if (method === 'REGISTER' && onRegister[status] !== undefined) return onRegister[status];
  if (method === 'INVITE' && hasPassword && onCall[status] !== undefined) return onCall[status];
  if (byStatus[status] !== undefined) return byStatus[status];
  if (status < 500) return undefined;
  return { cause: 'The PBX has a fault.', change: 'Look into its log, at the time of this request.' };
}

/** What a test call that came to nothing means. */
export function adviceOnCall(
  { code, status, reason, remedy }: Pick<SipFailure, 'code' | 'status' | 'reason' | 'remedy'>,
  hasPassword: boolean,
): Advice {
  const isPasswordMissing = code === 'trunk.auth' && !hasPassword;
  if (isPasswordMissing) return passwordWanted;
  return (
    onCode[code] ??
    adviceOnStatus(status, { method: 'INVITE', hasPassword }) ?? { cause: reason, change: remedy }
  );
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
