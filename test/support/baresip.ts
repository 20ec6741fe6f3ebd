import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { ChildProgram } from './child-program.js';
import { freePorts } from './free-port.js';
import { Journal } from './journal.js';
import { detectTone } from './tone.js';
import { within } from './within.js';

export interface BaresipOptions {
  readonly program: string;
  readonly user: string;
  /** For registrar and calls. */
  readonly password?: string;
  /** `host:port` of the registrar, by UDP; without it the phone is called at its own address. */
  readonly registrar?: string;
  /** The tone that it speaks, 10 to 20,000 Hz. */
  readonly hz: number;
  /** In order of preference. */
  readonly codecs?: readonly string[];
  /**
   * How it protects and connects its media: RTP as it is, when not given; SDES: keys in SDP, or no call; optional SDES:
   * keys beside RTP/AVP, for whoever knows them; WebRTC: ICE and DTLS.
   */
  readonly media?: 'SDES' | 'optional SDES' | 'WebRTC';
  /** Has a picture: VP8. */
  readonly video?: boolean;
}

/** An event of baresip's control interface: `CALL_INCOMING`, `CALL_ESTABLISHED`, `CALL_CLOSED`, `CALL_DTMF_START` … */
export interface BaresipEvent {
  readonly type: string;
  readonly param?: string;
  readonly peeruri?: string;
}

const modulePath = '/usr/lib/baresip/modules';
const readyWithinMs = 10_000;
const pollMs = 50;
const recordingHeaderBytes = 44;
const listenMs = 300;
const longestLifeSeconds = 900;

/** A SIP phone that registers, speaks one tone and records what it hears. */
export class Baresip {
  readonly events = new Journal<BaresipEvent>();
  #received = Buffer.alloc(0);

