import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { decodeNg, encodeNg, type NgCommand, type NgDictionary } from '../../sip/media/rtpengine/ng-codec.js';

/** What the script makes of one command: an answer, raw bytes instead (without cookie), or silence. */
export type Reply = NgCommand | Buffer | undefined;

/** A command that came; the same one again has the same cookie. */
export interface ReceivedCommand {
  readonly cookie: string;
  readonly name: string;
  readonly command: NgDictionary;
}

const ok: NgCommand = { result: 'ok' };

/** Stands in for rtpengine: takes NG commands on loopback and answers as the test says. */
export class ScriptedRtpengine {
  readonly received: ReceivedCommand[] = [];
  /** Datagrams that are not a command. */
  unreadable = 0;
  /** Answers by command; without one {@link usual} does. */
  readonly script = new Map<string, (received: ReceivedCommand) => Reply>();
  readonly #waiting = new Set<() => void>();
  #nextPort = 40_000;

  private constructor(private readonly socket: Socket) {
    socket.on('message', (datagram, from) => this.#take(datagram, from));
  }

  static async start(port = 0): Promise<ScriptedRtpengine> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(port, '127.0.0.1', resolve));
    return new ScriptedRtpengine(socket);
  }

  get address(): { host: string; port: number } {
    return { host: '127.0.0.1', port: this.socket.address().port };
  }

  get name(): string {
    return `127.0.0.1:${this.address.port}`;
  }

  /** The commands of that name, each once however often it was sent. */
  commands(name: string): readonly NgDictionary[] {
    const byCookie = new Map(
      this.received.filter((one) => one.name === name).map(({ cookie, command }) => [cookie, command]),
    );
    return [...byCookie.values()];
  }

  /** Resolves once that many commands of that name have come. */
  async got(name: string, count = 1): Promise<void> {
    while (this.commands(name).length < count)
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  /** What a real one answers: SDP for an end of the wanted profile, the same one for the same tag. */
  usual({ name, command }: ReceivedCommand): NgCommand {
    if (name === 'ping') return { result: 'pong' };
    if (name === 'list') return { result: 'ok', calls: [] };
    if (name === 'query') return { result: 'ok', tags: {}, SSRC: {} };
    if (name !== 'offer' && name !== 'answer') return ok;
    this.#nextPort += 2;
    const isPlain = command.get('transport-protocol') === 'RTP/AVP';
    return { result: 'ok', sdp: isPlain ? plainSdp(this.#nextPort) : webrtcSdp(this.#nextPort) };
  }

  /** Sends bytes to whoever sent this command. */
  send(bytes: Buffer, to: RemoteInfo): void {
    this.socket.send(bytes, to.port, to.address);
  }

  /** Called with each command before it is answered. */
  onCommand: ((received: ReceivedCommand, from: RemoteInfo) => void) | undefined;

  close(): Promise<void> {
    return new Promise((resolve) => this.socket.close(() => resolve()));
  }

  #take(datagram: Buffer, from: RemoteInfo): void {
    const space = datagram.indexOf(' ');
    const command = decodeNg(datagram.subarray(space + 1));
    if (space < 1 || command === undefined) {
      this.unreadable += 1;
      return;
    }
    const received = {
      cookie: datagram.toString('latin1', 0, space),
      name: textOf(command, 'command'),
      command,
    };
    this.received.push(received);
    this.onCommand?.(received, from);
    const script = this.script.get(received.name);
    const reply = script === undefined ? this.usual(received) : script(received);
    if (Buffer.isBuffer(reply)) this.send(reply, from);
    else if (reply !== undefined) this.send(answerTo(received.cookie, reply), from);
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** A text in a command; empty when it is not there. */
export function textOf(command: NgDictionary, key: string): string {
  const value = command.get(key);
  return typeof value === 'string' ? value : '';
}

/** The datagram that answers the command with this cookie. */
export function answerTo(cookie: string, answer: NgCommand): Buffer {
  return Buffer.concat([Buffer.from(`${cookie} `), encodeNg(answer)]);
}

function plainSdp(port: number): string {
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${port} RTP/AVP 0`,
    `a=rtcp:${port + 1}`,
    '',
  ].join('\r\n');
}

function webrtcSdp(port: number): string {
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${port} UDP/TLS/RTP/SAVPF 0`,
    'a=rtcp-mux',
    'a=ice-ufrag:rtpe',
    'a=ice-pwd:abcdefghijklmnopqrstuv',
    'a=setup:active',
    `a=fingerprint:sha-256 ${Array<string>(32).fill('AB').join(':')}`,
    `a=candidate:1 1 UDP 2130706431 127.0.0.1 ${port} typ host`,
    '',
  ].join('\r\n');
}
