import type { Clock } from '../../sip/clock.js';
import { failure, SipFailure, toFailure } from '../../sip/failure.js';
import type { HeaderList } from '../../sip/leg.js';
import type { Log } from '../../sip/log.js';
import {
  canonicalAor,
  checkAddressOfRecord,
  checkCSeqMethod,
  checkMaxForwards,
  checkRequest,
  checkRequestUriScheme,
  checkRequire,
  defaultParseLimits,
  parseMessage,
  respond,
  respondFailure,
  serializeText,
  tagOf,
  type ParseOptions,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../../sip/message/index.js';
import { drainFailure } from '../drain-failure.js';
import type { EdgeEvents } from '../telemetry/edge-events.js';
import type { EdgeRates } from './edge-rates.js';
import type { Flow } from './flow.js';
import type { OverloadGate } from './overload-gate.js';
import { noteReceived } from './received-via.js';
import type { SignIn } from './sign-in.js';

export interface IngressOptions {
  readonly signIn: SignIn;
  readonly overload: Pick<OverloadGate, 'refusal'>;
  readonly rates: Pick<EdgeRates, 'takeRegister'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: EdgeEvents;
  readonly maxMessageBytes: number;
  /** OPTIONS outside a dialog is answered without credentials (RFC 3261 §11). */
  readonly anonymousOptions: boolean;
}

const methods = [
  'INVITE',
  'ACK',
  'CANCEL',
  'BYE',
  'PRACK',
  'UPDATE',
  'INFO',
  'OPTIONS',
  'REGISTER',
  'MESSAGE',
  'REFER',
  'NOTIFY',
  'SUBSCRIBE',
  'PUBLISH',
] as const;
const optionTags = [
  '100rel',
  'timer',
  'replaces',
  'norefersub',
  'path',
  'outbound',
  'gruu',
  'ice',
  'trickle-ice',
];

const capabilities: HeaderList = [
  ['Allow', methods.join(', ')],
  ['Accept', 'application/sdp'],
  ['Accept-Encoding', 'identity'],
  ['Accept-Language', 'en'],
  ['Supported', optionTags.join(', ')],
  ['Recv-Info', 'trickle-ice'],
];

/** Requests outside a dialog that a draining gateway still takes, since they end something. */
const alwaysTaken: ReadonlySet<string> = new Set(['OPTIONS', 'CANCEL']);

/**
 * The ordered gates that every message of a browser passes (DESIGN §4, §5): readable, sane, ours to serve, authenticated;
 * then its method. Whatever does not pass is answered here, without any state, or dropped and counted.
 */
export class Ingress {
  readonly #parse: ParseOptions;
  /** There while draining. */
  #mayReturn: ((aor: string) => boolean) | undefined;

  constructor(private readonly options: IngressOptions) {
    const limits = { ...defaultParseLimits, maxBytes: options.maxMessageBytes };
    this.#parse = { limits, framing: 'websocket' };
  }

  /** Takes one WebSocket message. Never throws. */
  receive(flow: Flow, bytes: Buffer): void {
    let request: SipRequest | undefined;
    try {
      const parsed = parseMessage(bytes, this.#parse);
      if (parsed.kind === 'failure') return this.#unreadable(flow, parsed.failure, parsed.reply);
      flow.noteReadable();
      if (parsed.kind === 'response') return this.#response(flow, parsed);
      request = noteReceived(parsed, flow.origin.address, flow.origin.port);
      this.#request(flow, request);
    } catch (thrown) {
      this.#defect(flow, request, thrown);
    }
  }

  /** Refuses what would begin something new from now on, but for users who `mayReturn` to a call; dialogs go on. */
  drain(mayReturn: (aor: string) => boolean): void {
    this.#mayReturn = mayReturn;
    this.options.signIn.drain();
  }

  #unreadable(flow: Flow, reason: SipFailure, reply: Buffer | undefined): void {
    const { id: flowId, remote } = flow;
    if (reply === undefined) {
      const detail = reason.detail ?? reason.reason;
      this.options.events.messageDropped({ flowId, remote, cause: 'malformed', detail });
    } else {
      flow.send(reply.toString());
      this.options.events.messageRefused({ flowId, remote, method: '', sipCallId: '', failure: reason });
    }
    flow.noteMalformed();
  }

  /** Responses answer requests of ours, which go to attached flows only. */
  #response(flow: Flow, response: SipMessage): void {
    const { endpoint } = flow;
    if (endpoint !== undefined) return endpoint.receive(response);
    const { id: flowId, remote } = flow;
    this.options.events.messageDropped({ flowId, remote, cause: 'response_unattached', detail: '' });
  }

  #request(flow: Flow, request: SipRequest): void {
    const flaw =
      request.method === 'REGISTER' ? checkRegister(request) : checkRequest(request, optionTags, methods);
    if (request.method === 'ACK') return this.#ack(flow, request, flaw);
    if (flaw !== undefined) return this.#refuse(flow, request, flaw);
    const isInDialog = tagOf(request.to) !== undefined;
    if (this.#mayReturn !== undefined && !isInDialog && !goesOn(flow, request, this.#mayReturn)) {
      return this.#refuse(flow, request, drainFailure());
    }
    const overload = isInDialog ? undefined : this.options.overload.refusal(flow, request);
    if (overload !== undefined) return this.#refuse(flow, request, overload);
    switch (request.method) {
      case 'REGISTER':
        return this.#register(flow, request);
      case 'CANCEL':
        return this.#cancel(flow, request);
      case 'OPTIONS':
        if (!isInDialog && (this.options.anonymousOptions || flow.endpoint !== undefined)) {
          return this.#send(flow, respond(request, 200, { headers: capabilities }));
        }
        break;
    }
    return this.#dispatch(flow, request, isInDialog);
  }

  #register(flow: Flow, request: SipRequest): void {
    const { rates, clock, signIn } = this.options;
    const { endpoint } = flow;
    const seconds = endpoint === undefined ? 0 : rates.takeRegister(endpoint.aor, clock.nowMs());
    if (seconds > 0) {
      const headers = [['Retry-After', String(seconds)]] as const;
      return this.#refuse(flow, request, failure('limit.register_rate', { headers }));
    }
    this.#answerLater(flow, request, signIn.register(flow, request));
  }

  /** Never answered, never challenged (RFC 3261 §17.1.1.3, §22.1). */
  #ack(flow: Flow, request: SipRequest, flaw: SipFailure | undefined): void {
    if (flaw === undefined && flow.endpoint !== undefined) return flow.endpoint.receive(request);
    const { id: flowId, remote } = flow;
    const cause = flaw === undefined ? 'ack_unattached' : 'ack';
    this.options.events.messageDropped({ flowId, remote, cause, detail: flaw?.detail ?? '' });
  }

  /** Never challenged (RFC 3261 §22.1); only a flow of the endpoint that sent the INVITE can cancel it. */
  #cancel(flow: Flow, request: SipRequest): void {
    if (flow.endpoint === undefined) return this.#refuse(flow, request, failure('dialog.unknown'));
    flow.endpoint.receive(request);
  }

  #dispatch(flow: Flow, request: SipRequest, isInDialog: boolean): void {
    if (flow.endpoint === undefined) {
      return this.#answerLater(flow, request, this.options.signIn.authenticate(flow, request));
    }
    // In a dialog From is what the dialog began with; the endpoint's core finds only its own dialogs.
    const stranger = isInDialog ? undefined : this.options.signIn.checkIdentity(flow, flow.endpoint, request);
    if (stranger !== undefined) return this.#refuse(flow, request, stranger);
    flow.endpoint.receive(request);
  }

  /** Sends the response that signing in came to; without one the request goes on to the endpoint that it signed in to. */
  #answerLater(flow: Flow, request: SipRequest, outcome: ReturnType<SignIn['authenticate']>): void {
    if (!(outcome instanceof Promise)) return this.#answer(flow, request, outcome);
    outcome.then(
      (response) => this.#answer(flow, request, response),
      (thrown: unknown) => this.#defect(flow, request, thrown),
    );
  }

  #answer(flow: Flow, request: SipRequest, outcome: SipResponse | SipFailure | undefined): void {
    if (outcome instanceof SipFailure) return this.#refuse(flow, request, outcome);
    if (outcome !== undefined) return this.#send(flow, outcome);
    flow.endpoint?.receive(request);
  }

  #refuse(flow: Flow, request: SipRequest, reason: SipFailure): void {
    const { id: flowId, remote } = flow;
    const { method, callId: sipCallId } = request;
    this.#send(flow, respondFailure(request, reason));
    this.options.events.messageRefused({ flowId, remote, method, sipCallId, failure: reason });
  }

  /** A defect of ours: answered 500 where an answer is allowed, and logged whole. */
  #defect(flow: Flow, request: SipRequest | undefined, thrown: unknown): void {
    const reason = toFailure(thrown);
    this.options.log.error(
      { flowId: flow.id, method: request?.method, err: thrown },
      'a message was not handled',
    );
    if (request === undefined || request.method === 'ACK') return;
    this.#refuse(flow, request, reason);
  }

  #send(flow: Flow, response: SipResponse): void {
    flow.send(serializeText(response));
  }
}

/** What a draining gateway takes outside a dialog: what ends something, and who comes back to a call. */
function goesOn(
  { endpoint }: Flow,
  { method, to }: SipRequest,
  mayReturn: (aor: string) => boolean,
): boolean {
  if (method !== 'REGISTER') return alwaysTaken.has(method);
  return endpoint === undefined && mayReturn(canonicalAor(to.uri) ?? '');
}

/** What must hold of a REGISTER before it is challenged; its Contacts are read, once, when it is authentic. */
function checkRegister(request: SipRequest): SipFailure | undefined {
  return (
    checkCSeqMethod(request) ??
    checkMaxForwards(request) ??
    checkRequestUriScheme(request) ??
    checkRequire(request, optionTags) ??
    checkAddressOfRecord(request)
  );
}
