import type { Clock } from '../clock.js';
import { failure, toFailure, type SipFailure } from '../failure.js';
import type { IncomingCall, OutOfDialogRequest } from '../leg.js';
import type { Log } from '../log.js';
import { checkRequest, tagOf, type SipRequest } from '../message/index.js';
import { allowedMethods, optionsAnswer, understoodOptions } from './capabilities.js';
import type { DialogNotes } from './dialog-notes.js';
import type { EngineAddresses } from './engine-addresses.js';
import { FinalAnswer, sendResponse } from './final-answer.js';
import { toInDialogRequest } from './in-dialog-messages.js';
import { callerKey, dialogKey, type LegTable } from './leg-table.js';
import { partyOf, readRequest, sdpOf } from './received-message.js';
import type { SrfRequest, SrfResponse, SrfStack } from './srf-types.js';
import { TrunkCallerLeg } from './trunk-caller-leg.js';

/** Where a request came from, by its packet, never by its header fields. */
export interface TrunkSource {
  readonly address: string;
  readonly port: number;
  /** `udp`, `tcp`, `tls`. */
  readonly transport: string;
}

/** Who hears of requests from the trunk. */
export interface TrunkIngressListener {
  incomingCall(call: IncomingCall, source: TrunkSource): void;
  request(request: OutOfDialogRequest, source: TrunkSource): void;
  /** Whether requests from there are served. */
  isKnown(source: TrunkSource): boolean;
  /** Why no call is taken at present: PBXs that ask with OPTIONS hear it too, and call elsewhere. */
  takesNoCalls?(): SipFailure | undefined;
  /** A request from elsewhere was refused: every one is, and all alike. */
  turnedAway(method: string, source: TrunkSource): void;
  /** A request was refused before call control, or by it outside any dialog. */
  refused(method: string, source: TrunkSource, why: SipFailure): void;
}

/** What the ingress works with. */
export interface IngressSurroundings {
  readonly srf: SrfStack;
  readonly legs: LegTable;
  readonly clock: Clock;
  readonly log: Log;
  readonly notes: DialogNotes;
  addresses(): EngineAddresses;
}

/** Methods outside a dialog that call control decides about. */
const methods = [...allowedMethods, 'SUBSCRIBE', 'NOTIFY', 'PUBLISH', 'REFER', 'REGISTER'];

/** The first stop of requests from the trunk that srf has no dialog for. Every one of them is answered. */
export class TrunkIngress {
  constructor(
    private readonly around: IngressSurroundings,
    private readonly listener: TrunkIngressListener,
  ) {}

  /** Never throws. */
  receive(request: SrfRequest, response: SrfResponse): void {
    if (request.method === 'ACK') return;
    try {
      this.#receive(request, response);
    } catch (thrown) {
      this.around.log.error({ err: thrown, method: request.method }, 'a request of the trunk met a defect');
      this.#refuse(request, response, toFailure(thrown));
    }
  }

  #receive(request: SrfRequest, response: SrfResponse): void {
    const message = readRequest(request.msg);
    const inDialog = message !== undefined && tagOf(message.to) !== undefined;
    const leg = inDialog ? this.around.legs.find(message) : undefined;
    if (inDialog && leg !== undefined) return leg.receiveEarly(message, request, response);
    // The engine's word about a dialog that we have forgotten: nobody sent it, nobody waits.
    if (request.source === 'application') return;
    if (!this.listener.isKnown(sourceOf(request))) return this.#turnAway(request, response);
    if (message === undefined) return this.#refuse(request, response, failure('message.malformed'));
    if (inDialog) return this.#refuse(request, response, failure('dialog.unknown'));
    const refusal = checkRequest(message, understoodOptions, methods);
    if (refusal !== undefined) return this.#refuse(request, response, refusal);
    if (message.method === 'INVITE') return this.#invite(message, request, response);
    const { log, clock } = this.around;
    const final = new FinalAnswer(request, response, log, clock);
    if (message.method === 'OPTIONS') {
      const closed = this.listener.takesNoCalls?.();
      if (closed !== undefined) return this.#refuse(request, response, closed);
      return final.send(200, 'OK', { headers: optionsAnswer });
    }
    const inner = toInDialogRequest(message, final);
    const outside: OutOfDialogRequest = {
      ...inner,
      refuse: (refusal) => {
        inner.respond(refusal.status, refusal.reason, refusal.headers);
        this.listener.refused(message.method, sourceOf(request), refusal);
      },
      requestUri: message.requestUri,
      from: partyOf(message.from),
      to: partyOf(message.to),
    };
    this.listener.request(outside, sourceOf(request));
  }

  #invite(message: SipRequest, request: SrfRequest, response: SrfResponse): void {
    const { srf, legs, clock, log, notes } = this.around;
    const refusal = this.#whyNoCall(message);
    if (refusal !== undefined) return this.#refuse(request, response, refusal);
    const contact = this.around.addresses().contactFor(request.protocol, request.receivedOn);
    const leg = new TrunkCallerLeg({ message, request, response, contact }, { srf, clock, log, notes }, legs);
    const call = {
      leg,
      requestUri: message.requestUri,
      from: partyOf(message.from),
      to: partyOf(message.to),
      sdp: sdpOf(message),
      headers: message.headers,
    };
    try {
      this.listener.incomingCall(call, sourceOf(request));
    } catch (thrown) {
      log.error({ err: thrown, sipCallId: leg.sipCallId }, 'an incoming call met a defect');
      return leg.reject(toFailure(thrown));
    }
    if (!leg.taken) leg.reject(failure('gateway.internal', { detail: 'nobody took the call' }));
  }

  #whyNoCall(message: SipRequest): SipFailure | undefined {
    if (this.around.legs.has(callerKey(message.callId, tagOf(message.from) ?? ''))) {
      return failure('message.loop', {
        detail: 'an INVITE of this dialog is here already (RFC 3261 §8.2.2.2)',
      });
    }
    const sent = dialogKey(message.callId, tagOf(message.from) ?? '');
    if (!this.around.addresses().isEmbedded && this.around.legs.has(sent)) {
      return failure('message.loop', {
        detail: 'a proxy has sent our own INVITE back; drachtio-server takes both ends of the call for one',
      });
    }
    return undefined;
  }

  /** The answer says the same whatever was asked: scanners compare. */
  #turnAway(request: SrfRequest, response: SrfResponse): void {
    const { status, reason } = failure('trunk.unknown_source');
    this.listener.turnedAway(request.method, sourceOf(request));
    sendResponse(response, status, reason, {});
  }

  #refuse(request: SrfRequest, response: SrfResponse, refusal: SipFailure): void {
    const { status, reason, headers } = refusal;
    sendResponse(response, status, reason, { headers });
    this.listener.refused(request.method, sourceOf(request), refusal);
  }
}

function sourceOf({ source_address: address, source_port: port, protocol }: SrfRequest): TrunkSource {
  return { address, port, transport: protocol };
}
