import type { HeaderList, Invitation, Party } from '../leg.js';
import { allow } from './capabilities.js';
import {
  bracketed,
  headerRecord,
  localContact,
  transportOf,
  userOf,
  withTransport,
} from './header-record.js';
import { sdpType } from './received-message.js';
import type { SrfHeaders, SrfUacOptions } from './srf-types.js';
import type { TrunkTarget } from './trunk-target.js';

/** The hop that a target is reached by, with its transport unless DNS has to tell it. */
export function nextHopOf(target: TrunkTarget): string {
  return withTransport(target.nextHop ?? target.requestUri);
}

/** From and To in brackets, and our Contact. */
export function originHeaders(
  target: TrunkTarget,
  parties: { readonly from: Party; readonly to: Party; readonly contact?: string },
  ids: { readonly callId: string; readonly fromTag: string },
): HeaderList {
  const transport = transportOf(nextHopOf(target));
  return [
    ['From', `${bracketed(parties.from)};tag=${ids.fromTag}`],
    ['To', bracketed(parties.to)],
    ['Call-ID', ids.callId],
    ['Contact', parties.contact ?? localContact(userOf(parties.from.uri), transport)],
  ];
}

/** What is different when an INVITE is sent once more. */
export interface Repetition {
  /** CSeq and credentials. */
  readonly headers: HeaderList;
  readonly nextHop: string;
}

/** What createUAC is called with for an invitation. */
export function inviteOptions(
  target: TrunkTarget,
  invitation: Invitation,
  ids: { readonly callId: string; readonly fromTag: string },
  repetition: Repetition = { headers: [], nextHop: nextHopOf(target) },
): { readonly uri: string; readonly options: SrfUacOptions } {
  const { sdp, headers } = invitation;
  const typed: HeaderList = sdp === undefined ? [] : [['Content-Type', sdpType]];
  const origin = originHeaders(target, invitation, ids);
  // Without an offer of ours a reliable 18x would carry the peer's, which only our PRACK could answer (RFC 3262 §5).
  const reliable: HeaderList = sdp === undefined ? [] : [['Supported', '100rel']];
  const record: SrfHeaders = headerRecord(origin, typed, allow, reliable, headers, repetition.headers);
  const options: SrfUacOptions = {
    headers: record,
    noAck: true,
    proxy: repetition.nextHop,
    ...(sdp === undefined ? {} : { localSdp: sdp }),
  };
  return { uri: target.requestUri, options };
}