  private constructor(
    readonly aor: string,
    /** Where it takes SIP, `127.0.0.1:port`. */
    readonly address: string,
    private readonly child: ChildProgram,
    private readonly control: Socket,
  ) {
    control.on('error', () => undefined);
    control.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  /** Starts it and waits until it is registered, when it shall be. */
  static async start(options: BaresipOptions): Promise<Baresip> {
    const folder = ChildProgram.createFolder('baresip');
    // It takes the port after its SIP port for TLS.
    const [sipPort = 0, , controlPort = 0] = await freePorts(3);
    const address = `127.0.0.1:${sipPort}`;
    const account = accountOf(options, address);
    writeFileSync(join(folder, 'config'), configText(folder, address, controlPort, options));
    writeFileSync(join(folder, 'accounts'), `${account}\n`);
    for (const name of ['contacts', 'uuid']) writeFileSync(join(folder, name), '');
    keepFromRecordingItself(folder);
    const child = ChildProgram.start(options.program, ['-f', folder], folder);
    try {
      const control = await connectWhenReady(controlPort, child);
      const phone = new Baresip(aorOf(options, address), address, child, control);
      if (options.registrar !== undefined) await phone.#registered();
      return phone;
    } catch (error) {
      await child.stop();
      throw error;
    }
  }

  /** What it prints. */
  get output(): string {
    return this.child.output;
  }

  dial(uri: string): void {
    this.command('dial', uri);
  }

  /** Answers the call that rings. */
  accept(): void {
    this.command('accept');
  }

  /** Hangs up, cancels or declines, whatever the call is at. */
  hangUp(): void {
    this.command('hangup');
  }

  hold(): void {
    this.command('hold');
  }

  resume(): void {
    this.command('resume');
  }

  /** Sends digits as telephone events. */
  sendDigits(digits: string): void {
    this.command('sndcode', digits);
  }

  /** Any command of its menu. */
  command(command: string, params = ''): void {
    const text = JSON.stringify({ command, params });
    this.control.write(`${Buffer.byteLength(text)}:${text},`);
  }

  /** The next event of that type, or one that came before and was not asked for. */
  async event(type: string, withinMs = 5000): Promise<BaresipEvent> {
    let late: NodeJS.Timeout | undefined;
    const seen = this.events.items;
    const found = await Promise.race([
      this.events.first((event) => event.type === type),
      new Promise<never>((_resolve, reject) => {
        late = setTimeout(() => {
          const list = seen.map((event) => event.type).join(', ');
          reject(new Error(`baresip: no ${type} within ${withinMs} ms; seen: ${list}\n${this.output}`));
        }, withinMs);
      }),
    ]).finally(() => clearTimeout(late));
    seen.splice(0, seen.indexOf(found) + 1);
    return found;
  }

  /** Which of the tones the last moments of its recording hold; null for silence, noise or no recording. */
  heardHz(candidatesHz: readonly number[]): number | null {
    const recording = this.#recording();
    return recording === undefined ? null : detectTone(recording.last, recording.rate, candidatesHz);
  }

  /** Waits until this tone, or silence for null, is what it hears from now on. */
  async hears(hz: number | null): Promise<void> {
    let before = this.#recording();
    if (hz === null) await pause(listenMs);
    for (;;) {
      const now = this.#recording();
      // It begins the file again when its audio does, within a second of the last time.
      if (now !== undefined && now.frames < (before?.frames ?? 0)) before = undefined;
      if (isHeard(hz, newIn(now, before))) return;
      await pause(pollMs);
    }
  }

  /** How much it has recorded of what it hears, in bytes: grows while sound arrives. */
  recordedBytes(): number {
    return readdirSync(this.child.folder)
      .filter((name) => name.endsWith('-dec.wav'))
      .reduce((sum, name) => sum + statSync(join(this.child.folder, name)).size, 0);
  }

  /** Waits until it hears this tone, from now on. */
  async waitForTone(hz: number, withinMs = 8000): Promise<void> {
    await within(withinMs, `baresip does not hear ${hz} Hz\n${this.output}`, this.hears(hz));
  }

  /** Ends it: it hangs up and unregisters. Idempotent. */
  async close(): Promise<void> {
    this.control.destroy();
    await this.child.stop();
  }

  /** The newest recording that is long enough, with its last moments. */
  #recording(): Recording | undefined {
    const [file] = readdirSync(this.child.folder)
      .filter((name) => name.endsWith('-dec.wav'))
      .map((name) => join(this.child.folder, name))
      .sort((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs);
    const bytes = file === undefined ? Buffer.alloc(0) : readFileSync(file);
    if (file === undefined || bytes.length <= recordingHeaderBytes) return undefined;
    const channels = bytes.readUInt16LE(22);
    const rate = bytes.readUInt32LE(24);
    const frames = Math.floor((bytes.length - recordingHeaderBytes) / (2 * channels));
    const wanted = Math.floor((rate * listenMs) / 1000);
    if (frames < wanted) return undefined;
    const last = Float32Array.from({ length: wanted }, (_, index) =>
      bytes.readInt16LE(recordingHeaderBytes + (frames - wanted + index) * 2 * channels),
    );
    return { file, rate, frames, last };
  }

  async #registered(): Promise<void> {
    await Promise.race([
      this.event('REGISTER_OK', readyWithinMs),
      this.events
        .first(({ type }) => type === 'REGISTER_FAIL')
        .then(({ param }) => Promise.reject(new Error(`baresip is not registered: ${param ?? ''}`))),
      this.#untilRegistered(),
    ]);
  }

  /** It may have registered before the control connection stood: then there is no event, only its own word. */
  async #untilRegistered(): Promise<void> {
    while (!/200 OK .*\[1 binding\]/.test(this.output)) {
      if (!this.child.running) throw new Error(`baresip has ended:\n${this.output}`);
      await pause(pollMs);
    }
  }

  /** Netstrings of JSON: events, and answers to commands. */
  #take(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (;;) {
      const colon = this.#received.indexOf(':');
      const size = Number(this.#received.toString('utf8', 0, colon));
      if (colon < 1 || this.#received.length < colon + size + 2) return;
      const text = this.#received.toString('utf8', colon + 1, colon + 1 + size);
      this.#received = this.#received.subarray(colon + size + 2);
      const message = JSON.parse(text) as BaresipEvent & { readonly event?: boolean };
      if (message.event === true) this.events.add(message);
    }
  }
}

interface Recording {
  readonly file: string;
  readonly rate: number;
  readonly frames: number;
  readonly last: Float32Array;
}

/** The recording when all of its last moments came after `before`. */
function newIn(now: Recording | undefined, before: Recording | undefined): Recording | undefined {
  if (now === undefined) return undefined;
  const known = before !== undefined && now.file === before.file ? before.frames : 0;
  return now.frames - known >= now.last.length ? now : undefined;
}

