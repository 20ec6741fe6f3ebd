import { randomInt } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { failure, SipFailure, toFailure } from '../../sip/failure.js';
import type { IncomingCall, InDialogRequest, LegListener, Reoffer } from '../../sip/leg.js';
import type { Log } from '../../sip/log.js';
import { shareCodecs } from '../../sip/sdp/codecs.js';
import type { LocalTransport, SdpCodec } from '../../sip/sdp/description.js';
import { answerTo, sends } from '../../sip/sdp/direction.js';
import { SdpEnd, type ReceivedDescription, type SentOffer } from '../../sip/sdp/offer-answer.js';
import type { RtpEcho } from './rtp-echo.js';

/** What is offered to a caller that offers nothing. */
const ownCodecs: readonly SdpCodec[] = [
  { payloadType: 0, name: 'PCMU', clockRate: 8000, channels: 1 },
  { payloadType: 8, name: 'PCMA', clockRate: 8000, channels: 1 },
  { payloadType: 101, name: 'telephone-event', clockRate: 8000, channels: 1, parameters: '0-16' },
];

/** Largest session id: it must be exact in the SDP library's numbers (RFC 8866 §5.2). */
const maxSessionId = 2 ** 47;

/** One call to the echo number: takes every codec that it knows and sends all that it hears back. */
export class EchoCall implements LegListener {
  readonly #sdp: SdpEnd;
  readonly #transport: LocalTransport;

  constructor(
    private readonly call: IncomingCall,
    private readonly echo: RtpEcho,
    address: string,
    private readonly log: Log,
    private readonly done: (call: EchoCall) => void,
  ) {
    const own = { family: isIPv6(address) ? (6 as const) : (4 as const), host: address };
    const { rtpPort, rtcpPort } = echo;
    this.#sdp = new SdpEnd({ profile: 'plain', address: own, sessionId: String(randomInt(1, maxSessionId)) });
    this.#transport = { profile: 'plain', address: own, rtpPort, rtcpPort };
  }

  /** Rings and answers. */
  async pickUp(): Promise<void> {
    const { leg, sdp } = this.call;
    leg.progress(180, 'Ringing');
    try {
      if (sdp !== undefined) await leg.answer(this.#answerTo(sdp));
      else await this.#offer((own) => leg.answer(own));
    } catch (thrown) {
      const why = toFailure(thrown);
      this.log.info({ legId: leg.id, code: why.code, why: why.message }, 'the echo number did not answer');
      leg.hangUp({ failure: why });
    }
  }

  reoffer(reoffer: Reoffer): void {
    this.#renegotiate(reoffer).catch((thrown: unknown) => reoffer.reject(toFailure(thrown)));
  }

  request(request: InDialogRequest): void {
    if (request.method === 'INFO' || request.method === 'OPTIONS') request.respond(200);
    else request.respond(405, '', [['Allow', 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK']]);
  }

  ended(): void {
    this.echo.close();
    this.done(this);
  }

  /** Ends the call. */
  hangUp(): void {
    this.call.leg.hangUp({ failure: failure('gateway.draining') });
  }

  async #renegotiate(reoffer: Reoffer): Promise<void> {
    if (reoffer.sdp !== undefined) await reoffer.accept(this.#answerTo(reoffer.sdp));
    else if (reoffer.method === 'UPDATE') await reoffer.accept(undefined);
    else await this.#offer((own) => reoffer.accept(own));
  }

  /** Throws what the offer is refused with. */
  #answerTo(text: string): string {
    const offer = this.#sdp.readOffer(text);
    if (offer instanceof SipFailure) throw offer;
    const codecs = shareCodecs(offer.stream.codecs, undefined, undefined);
    if (codecs.length === 0) throw failure('media.not_acceptable');
    const direction = answerTo(offer.stream.direction, 'sendrecv');
    const answer = this.#sdp.writeAnswer(offer, { ...offer.stream, codecs, direction }, this.#transport);
    this.#sdp.agreeReceived(offer, codecs);
    this.#sendTo(offer, sends(direction));
    return answer;
  }

  /** The caller answers in its ACK (RFC 3261 §13.2.1). */
  async #offer(give: (own: string) => Promise<string | undefined>): Promise<void> {
    const offer: SentOffer = this.#sdp.writeOffer(
      { codecs: ownCodecs, direction: 'sendrecv' },
      this.#transport,
    );
    const text = await give(offer.text);
    if (text === undefined) throw failure('media.sdp_malformed', { detail: 'ACK without an answer' });
    const answer = this.#sdp.readAnswer(text, offer, 'caller');
    if (answer instanceof SipFailure) throw answer;
    this.#sdp.agreeSent(offer);
    this.#sendTo(answer, sends(answer.stream.direction));
  }

  #sendTo({ section }: ReceivedDescription, sending: boolean): void {
    const { address, port } = section;
    this.echo.sendTo(sending && address !== undefined ? { host: address.host, port } : undefined);
  }
}
