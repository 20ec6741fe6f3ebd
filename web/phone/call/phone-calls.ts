import { Inviter, UserAgent, type Invitation, type Session } from 'sip.js';
import { newCall, returnedCall, type CallState } from '../state/call-state.js';
import type { PhoneStore } from '../state/phone-state.js';
import type { Microphones } from '../audio/microphones.js';
import { dialTarget } from '../dial-string.js';
import { takesCandidates } from './candidate-exchange.js';
import type { LeftCall } from './left-call.js';
import { sessionParty } from './party.js';
import { PhoneCall } from './phone-call.js';
import { ReturnedSession } from './returned-session.js';

const busyHere = 486;
const decline = 603;
/** One call to speak in and one that waits; a further caller hears busy. */
const maxCalls = 2;

/** The calls of this phone and the rules between them: one has the microphone, the other is on hold or rings. */
export class PhoneCalls {
  private readonly calls = new Map<string, PhoneCall>();
  private made = 0;

  constructor(
    private readonly store: PhoneStore,
    private readonly microphones: Microphones,
    private readonly domain: string,
  ) {}

  get size(): number {
    return this.calls.size;
  }

  /** Calls what was typed. A problem with it becomes the notice. */
  dial(agent: UserAgent, typed: string): boolean {
    if (this.calls.size > 0) return false;
    const target = dialTarget(typed, this.domain);
    if ('problem' in target) return this.refuse(target.problem);
    const uri = UserAgent.makeURI(target.uri);
    if (uri === undefined) return this.refuse('That is not a number or a name that can be called');
    // Early media needs the answer of the provisional response to be applied: webtrunk never forks towards a browser.
    const session = new Inviter(agent, uri, { earlyMedia: true, extraHeaders: [...takesCandidates] });
    const id = this.nextId();
    this.add(session, newCall(id, 'calling', { name: target.shown, address: '' }, Date.now()), true).start();
    return true;
  }

  /** A call came in: it rings, or hears busy when there is no room for it. */
  invited(invitation: Invitation): void {
    const ringing = this.store.state.calls.list.some((call) => call.phase === 'incoming');
    if (this.calls.size >= maxCalls || ringing) {
      void invitation.reject({ statusCode: busyHere });
      return;
    }
    const party = sessionParty(invitation, this.domain);
    this.add(invitation, newCall(this.nextId(), 'incoming', party, Date.now()), false);
    // A caller that insists on reliable provisional responses would need our answer before ours is given (RFC 3262).
    if (!/100rel/i.test(invitation.request.getHeader('require') ?? ''))
      void invitation.progress({ statusCode: 180 });
  }

  /** Takes the call; another one is put on hold first. */
  async answer(id: string): Promise<void> {
    await this.holdOthers(id);
    this.calls.get(id)?.answer();
  }

  /** Takes the call and ends the other one. */
  answerAndEndOther(id: string): void {
    for (const call of [...this.calls.values()]) if (call.id !== id) call.hangUp();
    this.calls.get(id)?.answer();
  }

  decline(id: string): void {
    this.calls.get(id)?.decline(decline);
  }

  hangUp(id: string): void {
    this.calls.get(id)?.hangUp();
  }

  hangUpAll(): void {
    for (const call of [...this.calls.values()]) call.hangUp();
  }

  /** Gives the calls that the next page of the tab can go on with; the others, which have not been answered, end. */
  leave(): readonly LeftCall[] {
    return [...this.calls.values()].flatMap((call) => {
      const left = call.leave();
      if (left === undefined) call.hangUp();
      return left ?? [];
    });
  }

  /** Goes on with calls of an earlier page. Each can be hung up by either side at once, before its sound is back. */
  comeBack(agent: UserAgent, left: readonly LeftCall[]): void {
    for (const call of left) {
      const session = new ReturnedSession(agent, call);
      void this.add(session, returnedCall(this.nextId(), call), call.ours).comeBack(call);
    }
  }

  setMuted(id: string, muted: boolean): void {
    this.calls.get(id)?.setMuted(muted);
  }

  async setHeld(id: string, held: boolean): Promise<void> {
    if (!held) await this.holdOthers(id);
    await this.calls.get(id)?.setHeld(held);
  }

  sendDigit(id: string, digit: string): void {
    this.calls.get(id)?.sendDigit(digit);
  }

  /** The browser has another network than before: the calls need a path through it. */
  networkChanged(): void {
    for (const call of this.calls.values()) call.networkChanged();
  }

  /** Moves all calls to the microphone that is chosen now. */
  async useChosenMicrophone(): Promise<void> {
    for (const call of this.calls.values()) await call.replaceMicrophone(await this.microphones.open());
  }

  private refuse(problem: string): false {
    this.store.dispatch({ type: 'notice/shown', notice: { tone: 'problem', title: problem, detail: '' } });
    return false;
  }

  private nextId(): string {
    this.made += 1;
    return `call-${this.made}`;
  }

  private add(session: Session, state: CallState, ours: boolean): PhoneCall {
    const { id, party } = state;
    const call = new PhoneCall({
      id,
      session,
      ours,
      party,
      domain: this.domain,
      store: this.store,
      ended: (ended) => this.remove(ended),
    });
    this.calls.set(id, call);
    this.store.dispatch({ type: 'call/added', call: state });
    return call;
  }

  private remove(call: PhoneCall): void {
    this.calls.delete(call.id);
    if (this.calls.size === 0) this.microphones.release();
  }

  private async holdOthers(id: string): Promise<void> {
    const speaking = (call: CallState): boolean =>
      call.id !== id && call.phase === 'established' && call.hold === 'none';
    for (const call of this.store.state.calls.list.filter(speaking))
      await this.calls.get(call.id)?.setHeld(true);
  }
}
