import { connect as connectTcp } from 'node:net';
import { connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { Hop } from '../../sip/engine/resolve/hop.js';
import { TlsTrust, type TlsSettings } from '../../sip/engine/transport/tls-trust.js';
import { adviceOnError } from './advice.js';
import type { Finding } from './finding.js';

const withinMs = 4_000;

type Problem = Error & { readonly code?: string };

/** Opens a TCP connection to the hop and closes it. UDP has none: nothing is found. */
export async function examineConnection(hop: Hop): Promise<Finding | undefined> {
  if (hop.transport === 'udp') return undefined;
  const problem = await attempt((done) => {
    const socket = connectTcp({ host: hop.address, port: hop.port, timeout: withinMs });
    socket.once('connect', () => done(undefined));
    socket.once('error', done);
    socket.once('timeout', () => done(late()));
    return () => socket.destroy();
  });
  const where = `${hop.address}:${hop.port}`;
  if (problem === undefined) return { step: 'connect', result: 'ok', says: `${where} takes the connection` };
  return {
    step: 'connect',
    result: 'failed',
    says: `${where}: ${problem.message}`,
    ...adviceOnError(problem),
  };
}

/** Shakes hands over TLS as the engine would, and shows the certificate. */
export async function examineTls(hop: Hop, settings: TlsSettings): Promise<Finding | undefined> {
  if (hop.transport !== 'tls') return undefined;
  const trust = new TlsTrust(settings);
  const details: string[] = [];
  const problem = await handshake(hop, { ...trust.connectionOptions(hop.name) }, (socket) => {
    details.push(...describe(socket));
    return trust.refusal(hop.name, socket);
  });
  if (problem === undefined) {
    return { step: 'tls', result: 'ok', says: `${hop.name} has proved who it is`, details };
  }
  if (details.length === 0) {
    await handshake(hop, { ...trust.connectionOptions(hop.name), rejectUnauthorized: false }, (socket) => {
      details.push(...describe(socket));
      return undefined;
    });
  }
  const says = `${hop.name}: ${problem.message}`;
  return { step: 'tls', result: 'failed', says, details, ...adviceOnError(problem) };
}

function handshake(
  hop: Hop,
  options: object,
  look: (socket: TLSSocket) => Error | undefined,
): Promise<Problem | undefined> {
  return attempt((done) => {
    const socket = connectTls({ ...options, host: hop.address, port: hop.port, timeout: withinMs });
    socket.once('secureConnect', () => done(look(socket)));
    socket.once('error', done);
    socket.once('timeout', () => done(late()));
    return () => socket.destroy();
  });
}

async function attempt(
  begin: (done: (problem: Problem | undefined) => void) => () => void,
): Promise<Problem | undefined> {
  let end = (): void => undefined;
  const problem = await new Promise<Problem | undefined>((resolve) => {
    end = begin(resolve);
  });
  end();
  return problem;
}

function late(): Problem {
  return Object.assign(new Error(`no answer within ${withinMs / 1_000} s`), { code: 'ETIMEDOUT' });
}

function describe(socket: TLSSocket): readonly string[] {
  const certificate: Partial<PeerCertificate> = socket.getPeerCertificate();
  if (certificate.fingerprint256 === undefined) return [];
  const {
    subjectaltname = 'none',
    valid_from: from = '',
    valid_to: to = '',
    issuer,
    fingerprint256,
  } = certificate;
  return [
    `${socket.getProtocol() ?? 'TLS'}, certificate for ${subjectaltname}`,
    `valid from ${from} to ${to}, signed by ${nameOf(issuer)}`,
    `fingerprint: "${fingerprint256}"`,
  ];
}

function nameOf(issuer: PeerCertificate['issuer'] | undefined): string {
  const { CN, O } = issuer ?? {};
  return [CN, O].flat().filter((part) => part !== undefined)[0] ?? 'nobody';
}
