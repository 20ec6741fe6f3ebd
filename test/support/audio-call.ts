import type { TrunkConfig } from '../../gateway/config/config.js';
import type { SipRequest, SipResponse } from '../../sip/message/index.js';
import {
  ipTrunk,
  passwordOf,
  startGateway,
  usersRoute,
  type Gateway,
  type GatewayOptions,
} from './gateway.js';
import { audioPort, until } from './media-session.js';
import { RtpPhone, rtpPacket } from './rtp-phone.js';
import { UdpPeer } from './sip-peer.js';
import { acknowledge, answer, inDialog, nextRequest } from './ws-call.js';
import { WebrtcPeer } from './webrtc-peer.js';
import { WsSipClient } from './ws-sip-client.js';

export interface AudioCallOptions {
  readonly dtmf?: TrunkConfig['media']['dtmf'];
  readonly cdrFile?: string;
  readonly mediaProcesses?: number;
  readonly mediaPorts?: { readonly min: number; readonly max: number };
  readonly mediaBrowserPort?: number;
  readonly srtp?: TrunkConfig['media']['srtp'];
  /** What makes the browser's media; without it one that says nothing by itself. */
  readonly browser?: { readonly peer: WebrtcPeer; offer(): Promise<string> };
  /** What the phone answers to this offer; without it that of a plain one. */
  readonly describe?: (offer: string) => string;
  /** The relay when not given. */
  readonly media?: GatewayOptions['media'];
  readonly mediaTimeoutMs?: number;
  /** Of alice's browser, with angle brackets. */
  readonly instanceId?: string;
  readonly websocket?: GatewayOptions['websocket'];
}

const eventLines = ['a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-15'];
const frameMs = 20;

/** Payload types of events: alice's browser offers 126, the PBX's phone answers with 101. */
export const browserEvents = 126;
export const phoneEvents = 101;

/**
 * A call of alice's browser to a PBX through a whole gateway, with scripted signalling at both ends and audio that goes
 * on both ways.
 */
export class AudioCall {
  #pump: NodeJS.Timeout | undefined;
  #sequence = 0;
  #isUp = true;

  private constructor(
    readonly gateway: Gateway,
    public alice: WsSipClient,
    readonly browser: WebrtcPeer,
    readonly pbx: UdpPeer,
    readonly phone: RtpPhone,
    readonly invite: SipRequest,
    readonly answered: SipResponse,
  ) {}

  static async open(options: AudioCallOptions = {}): Promise<AudioCall> {
    const pbx = await UdpPeer.open(0);
    const { dtmf = 'rfc4733', srtp = 'off' } = options;
    const media = { codecs: ['PCMU'], ptimeMs: undefined, dtmf, srtp };
    const office = ipTrunk('office', `sip:127.0.0.1:${pbx.port};transport=udp`, { media });
    const gateway = await startGateway({ ...gatewayOptions(options), trunks: [office] });
    pbx.aim(Number(gateway.sipAddress.split(':').at(-1)));
    const { instanceId } = options;
    const instance = instanceId === undefined ? {} : { instanceId };
    const identity = { user: 'alice', password: passwordOf('alice'), ...instance };
    const alice = await WsSipClient.connect(gateway.wsUrl, identity);
    await alice.register();
    const [browser, phone] = [options.browser?.peer ?? new WebrtcPeer(), await RtpPhone.start()];
    const headers = ['To: <sip:600@localhost>', 'Content-Type: application/sdp'];
    const body = await (options.browser ?? browser).offer();
    const dialled = alice.transact(alice.request('INVITE', 'sip:600@localhost', { headers, body }));
    const invite = await pbx.request('INVITE');
    const described = options.describe?.(invite.body.toString()) ?? phone.sdp('0 101', eventLines);
    pbx.respond(invite, 200, 'OK', { body: described });
    const answered = await dialled;
    browser.takeAnswer(answered.body.toString());
    acknowledge(alice, answered);
    await pbx.request('ACK');
    await browser.reached('open');
    return new AudioCall(gateway, alice, browser, pbx, phone, invite, answered);
  }

