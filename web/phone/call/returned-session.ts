import { Core, NameAddrHeader, Session, SessionState, UserAgent, type URI } from 'sip.js';
import type { LeftCall } from './left-call.js';

type DialogState = ConstructorParameters<typeof Core.SessionDialog>[2];

function uri(text: string): URI {
  const parsed = UserAgent.makeURI(text);
  if (parsed === undefined) throw new TypeError('a dialog that was left has no URI');
  return parsed;
}

function dialogState(left: LeftCall): DialogState {
  const { callId, localTag, remoteTag, localSequence, remoteSequence, routeSet } = left;
  return {
    id: callId + localTag + remoteTag,
    early: false,
    callId,
    localTag,
    remoteTag,
    localSequenceNumber: localSequence,
    remoteSequenceNumber: remoteSequence,
    localURI: uri(left.localUri),
    remoteURI: uri(left.remoteUri),
    remoteTarget: uri(left.remoteTarget),
    routeSet,
    secure: false,
  };
}

/** The INVITE that began the call went with the page that sent it: nobody waits for anything of it any more. */
function finishedInvite(): Core.InviteClientTransaction {
  const nothing: unknown = Object.create(Core.InviteClientTransaction.prototype, { request: { value: {} } });
  if (!(nothing instanceof Core.InviteClientTransaction)) throw new TypeError('not a transaction');
  return nothing;
}

/**
 * A session of an earlier page that goes on in this one: its dialog takes and sends requests at once. It has no media
 * until the first re-INVITE, which brings a peer connection of its own.
 */
export class ReturnedSession extends Session {
  readonly localIdentity: NameAddrHeader;
  readonly remoteIdentity: NameAddrHeader;
  protected readonly logger: Core.Logger;
  protected _id: string;

  /** Throws when what was left is no dialog. */
  constructor(agent: UserAgent, left: LeftCall) {
    super(agent, {});
    this.logger = agent.getLogger('sip.ReturnedSession');
    this.localIdentity = new NameAddrHeader(uri(left.localUri), '', {});
    this.remoteIdentity = new NameAddrHeader(uri(left.remoteUri), left.party.name, {});
    this._id = left.callId + left.localTag;
    this._contact = agent.contact.toString();
    this._dialog = new Core.SessionDialog(finishedInvite(), agent.userAgentCore, dialogState(left), {
      onAck: (ack) => void this.onAckRequest(ack),
      onBye: (bye) => this.onByeRequest(bye),
      onInfo: (info) => this.onInfoRequest(info),
      onInvite: (invite) => this.onInviteRequest(invite),
      onMessage: (message) => this.onMessageRequest(message),
      onNotify: (notify) => this.onNotifyRequest(notify),
      onPrack: (prack) => this.onPrackRequest(prack),
      onRefer: (refer) => this.onReferRequest(refer),
    });
    agent._sessions[this._id] = this;
    this.stateTransition(SessionState.Established);
  }
}

/** The part of a call that its dialog is. */
type LeftDialog = Pick<
  LeftCall,
  | 'callId'
  | 'localTag'
  | 'remoteTag'
  | 'localSequence'
  | 'remoteSequence'
  | 'localUri'
  | 'remoteUri'
  | 'remoteTarget'
  | 'routeSet'
>;

/** The dialog of an established session in plain values; undefined when it cannot go on elsewhere. */
export function leaveDialog({ dialog }: Session): LeftDialog | undefined {
  if (!(dialog instanceof Core.SessionDialog)) return undefined;
  if (dialog.sessionState !== Core.SessionState.Confirmed) return undefined;
  const { remoteSequenceNumber } = dialog;
  return {
    callId: dialog.callId,
    localTag: dialog.localTag,
    remoteTag: dialog.remoteTag,
    localSequence: dialog.localSequenceNumber ?? 0,
    ...(remoteSequenceNumber === undefined ? {} : { remoteSequence: remoteSequenceNumber }),
    localUri: dialog.localURI.toString(),
    remoteUri: dialog.remoteURI.toString(),
    remoteTarget: dialog.remoteTarget.toString(),
    routeSet: [...dialog.routeSet],
  };
}
