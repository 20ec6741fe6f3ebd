import { failureCatalogue, SipFailure } from '../../sip/failure.js';
import type { RouteRule, RouteStep } from '../call/route.js';
import { clockText } from '../routing/time-window.js';
import type { RehearsedAttempt, RehearsedCall } from './rehearse-call.js';

/** Larger requests go over TCP (RFC 3261 §18.1.1). */
const udpLimitBytes = 1_300;

/** What `webtrunk route` prints. */
export function rehearsalText({ explained, attempts, notes }: RehearsedCall): string {
  const { question, caller, steps, plan } = explained;
  const { dialled, source, domain } = question;
  const from = source.side === 'browser' ? `user ${source.aor}` : `${caller.user} by trunk ${source.trunk}`;
  const lines = [
    `${dialled.user} is called by ${from}${domain === undefined ? '' : `, domain ${domain}`}`,
    '',
    ...notes,
    ...steps.map((step) => stepText(step, question.atMs)),
    '',
  ];
  if (plan instanceof SipFailure) {
    lines.push(`The call is answered ${plan.status} ${plan.reason} (${plan.code})`, ...troubleLines(plan));
  } else if (plan.emergency === true) lines.push('An emergency call: no limit applies.', '');
  return `${[...lines, ...attempts.flatMap(attemptLines)].join('\n').trimEnd()}\n`;
}

function stepText({ rule, mismatch }: RouteStep, atMs: number): string {
  if (mismatch === undefined) return `+ ${rule.name}: takes the call (match ${rule.match.source})`;
  return `- ${rule.name}: ${reasons[mismatch](rule, atMs)}`;
}

const reasons: Readonly<
  Record<NonNullable<RouteStep['mismatch']>, (rule: RouteRule, atMs: number) => string>
> = {
  direction: () => 'leads to a trunk, and is not for calls from one (from_trunk)',
  from_trunk: ({ fromTrunk }) => `is only for calls from trunk ${fromTrunk ?? ''}`,
  domain: ({ domain }) => `is only for domain ${domain ?? ''}`,
  match: ({ match }) => `${match.source} does not match`,
  caller: ({ caller }) => `the caller does not match ${caller?.source ?? ''}`,
  when: ({ when }, atMs) =>
    when === undefined ? '' : `does not hold at ${clockText(when.timezone, atMs)} in ${when.timezone}`,
};

function attemptLines({ target, invite, trouble }: RehearsedAttempt, index: number): string[] {
  const head = `${index + 1}. ${target.label}`;
  const notes = trouble.flatMap((why) => [`   ${why.message}`, ...troubleLines(why)]);
  if (target.side === 'browser') return [head, '   rings on every device that is online', ''];
  if (invite === undefined) return [head, ...notes, '   no INVITE can be sent', ''];
  const { transport, remote, bytes } = invite;
  const where = `${transport} ${remote.address}:${remote.port}`;
  return [
    head,
    `   to ${where}, ${sizeText(bytes.length, transport, target.label)}`,
    ...notes,
    '',
    bytes.toString(),
    '',
  ];
}

function sizeText(sizeBytes: number, transport: string, label: string): string {
  const size = `${sizeBytes} bytes`;
  if (sizeBytes <= udpLimitBytes) return size;
  if (transport === 'udp') {
    return `${size}: WARNING, more than ${udpLimitBytes}; it may be lost, and TCP is not listened on`;
  }
  const isMeant = /;transport=(?:tcp|tls)/.test(label) || label.includes('sips:');
  return isMeant ? size : `${size}: WARNING, more than ${udpLimitBytes}, so it goes over TCP instead of UDP`;
}

function troubleLines({ code }: SipFailure): string[] {
  return [`   ${failureCatalogue[code].remedy}`];
}