  /** Sends audio both ways from now on; resolves when it arrives at both ends. */
  async talk(): Promise<void> {
    const port = audioPort(this.invite.body.toString());
    this.#pump = setInterval(() => {
      this.#sequence += 1;
      this.browser.send(rtpPacket(0, this.#sequence, 'x'.repeat(160), 0xb));
      this.phone.send(rtpPacket(0, this.#sequence, 'x'.repeat(160), 0xa), port);
    }, frameMs);
    await until(() => this.browser.packets.length > 0 && this.phone.packets.length > 0);
  }

  /** The browser loses its socket and signs in on another. */
  async reconnect(): Promise<void> {
    this.alice.socket.terminate();
    await this.alice.closed;
    this.alice = await WsSipClient.connect(this.gateway.wsUrl, this.alice.identity);
    await this.alice.register();
  }

  /** Neither side sends any audio from now on. */
  fallSilent(): void {
    clearInterval(this.#pump);
  }

  /** Takes the BYEs with which the gateway ends the call; gives both. */
  async hungUp(): Promise<{ readonly browser: SipRequest; readonly phone: SipRequest }> {
    const [browser, phone] = await Promise.all([nextRequest(this.alice, 'BYE'), this.pbx.request('BYE')]);
    this.#isUp = false;
    answer(this.alice, browser, 200);
    this.pbx.respond(phone, 200, 'OK');
    return { browser, phone };
  }

  /** Takes the BYE with which the gateway ends the call of a browser whose PBX does not answer any more. */
  async hungUpByGateway(): Promise<SipRequest> {
    const bye = await nextRequest(this.alice, 'BYE');
    this.#isUp = false;
    answer(this.alice, bye, 200);
    return bye;
  }

  /** The call has been ended, and the test has answered for both sides what was to be answered. */
  over(): void {
    this.#isUp = false;
    clearInterval(this.#pump);
  }

  /** The browser plays a tone as RFC 4733 events, without audio meanwhile; the end is sent three times. */
  async press(code: number, units: number): Promise<void> {
    clearInterval(this.#pump);
    const timestamp = (this.#sequence + 1) * 160;
    for (const [duration, end] of [
      [160, 0],
      [units, 0x80],
      [units, 0x80],
      [units, 0x80],
    ] as const) {
      this.#sequence += 1;
      const packet = Buffer.concat([
        rtpPacket(browserEvents, this.#sequence, '', 0xb),
        Buffer.from([code, end | 10, duration >> 8, duration & 0xff]),
      ]);
      packet.writeUInt32BE(timestamp, 4);
      this.browser.send(packet);
    }
    await this.talk();
  }

  /** Alice sends INFO; gives the final response. */
  info(contentType: string, body: string): Promise<SipResponse> {
    const text = inDialog(this.alice, 'INFO', this.answered, { headers: [`Content-Type: ${contentType}`] });
    const bytes = Buffer.byteLength(body);
    return this.alice.transact(
      text.replace(/Content-Length: 0\r\n\r\n$/, `Content-Length: ${bytes}\r\n\r\n${body}`),
    );
  }

  /** The PBX sends a request in the dialog. */
  pbxSends(method: string, cseq: number, contentType = '', body = ''): void {
    const { headers, callId } = this.invite;
    const target = /<([^>]+)>/.exec(headers.get('contact') ?? '')?.[1] ?? '';
    this.pbx.send(
      [
        `${method} ${target} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${this.pbx.port};branch=z9hG4bK${method}${cseq}`,
        'Max-Forwards: 70',
        `From: ${headers.get('to') ?? ''};tag=peer`,
        `To: ${headers.get('from') ?? ''}`,
        `Call-ID: ${callId}`,
        `CSeq: ${cseq} ${method}`,
        `Contact: <sip:peer@127.0.0.1:${this.pbx.port}>`,
        ...(contentType === '' ? [] : [`Content-Type: ${contentType}`]),
        `Content-Length: ${Buffer.byteLength(body)}`,
        '',
        body,
      ].join('\r\n'),
    );
  }

  /** The PBX calls a user of the gateway. */
  pbxInvites(user: string, body: string): void {
    const uri = `sip:${user}@${this.gateway.sipAddress}`;
    this.pbx.send(
      [
        `INVITE ${uri} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${this.pbx.port};branch=z9hG4bKcall-in`,
        'Max-Forwards: 70',
        `From: <sip:602@127.0.0.1>;tag=peer-in`,
        `To: <${uri}>`,
        'Call-ID: call-in',
        'CSeq: 1 INVITE',
        `Contact: <sip:602@127.0.0.1:${this.pbx.port}>`,
        'Content-Type: application/sdp',
        `Content-Length: ${Buffer.byteLength(body)}`,
        '',
        body,
      ].join('\r\n'),
    );
  }

  /** The PBX hangs up. Idempotent. */
  async hangUp(): Promise<void> {
    if (!this.#isUp) return;
    this.#isUp = false;
    clearInterval(this.#pump);
    this.pbxSends('BYE', 99);
    await this.pbx.status(200, 'BYE');
    await nextRequest(this.alice, 'BYE');
  }

  async close(): Promise<void> {
    await this.hangUp();
    await this.alice.close();
    this.browser.close();
    this.phone.close();
    await this.gateway.close();
    await this.pbx.close();
  }
}

/** The event packets of that payload type among `packets`: digit code, end bit and duration. */
export function eventsAmong(
  packets: readonly Buffer[],
  payloadType: number,
): (readonly [number, number, number])[] {
  return packets
    .filter((packet) => (packet.readUInt8(1) & 0x7f) === payloadType)
    .map((packet) => [packet.readUInt8(12), packet.readUInt8(13) >> 7, packet.readUInt16BE(14)]);
}

function gatewayOptions(options: AudioCallOptions): GatewayOptions {
  const {
    cdrFile,
    mediaProcesses = 0,
    mediaPorts,
    mediaBrowserPort,
    media,
    websocket,
    mediaTimeoutMs,
  } = options;
  return {
    routes: [
      usersRoute,
      { name: 'office', match: /^\d+$/, fromTrunk: undefined, to: { kind: 'trunks', trunks: ['office'] } },
    ],
    mediaProcesses,
    ...(cdrFile === undefined ? {} : { cdrFile }),
    ...(mediaPorts === undefined ? {} : { mediaPorts }),
    ...(mediaBrowserPort === undefined ? {} : { mediaBrowserPort }),
    ...(media === undefined ? {} : { media }),
    ...(websocket === undefined ? {} : { websocket }),
    ...(mediaTimeoutMs === undefined ? {} : { mediaTimeoutMs }),
  };
}
