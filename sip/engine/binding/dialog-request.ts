import { newBranch, type SipUri } from '../../message/index.js';
import type { Dialog } from '../dialog/dialog.js';
import type { Hop } from '../resolve/hop.js';
import { bareAddress } from '../transport/local-address.js';
import type { Channel } from '../transport/channel.js';
import { SentRequest } from '../wire/sent-request.js';
import type { Core } from './core.js';
import type { AppHeaders } from './header-policy.js';
import type { Way } from './hop-series.js';

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

/** A stream connection that serves the next hop as well as a new one would (RFC 3261 §18.1.1, RFC 5923). */
function canReuse(dialog: Dialog, address: string | undefined): boolean {
  const { channel } = dialog;
  if (!channel.reliable || !channel.isOpen) return false;
  return !dialog.hasRoutes || address === channel.remote.address;
}

/** Whether the next hop is to be reached by the transport of the dialog's last message. */
function keepsTransport(nextHop: SipUri, { channel }: Dialog): boolean {
  const named = nextHop.params.get('transport')?.toLowerCase();
  if (nextHop.scheme === 'sips') return channel.transport === 'tls';
  return named === undefined || named === channel.transport;
}

/**
 * Finds where the dialog's next request goes and calls `done`, at once when no name has to be looked up. A next hop that
 * cannot be resolved gives no hops.
 */
export function dialogWay(core: Core, dialog: Dialog, done: (way: Way) => void): void {
  const { channel } = dialog;
  const { nextHop } = dialog.path;
  const { transport } = channel;
  if (nextHop === undefined || !isSpoken(core, nextHop)) return done({ hops: [], transport });
  if (dialog.isBehindNat) return done({ channel });
  const keeps = keepsTransport(nextHop, dialog);
  if (keeps && canReuse(dialog, bareAddress(nextHop.host))) return done({ channel });
  core.hops.find(nextHop, transport, (hops) => {
    const same = hopOf(
      channel,
      hops.filter((hop) => !core.hops.dead.has(hop)),
    );
    if (keeps && canReuse(dialog, (same ?? hops[0])?.address)) return done({ channel });
    const ordered = same === undefined ? hops : [same, ...hops.filter((hop) => hop !== same)];
    done({ hops: ordered, transport, near: channel });
  });
}

/** The hop that the dialog's last message came from: of one address, the same port first. */
function hopOf({ transport, remote }: Channel, hops: readonly Hop[]): Hop | undefined {
  const near = hops.filter((hop) => hop.transport === transport && hop.address === remote.address);
  return near.find(({ port }) => port === remote.port) ?? near[0];
}

/** Whether we speak the transport that the URI names, if it names one. */
export function isSpoken({ pool }: Core, uri: SipUri): boolean {
  const named = uri.scheme === 'sips' ? 'tls' : uri.params.get('transport')?.toLowerCase();
  if (named === undefined) return true;
  return pool.names.some((name) => name === named);
}

/** As {@link dialogWay}, for a request of our own that is tried at its first hop only. */
export function dialogChannel(core: Core, dialog: Dialog, done: (channel: Channel) => void): void {
  dialogWay(core, dialog, (way) => {
    if ('channel' in way) return done(way.channel);
    const [hop] = way.hops;
    const found = hop === undefined ? undefined : core.pool.channelTo(hop.transport, hop, hop.name, way.near);
    done(found ?? core.pool.nowhere(way.transport));
  });
}
