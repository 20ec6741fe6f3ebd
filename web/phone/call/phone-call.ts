import { Invitation, Inviter, SessionState, type Session, type SessionDescriptionHandler } from 'sip.js';
import type { CallState, Notice, Party } from '../state/call-state.js';
import type { PhoneStore } from '../state/phone-state.js';
import { microphoneWords } from '../words/failure-words.js';
import { endedNotice, hungUpNotice, missedNotice, refusedNotice } from './call-end.js';
import { CallMedia } from './call-media.js';
import { CandidateExchange, takesCandidates } from './candidate-exchange.js';
import { DescriptionHandler } from './description-handler.js';
import { preferCodecs } from './codec-order.js';
import type { LeftCall } from './left-call.js';
import { MediaRepair } from './media-repair.js';
import { sessionParty } from './party.js';
import { renegotiate } from './renegotiate.js';
import { leaveDialog } from './returned-session.js';

export interface PhoneCallOptions {
  readonly id: string;
  readonly session: Session;
  /** This phone has made the call. */
  readonly ours: boolean;
  readonly party: Party;
  readonly domain: string;
  readonly store: PhoneStore;
  readonly ended: (call: PhoneCall) => void;
}

/** One call: a sip.js session on one side, its entry in the store on the other. */
export class PhoneCall {
  readonly id: string;
  private readonly session: Session;
  private readonly store: PhoneStore;
  private media: CallMedia | undefined;
  private candidates: CandidateExchange | undefined;
  private notice: Notice | undefined;
  private finished = false;
  /** Those that the call had in an earlier page. */
  private codecs: readonly string[] = [];
  private readonly repair = new MediaRepair(() => this.offer(true));

  constructor(private readonly options: PhoneCallOptions) {
    this.id = options.id;
    this.session = options.session;
    this.store = options.store;
    const delegate: NonNullable<Invitation['delegate']> = {
      onSessionDescriptionHandler: (handler) => this.attach(handler),
      onBye: (bye) => {
        this.notice = hungUpNotice(bye.request.getHeader('reason'), this.lastedMs());
        void bye.accept();
      },
      onCancel: (cancel) => {
        this.notice = missedNotice(options.party, cancel.request.getHeader('reason'));
      },
      onInfo: (info) => (this.candidates === undefined ? void info.accept() : this.candidates.take(info)),
      // Following a transfer blindly would let the other side make this phone call anyone.
      onRefer: (referral) => void referral.reject({ statusCode: 603 }),
    };
    this.session.delegate = delegate;
    this.session.stateChange.addListener((state) => this.moved(state));
  }

  /** Sends the INVITE of an outgoing call. */
  start(): void {
    if (!this.options.ours) return;
    this.session
      .invite({
        requestDelegate: {
          onAccept: ({ message }) => this.candidates?.begin(message.getHeader('recv-info')),
          onProgress: ({ message }) => this.progress(message.statusCode ?? 100, message.body !== ''),
          onReject: ({ message }) => {
            this.notice = refusedNotice(
              message.statusCode ?? 500,
              message.reasonPhrase ?? '',
              message.getHeader('warning'),
            );
          },
        },
      })
      .catch((error: unknown) => this.failed(error));
  }

  /** Goes on with a call of an earlier page: offers a network path of its own, since the other one went with that page. */
  async comeBack({ held, muted, codecs }: LeftCall): Promise<void> {
    this.codecs = codecs;
    const result = await renegotiate(this.session, { hold: held }, this.options.ours);
    if (this.finished) return;
    if (result.ok) {
      this.media?.setHeld(held);
      this.media?.setMuted(muted);
      return;
    }
    const detail = `${result.status} ${result.reason}`.trim();
    this.notice = { tone: 'problem', title: 'The call was lost', detail };
    if (this.session.state === SessionState.Established) this.session.bye().catch(() => undefined);
    this.finish();
  }

  /** What the next page needs to go on with the call; undefined when that is not possible. */
  leave(): LeftCall | undefined {
    const state = this.state();
    const dialog = leaveDialog(this.session);
    if (state?.answeredAtMs === undefined || dialog === undefined) return undefined;
    const { party, startedAtMs, answeredAtMs, muted, digits } = state;
    const held = state.hold === 'held' || state.hold === 'holding';
    const { ours } = this.options;
    const codecs = this.media?.codecs ?? [];
    return { ...dialog, codecs, ours, party, startedAtMs, answeredAtMs, muted, held, digits };
  }

  /** Takes an incoming call. */
  answer(): void {
    if (!(this.session instanceof Invitation) || this.session.state !== SessionState.Initial) return;
    this.store.dispatch({ type: 'call/answering', id: this.id });
    const { session } = this;
    session
      .accept({ extraHeaders: [...takesCandidates] })
      .then(() => this.candidates?.begin(session.request.getHeader('recv-info')))
      .catch((error: unknown) => this.failed(error));
  }

  /** Refuses an incoming call. */
  decline(statusCode: number): void {
    if (!(this.session instanceof Invitation) || this.session.state !== SessionState.Initial) return;
    void this.session.reject({ statusCode });
    this.finish();
  }

