import { newBranch } from '../../message/index.js';
import type { Dialog } from '../dialog/dialog.js';
import { resolveHost } from '../resolve.js';
import { bareAddress } from '../transport/local-address.js';
import type { Channel, Endpoint, TransportName } from '../transport/channel.js';
import { SentRequest } from '../wire/sent-request.js';
import type { Core } from './core.js';
import type { AppHeaders } from './header-policy.js';

/** Requests that refresh the remote target, and so carry our Contact (RFC 3261 §12.2, RFC 3311 §5.1, RFC 6665 §4.4). */
const targetRefreshing = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER']);

/** Whether the method changes the remote target of its dialog. */
export function refreshesTarget(method: string): boolean {
  return targetRefreshing.has(method);
}

/** What a request inside a dialog is made of. */
export interface DialogRequestContent {
  readonly method: string;
  /** Given for ACK; else the next of the dialog is used. */
  readonly sequence?: number;
  readonly headers?: AppHeaders;
  readonly contentType?: string;
  readonly body?: string;
  /** Whole lines to add. */
  readonly extra?: string;
}

/** Writes a request inside a dialog (RFC 3261 §12.2.1.1). */
export function writeDialogRequest(
  dialog: Dialog,
  channel: Channel,
  content: DialogRequestContent,
): SentRequest {
  const { method, headers, contentType, body = '', extra = '' } = content;
  const given = headers?.contact(channel);
  const sequence = content.sequence ?? (dialog.localSequence += 1);
  return new SentRequest({
    method,
    requestUri: dialog.path.requestUri,
    channel,
    branch: newBranch(),
    routes: dialog.path.routes,
    maxForwards: headers?.get('max-forwards') ?? '70',
    from: dialog.localParty,
    to: dialog.remoteParty,
    callId: dialog.callId,
    sequence,
    contact: refreshesTarget(method) ? (given ?? dialog.localContact) : given,
    known: (headers?.known(channel.sentBy) ?? '') + extra,
    contentType,
    other: headers?.other ?? '',
    body,
  });
}

const transportOf = (name: string | null | undefined, dialog: Dialog): TransportName =>
  name?.toLowerCase() === 'udp' ? 'udp' : name?.toLowerCase() === 'tcp' ? 'tcp' : dialog.channel.transport;

/** A stream connection that serves the next hop as well as a new one would (RFC 3261 §18.1.1, RFC 5923). */
function canReuse(dialog: Dialog, address: string | undefined): boolean {
  const { channel } = dialog;
  if (!channel.reliable || !channel.isOpen) return false;
  return !dialog.hasRoutes || address === channel.remote.address;
}

/**
 * Finds the way for the dialog's next request and calls `done` with it, at once when no name has to be looked up.
 * A next hop that cannot be resolved gives a channel that fails.
 */
export function dialogChannel(core: Core, dialog: Dialog, done: (channel: Channel) => void): void {
  const { nextHop } = dialog.path;
  const transport = transportOf(nextHop?.params.get('transport'), dialog);
  if (nextHop === undefined || !core.pool.supports(transport)) return done(core.pool.nowhere(transport));
  if (dialog.isBehindNat) return done(dialog.channel);
  if (transport === dialog.channel.transport && canReuse(dialog, bareAddress(nextHop.host)))
    return done(dialog.channel);
  resolveHost(nextHop.host, (address) => {
    if (address === undefined) return done(core.pool.nowhere(transport));
    if (transport === dialog.channel.transport && canReuse(dialog, address)) return done(dialog.channel);
    const to: Endpoint = { address, port: nextHop.port ?? 5060 };
    done(core.pool.channelTo(transport, to, dialog.channel) ?? core.pool.nowhere(transport));
  });
}
