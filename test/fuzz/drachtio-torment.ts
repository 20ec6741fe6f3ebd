import fc from 'fast-check';
import { browserSdp } from '../bench/messages.js';
import { domain, userName } from '../bench/target.js';
import { SoakPhone } from '../soak/soak-phone.js';
import { ScriptedEngine, type ControlFrame } from '../support/scripted-engine.js';
import { sdp } from '../support/sip-peer.js';
import type { Torment, TormentKit } from './fuzz-gateway.js';
import type { GatewaySubject } from './gateway-subject.js';
import { near } from './texts.js';

const framesPerRound = 24;
const secret = 'a secret';
/** Of the frames: a stream that has lost its framing is given up, and connected anew. */
const unframed = 1 / 40;

/** A drachtio-server that says anything, with and without calls that a browser makes to the trunk. */
export async function drachtioTorment(): Promise<TormentKit> {
  const engine = await ScriptedEngine.listen(secret);
  return {
    subject: {
      sip: `{ engine: drachtio, drachtio: { host: 127.0.0.1, port: ${engine.port}, secret: ${secret} } }`,
      pbxPort: 5091,
    },
    torment: (subject) => DrachtioTorment.open(subject, engine),
    close: () => engine.close(),
  };
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

class DrachtioTorment implements Torment {
  private number = 0;

  private constructor(
    private readonly engine: ScriptedEngine,
    private readonly phone: SoakPhone,
  ) {}

  static async open({ wsUrl }: GatewaySubject, engine: ScriptedEngine): Promise<DrachtioTorment> {
    const phone = new SoakPhone(userName(0), wsUrl, browserSdp(1_500));
    await phone.connect();
    return new DrachtioTorment(engine, phone);
  }

  async attack(_subject: GatewaySubject, seed: number): Promise<number> {
    const { engine, phone } = this;
    engine.frames.length = 0;
    // Refused at once while the engine is away; it must come to an end, whatever the engine says.
    const calling = phone.ua
      .call(phone.aor, `sip:9${(this.number += 1)}@${domain}`, () => undefined)
      .then((dialog) => phone.ua.hangUp(dialog))
      .catch(refusalOnly);
    await pause();
    const seeds = [...unasked(this.number), ...engine.frames.flatMap((frame) => answersTo(frame))];
    const inputs = fc.tuple(near(seeds.map((text) => Buffer.from(text))), fc.double({ min: 0, max: 1 }));
    for (const [bytes, chance] of fc.sample(inputs, { seed, numRuns: framesPerRound })) {
      const text = bytes.toString();
      if (chance < unframed) engine.raw(text);
      else engine.raw(`${Buffer.byteLength(text)}#${text}`);
    }
    // What is left of the call ends with the connection.
    if (seed % 3 !== 0) engine.cut();
    else for (const frame of engine.frames) for (const text of refusalsOf(frame)) engine.send(text);
    await pause();
    engine.cut();
    await calling;
    return framesPerRound;
  }

  async close(): Promise<void> {
    this.phone.drop();
    return Promise.resolve();
  }
}

function refusalOnly(thrown: unknown): void {
  if (thrown instanceof Error && /^(INVITE|BYE): \d{3}/.test(thrown.message)) return;
  throw thrown;
}

const source = 'udp|127.0.0.1|5091|12:00:00.000000';

function message(startLine: string, cseq: string, callId: string, body = ''): string {
  return [
    startLine,
    'Via: SIP/2.0/UDP 127.0.0.1:5091;branch=z9hG4bK1',
    'From: <sip:bob@x>;tag=f',
    `To: <sip:${userName(0)}@gw>`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq}`,
    'Contact: <sip:bob@127.0.0.1:5091>',
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

/** Frames that no request of ours has asked for. */
function unasked(number: number): string[] {
  const callId = `call${number}`;
  const frame = (text: string, dialogId = ''): string =>
    `id${number}|sip|network|${text.length}|${source}|t${number}|${dialogId}|127.0.0.1|5060|\r\n${text}`;
  const uri = `sip:${userName(0)}@gw`;
  const inside = `${callId};from-tag=f`;
  return [
    frame(message(`INVITE ${uri} SIP/2.0`, '1 INVITE', callId, sdp(6000))),
    frame(message(`INVITE ${uri} SIP/2.0`, '2 INVITE', callId, sdp(6002)), inside),
    frame(message(`ACK ${uri} SIP/2.0`, '1 ACK', callId), inside),
    ...['BYE', 'INFO', 'UPDATE', 'CANCEL', 'OPTIONS', 'NOTIFY', 'REFER', 'PRACK', 'MESSAGE'].map((method) =>
      frame(message(`${method} ${uri} SIP/2.0`, `3 ${method}`, callId), inside),
    ),
    frame(message('SIP/2.0 200 OK', '1 INVITE', callId, sdp(6000)), inside),
    `id|response|nobody|OK|application|9|${source}|t|d||Msg sent:|\r\nSIP/2.0 200 OK\r\n\r\n`,
    'id|response|nobody|NOK|no',
  ];
}

/** The echo of what webtrunk has sent, and what the network may answer. */
function answersTo({ id, text }: ControlFrame): string[] {
  const [method = ''] = text.split(' ', 1);
  if (method === '' || method === 'SIP/2.0') return refusalsOf({ id, tokens: [], text });
  const callId = `own-${id.slice(0, 8)}`;
  const transactionId = `t-${id.slice(0, 8)}`;
  const echo = message(
    text.split('\r\n', 1)[0] ?? '',
    `7 ${method}`,
    callId,
    method === 'INVITE' ? sdp(7000) : '',
  );
  const meta = `application|${echo.length}|${source}|${transactionId}|Msg sent:|`;
  const from = (status: string, body = ''): string => {
    const answer = message(`SIP/2.0 ${status}`, `7 ${method}`, callId, body);
    return `n|sip|network|${answer.length}|${source}|${transactionId}|${callId};from-tag=f|\r\n${answer}`;
  };
  return [
    `r|response|${id}|OK|${meta}\r\n${echo}`,
    from('180 Ringing'),
    from('183 Session Progress', sdp(7002)),
    from('200 OK', sdp(7002)),
    from('486 Busy Here'),
    from('401 Unauthorized'),
    ...refusalsOf({ id, tokens: [], text }),
  ];
}

function refusalsOf({ id }: ControlFrame): string[] {
  return [`r|response|${id}|NOK|unknown`];
}
