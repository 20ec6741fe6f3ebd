import { failure, type SipFailure } from '../../sip/failure.js';
import type {
  CalleeLeg,
  CalleeListener,
  CallerLeg,
  DialogSnapshot,
  HeaderList,
  HeaderView,
  InDialogRequest,
  InDialogResponse,
  Invitation,
  LegListener,
  LegSide,
  Reoffer,
  ReofferResult,
} from '../../sip/leg.js';
import type {
  MediaEndStats,
  MediaEngine,
  MediaListener,
  MediaSession,
} from '../../sip/media/media-engine.js';

/** Legs, media and re-offers that note what call control asked of them, for unit tests of call control alone. */

export const noHeaders: HeaderView = { get: () => undefined, getAll: () => [] };

/** Lets everything run that is ready to run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

class FakeLeg {
  readonly notes: string[] = [];
  readonly requests: { method: string; body: string | undefined }[] = [];
  reofferAnswer: string | SipFailure = 'v=0 reanswer';
  requestStatus = 200;
  gone = false;

  constructor(
    readonly id: string,
    readonly side: LegSide,
  ) {}

  get sipCallId(): string {
    return `call-id-of-${this.id}`;
  }

  reoffer(sdp: string | undefined): Promise<ReofferResult> {
    this.notes.push(`reoffer ${sdp ?? 'none'}`);
    const answer = this.reofferAnswer;
    if (typeof answer !== 'string') return Promise.reject(answer);
    return Promise.resolve({ sdp: answer, ack: (ackSdp) => this.notes.push(`ack ${ackSdp ?? 'none'}`) });
  }

  request(method: string, content?: { contentType: string; body: string }): Promise<InDialogResponse> {
    this.requests.push({ method, body: content?.body });
    return Promise.resolve({
      status: this.requestStatus,
      reason: 'whatever',
      headers: noHeaders,
      contentType: undefined,
      body: '',
    });
  }

  /** What call control is given for another process. */
  taken: DialogSnapshot | undefined;

  snapshot(): DialogSnapshot | undefined {
    return this.taken;
  }
}

export class FakeCaller extends FakeLeg implements CallerLeg {
  readonly role = 'caller';
  listener: LegListener | undefined;
  #acknowledge: ((sdp: string | undefined) => void) | undefined;
  #ackMissing: ((reason: SipFailure) => void) | undefined;

  listen(listener: LegListener): void {
    this.listener = listener;
  }

  progress(status: number, _reason: string, sdp?: string): void {
    this.notes.push(`progress ${status} ${sdp ?? 'none'}`);
  }

  answer(sdp: string): Promise<string | undefined> {
    this.notes.push(`answer ${sdp}`);
    return new Promise((resolve, reject) => {
      this.#acknowledge = resolve;
      this.#ackMissing = reject;
    });
  }

  /** The caller's ACK arrives. */
  acknowledge(sdp?: string): void {
    this.#acknowledge?.(sdp);
  }

  /** No ACK ever arrives. */
  loseAck(): void {
    this.#ackMissing?.(failure('call.ack_timeout'));
    this.leave({ cause: 'failure', failure: failure('call.ack_timeout') });
  }

  reject(refusal: SipFailure): void {
    this.notes.push(`reject ${refusal.status} ${refusal.code}`);
    this.leave({ cause: 'local' });
  }

  hangUp(reason?: { failure?: SipFailure; headers?: HeaderList }): void {
    if (this.gone) return;
    this.notes.push(`hangUp${reason?.failure === undefined ? '' : ` ${reason.failure.code}`}`);
    this.leave({ cause: 'local' });
  }

  /** The leg ends: `remote` is a CANCEL or BYE. */
  leave(end: Parameters<LegListener['ended']>[0]): void {
    if (this.gone) return;
    this.gone = true;
    this.listener?.ended(end);
  }
}

export class FakeCallee extends FakeLeg implements CalleeLeg {
  readonly role = 'callee';

  constructor(
    side: LegSide,
    readonly invitation: Invitation,
    readonly listener: CalleeListener,
  ) {
    super(invitation.legId, side);
  }

  ring(status = 180, sdp?: string): void {
    this.listener.progress({ status, reason: 'Ringing', sdp, headers: noHeaders });
  }

  answer(sdp: string | undefined = 'v=0 answer'): void {
    this.listener.answered({
      status: 200,
      reason: 'OK',
      sdp,
      headers: noHeaders,
      ack: (ackSdp) => this.notes.push(`ack ${ackSdp ?? 'none'}`),
    });
  }

  refuse(refusal: SipFailure): void {
    this.gone = true;
    this.listener.failed(refusal);
  }

  hangUp(reason?: { headers?: HeaderList }): void {
    if (this.gone) return;
    const header = reason?.headers?.[0];
    this.notes.push(header === undefined ? 'hangUp' : `hangUp ${header[0]}: ${header[1]}`);
    this.leave({ cause: 'local' });
  }

  leave(end: Parameters<LegListener['ended']>[0]): void {
    if (this.gone) return;
    this.gone = true;
    this.listener.ended(end);
  }
}

export class FakeReoffer implements Reoffer {
  readonly headers = noHeaders;
  readonly notes: string[] = [];
  ackSdp: string | undefined;

  constructor(
    readonly method: Reoffer['method'],
    readonly sdp: string | undefined,
  ) {}

  accept(sdp: string | undefined): Promise<string | undefined> {
    this.notes.push(`accept ${sdp ?? 'none'}`);
    return Promise.resolve(this.ackSdp);
  }

  reject(refusal: SipFailure): void {
    this.notes.push(`reject ${refusal.status}`);
  }
}

export class FakeRequest implements InDialogRequest {
  readonly headers = noHeaders;
  readonly notes: string[] = [];

  constructor(
    readonly method: string,
    readonly contentType: string | undefined,
    readonly body: string,
  ) {}

  respond(status: number): void {
    this.notes.push(String(status));
  }
}

/** Media that marks each SDP with what was done to it. */
export class FakeMedia implements MediaEngine {
  readonly name = 'relay';
  readonly sessions = new Set<FakeMediaSession>();

  constructor(private readonly mark: string) {}

  get size(): number {
    return this.sessions.size;
  }

  createSession(_callId: string, listener: MediaListener): MediaSession {
    const session = new FakeMediaSession(this.mark, listener, () => this.sessions.delete(session));
    this.sessions.add(session);
    return session;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

export class FakeMediaSession implements MediaSession {
  readonly id = 'm_fake';
  readonly ends = new Set<string>();
  readonly refused: string[] = [];
  broken: SipFailure | undefined;

  constructor(
    private readonly mark: string,
    readonly listener: MediaListener,
    private readonly closed: () => void,
  ) {}

  addEnd(endId: string): void {
    this.ends.add(endId);
  }

  removeEnd(endId: string): void {
    this.ends.delete(endId);
  }

  offer(_fromEndId: string, _toEndId: string, sdp: string): Promise<string> {
    return this.#translate(`${this.mark}-offer(${sdp})`);
  }

  answer(_fromEndId: string, _toEndId: string, sdp: string): Promise<string> {
    return this.#translate(`${this.mark}-answer(${sdp})`);
  }

  refuse(toEndId: string): void {
    this.refused.push(toEndId);
  }

  stats(): readonly MediaEndStats[] {
    return [];
  }

  close(): void {
    this.closed();
  }

  #translate(sdp: string): Promise<string> {
    return this.broken === undefined ? Promise.resolve(sdp) : Promise.reject(this.broken);
  }
}