  /** Ends the call, whatever it is doing. */
  hangUp(): void {
    if (this.finished) return;
    const { session } = this;
    if (session.state === SessionState.Established) {
      this.notice = endedNotice(this.lastedMs());
      session.bye().catch(() => this.finish());
    } else if (session instanceof Inviter) {
      session.cancel().catch(() => this.finish());
    } else if (session instanceof Invitation && isUnanswered(session.state)) {
      session.reject({ statusCode: 480 }).catch(() => this.finish());
    }
    this.finish();
  }

  setMuted(muted: boolean): void {
    this.media?.setMuted(muted);
    this.store.dispatch({ type: 'call/muted', id: this.id, muted });
  }

  /** Puts the call on hold or takes it back, and waits for the other side's consent. */
  async setHeld(held: boolean): Promise<void> {
    const wanted = held ? 'none' : 'held';
    if (this.state()?.hold !== wanted || this.session.state !== SessionState.Established) return;
    this.store.dispatch({ type: 'call/hold', id: this.id, hold: held ? 'holding' : 'resuming' });
    if (held) this.media?.setHeld(true);
    const result = await renegotiate(this.session, { hold: held }, this.options.ours);
    const isHeld = result.ok ? held : !held;
    this.media?.setHeld(isHeld);
    this.store.dispatch({ type: 'call/hold', id: this.id, hold: isHeld ? 'held' : 'none' });
    if (result.ok || this.finished) return;
    const title = held ? 'The call could not be put on hold' : 'The call could not be resumed';
    const detail = `${result.status} ${result.reason}`.trim();
    this.store.dispatch({ type: 'notice/shown', notice: { tone: 'problem', title, detail } });
  }

  sendDigit(digit: string): void {
    if (this.media?.sendDigit(digit) === true) {
      this.store.dispatch({ type: 'call/digit', id: this.id, digit });
      return;
    }
    const notice: Notice = {
      tone: 'problem',
      title: 'Digits cannot be sent now',
      detail: 'The other side does not take telephone events.',
    };
    this.store.dispatch({ type: 'notice/shown', notice });
  }

  /** The browser has another network than before. */
  networkChanged(): void {
    if (this.session.state === SessionState.Established) this.repair.changed();
  }

  async replaceMicrophone(stream: MediaStream): Promise<void> {
    await this.media?.replaceMicrophone(stream);
  }

  private state(): CallState | undefined {
    return this.store.state.calls.list.find((call) => call.id === this.id);
  }

  private lastedMs(): number {
    const answeredAtMs = this.state()?.answeredAtMs;
    return answeredAtMs === undefined ? 0 : Date.now() - answeredAtMs;
  }

  private attach(handler: SessionDescriptionHandler): void {
    if (!(handler instanceof DescriptionHandler)) return;
    const { peerConnection } = handler;
    if (peerConnection !== undefined && this.codecs.length > 0) preferCodecs(peerConnection, this.codecs);
    this.candidates?.close();
    this.candidates = handler.trickles
      ? new CandidateExchange({ session: this.session, handler, offerAgain: () => this.offer(false) })
      : undefined;
    this.media = new CallMedia(handler, this.id, {
      sound: (sound) => this.sound(sound),
      heldByOther: (held) => this.store.dispatch({ type: 'call/held-by-other', id: this.id, held }),
    });
  }

  private sound(sound: CallState['sound']): void {
    if (this.finished) return;
    this.store.dispatch({ type: 'call/sound', id: this.id, sound });
    if (sound === 'on') this.repair.whole();
    else if (this.session.state === SessionState.Established) this.repair.broken();
  }

  /**
   * Offers the media again, by a new network path if wanted, once the phone has a connection, or another window has the
   * line, which this takes back, and no other offer is open.
   */
  private offer(iceRestart: boolean): boolean {
    const hold = this.state()?.hold;
    const { phase } = this.store.state.line;
    if ((phase !== 'ready' && phase !== 'replaced') || hold === 'holding' || hold === 'resuming')
      return false;
    void renegotiate(this.session, { hold: hold === 'held', iceRestart }, this.options.ours);
    return true;
  }

  private progress(status: number, hasBody: boolean): void {
    if (status === 100 || this.finished) return;
    this.updateParty();
    if (status === 180 || hasBody)
      this.store.dispatch({ type: 'call/progress', id: this.id, earlyMedia: hasBody });
  }

  private updateParty(): void {
    if (this.session.assertedIdentity === undefined) return;
    const party = sessionParty(this.session, this.options.domain);
    this.store.dispatch({ type: 'call/party', id: this.id, party });
  }

  private moved(state: SessionState): void {
    if (state === SessionState.Established) {
      this.media?.apply();
      this.updateParty();
      this.store.dispatch({ type: 'call/established', id: this.id, atMs: Date.now() });
    }
    // The library tells the reason of a refusal only after this state change.
    if (state === SessionState.Terminated) setTimeout(() => this.finish(), 0);
  }

  private failed(error: unknown): void {
    if (this.finished) return;
    this.notice ??= { tone: 'problem', ...microphoneWords(error) };
    this.finish();
  }

  private finish(): void {
    if (this.finished) return;
    this.finished = true;
    this.repair.close();
    this.candidates?.close();
    this.media?.close();
    this.store.dispatch({ type: 'call/ended', id: this.id, notice: this.notice });
    this.options.ended(this);
  }
}

function isUnanswered(state: SessionState): boolean {
  return state === SessionState.Initial || state === SessionState.Establishing;
}
