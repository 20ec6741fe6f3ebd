import { freePort, freePorts } from '../free-port.js';
import { startSipp, type RunningSipp } from '../run-sipp.js';
import { Script } from '../sipp/script.js';
import type { MatrixPeer } from './peer.js';
import type { Reasons } from './steps.js';

const first = 'PCMU';
const second = 'PCMA';
const payloadTypes = { PCMU: 0, PCMA: 8 } as const;
const events = 126;
/** Time for both sides to be looked at before SIPp goes on by itself. */
const lookMs = 1_500;
const callWithinSeconds = 60;

/** SIPp with `-rtp_echo`: it sends back what it hears, and plays the signalling of a row by scenario. */
export class SippPeer implements MatrixPeer {
  readonly name = 'SIPp that sends back what it hears';
  readonly hz = undefined;
  readonly codecs = [first, second] as const;
  #gatewayPort = 0;
  #running: RunningSipp | undefined;

  private constructor(
    private readonly program: string,
    readonly number: string,
    private readonly port: number,
    private readonly mediaPort: number,
  ) {}

  static async create(program: string, number: string): Promise<SippPeer> {
    // It takes ports after this one for video and RTCP.
    const [mediaPort = 0] = await freePorts(4);
    return new SippPeer(program, number, await freePort(), mediaPort);
  }

  get uri(): string {
    return `sip:127.0.0.1:${this.port};transport=udp`;
  }

  cannot(): Reasons {
    return { 'codec by PBX': 'by script, in the row above', video: 'no picture there' };
  }

  meet(gateway: string): void {
    this.#gatewayPort = Number(gateway.split(':').at(-1));
  }

  async await(late: boolean): Promise<void> {
    const callee = new Script('callee').takes('INVITE').answers('INVITE', 100).answers('INVITE', 180);
    if (!late) callee.answers('INVITE', 183, { body: this.#sdp(first) }).pause(lookMs);
    callee.answers('INVITE', 200, { body: this.#sdp(first) }).takes('ACK');
    const running = await this.#start(late ? callee : this.#inCall(callee, 1));
    await running.listening;
  }

  async early(): Promise<void> {
    // It goes on by itself.
  }

  async accept(): Promise<void> {
    // It does by itself.
  }

  /** Resolves at once: SIPp does not tell when its call is up. */
  async dial(user: string, late: boolean): Promise<void> {
    const caller = new Script('caller').invite(1, {
      uri: `sip:${user}@[remote_ip]:[remote_port]`,
      body: late ? '' : this.#sdp(first),
    });
    caller.skips(100).skips(180).skips(183).gets(200);
    caller.sends('ACK', 1, late ? { body: this.#sdp(first) } : {});
    await this.#start(late ? caller : this.#inCall(caller, 2), this.#gatewayPort);
  }

  async hold(): Promise<void> {
    // It does by itself.
  }

  async resume(): Promise<void> {
    // It does by itself.
  }

  async changeCodec(): Promise<void> {
    throw new Error('the scenario has no such step');
  }

  async hears(): Promise<void> {
    // What it hears comes back.
  }

  async press(): Promise<void> {
    throw new Error('SIPp has no keys');
  }

  async pressed(): Promise<void> {
    throw new Error('SIPp tells no digits');
  }

  async video(): Promise<void> {
    throw new Error('the scenario has no such step');
  }

  async pictures(): Promise<undefined> {
    return undefined;
  }

  async ended(): Promise<void> {
    const result = await this.#running?.result;
    if (result?.successful !== 1) throw new Error(`SIPp: ${result?.errors ?? 'has not run'}`);
  }

  async close(): Promise<void> {
    this.#running?.stop();
    await this.#running?.result;
  }

  /** The steps of a row in their order: held by the browser, held by SIPp, another codec, ICE restart. */
  #inCall(script: Script, cseq: number): Script {
    const is = (name: string, body: string): Script =>
      script.takes('INVITE', [], name).answers(name, 200, { body }).takes('ACK');
    const says = (number: number, body: string): Script =>
      script.sends('INVITE', number, { body }).skips(100).gets(200).sends('ACK', number);
    is('held', this.#sdp(first, 'recvonly'));
    is('resumed', this.#sdp(first)).pause(lookMs);
    says(cseq, this.#sdp(first, 'inactive')).pause(lookMs);
    says(cseq + 1, this.#sdp(first));
    is('changed', this.#sdp(second));
    return is('restarted', this.#sdp(second));
  }

  async #start(script: Script, target?: number): Promise<RunningSipp> {
    script.takes('BYE').answers('BYE', 200);
    await this.close();
    this.#running = startSipp({
      program: this.program,
      scenario: script,
      transport: 'udp',
      port: this.port,
      echoPort: this.mediaPort,
      ...(target === undefined ? {} : { target }),
      calls: 1,
      timeoutSeconds: callWithinSeconds,
    });
    return this.#running;
  }

  #sdp(codec: keyof typeof payloadTypes, direction = 'sendrecv'): string {
    const type = payloadTypes[codec];
    return [
      'v=0',
      `o=sipp 1 1 IN IP4 127.0.0.1`,
      's=-',
      'c=IN IP4 127.0.0.1',
      't=0 0',
      `m=audio ${this.mediaPort} RTP/AVP ${type} ${events}`,
      `a=rtpmap:${type} ${codec}/8000`,
      `a=rtpmap:${events} telephone-event/8000`,
      `a=${direction}`,
    ].join('\n');
  }
}