function isHeard(hz: number | null, fresh: Recording | undefined): boolean {
  if (hz === null) return fresh === undefined || isSilent(fresh.last);
  return fresh !== undefined && detectTone(fresh.last, fresh.rate, [hz]) === hz;
}

/** Of 16-bit samples: coding noise is no sound. */
const audibleFrom = 300;

function isSilent(samples: Float32Array): boolean {
  return samples.every((sample) => Math.abs(sample) < audibleFrom);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function aorOf({ user, registrar }: BaresipOptions, address: string): string {
  return `sip:${user}@${registrar ?? address}`;
}

/**
 * Version 1.0.0 begins its recordings again after a hold only when it does not record what it says itself: the names of
 * those files are taken by folders.
 */
function keepFromRecordingItself(folder: string): void {
  const two = (value: number): string => String(value).padStart(2, '0');
  for (let second = 0; second < longestLifeSeconds; second += 1) {
    const at = new Date(Date.now() + second * 1000);
    const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())];
    const time = [two(at.getHours()), two(at.getMinutes()), two(at.getSeconds())];
    mkdirSync(join(folder, `dump-${[...day, ...time].join('-')}-enc.wav`));
  }
}

function accountOf(options: BaresipOptions, address: string): string {
  const { user, password, registrar, codecs = ['PCMU/8000/1', 'opus/48000/2'], media, video } = options;
  return [
    `<${aorOf(options, address)};transport=udp>`,
    ...(password === undefined ? [] : [`auth_user=${user}`, `auth_pass=${password}`]),
    `regint=${registrar === undefined ? 0 : 60}`,
    'answermode=manual',
    `audio_codecs=${codecs.join(',')}`,
    ...(video === true ? ['video_codecs=vp8'] : []),
    ...(media === 'SDES' ? ['mediaenc=srtp-mand'] : []),
    ...(media === 'optional SDES' ? ['mediaenc=srtp'] : []),
    ...(media === 'WebRTC' ? ['mediaenc=dtls_srtp', 'medianat=ice'] : []),
  ].join(';');
}

async function connectWhenReady(port: number, child: ChildProgram): Promise<Socket> {
  const deadline = Date.now() + readyWithinMs;
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return socket;
    } catch {
      if (!child.running || Date.now() > deadline) throw new Error(`no baresip:\n${child.output}`);
      await pause(pollMs);
    }
  }
}

const pictureLines = [
  'video_source fakevideo,nil',
  'video_display fakevideo,nil',
  'video_size 176x144',
  'video_fps 10',
  'video_bitrate 200000',
];

function configText(
  folder: string,
  address: string,
  controlPort: number,
  { hz, media, video }: BaresipOptions,
): string {
  const extra = media === undefined ? [] : media === 'WebRTC' ? ['srtp', 'dtls_srtp', 'ice'] : ['srtp'];
  const picture = video === true ? ['vp8', 'fakevideo'] : [];
  const modules = ['opus', 'g711', 'sndfile', 'ausine', 'aubridge', ...extra, ...picture].map(
    (name) => `module ${name}.so`,
  );
  return [
    'poll_method epoll',
    `sip_listen ${address}`,
    'net_interface 127.0.0.1',
    'call_local_timeout 120',
    'call_max_calls 4',
    `audio_path ${join(folder, 'none')}`,
    'audio_player aubridge,ear',
    `audio_source ausine,${hz}`,
    'audio_alert aubridge,bell',
    // The sine source of this version knows nothing else.
    'ausrc_srate 48000',
    'ausrc_channels 2',
    'audio_level no',
    ...(video === true ? pictureLines : []),
    'ausrc_format s16',
    'auplay_format s16',
    'auenc_format s16',
    'audec_format s16',
    `rtcp_mux ${media === 'WebRTC' ? 'yes' : 'no'}`,
    'jitter_buffer_delay 2-10',
    `module_path ${modulePath}`,
    ...modules,
    'module_tmp uuid.so',
    'module_tmp account.so',
    'module_app menu.so',
    'module_app ctrl_tcp.so',
    `ctrl_tcp_listen 127.0.0.1:${controlPort}`,
    `snd_path ${folder}`,
    '',
  ].join('\n');
}
