import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { parseConfig } from '../../gateway/config/load.js';
import { ConfigError } from '../../gateway/config/problem.js';
import { readCallDocument } from '../../gateway/hand-over/call-document.js';
import { readBindings } from '../../gateway/location/binding-record.js';
import { readNode } from '../../gateway/store/node-record.js';
import { SipFailure } from '../../sip/failure.js';
import { decodeNg, encodeNg } from '../../sip/media/rtpengine/ng-codec.js';
import { parseCommand } from '../../sip/engine/control-protocol/command.js';
import { parseMessage, serializeMessage } from '../../sip/message/index.js';
import { SdpEnd } from '../../sip/sdp/offer-answer.js';
import { parseSession, writeSession } from '../../sip/sdp/session.js';
import { fixture, fixtureNames } from '../support/sdp-fixtures.js';
import { rfc5118 } from '../torture/rfc5118-table.js';
import { tortureMessages } from '../torture/rfc4475-table.js';
import { rightConfig } from '../unit/config/config-fixtures.js';
import { bindings, callDocument } from './stored-records.js';
import { near, nearJson } from './texts.js';

/** A reader that must never throw, nor take long, whatever it is given. */
export interface PureTarget {
  readonly inputs: fc.Arbitrary<Buffer>;
  /** Throws when the reader does not stand the input. */
  read(bytes: Buffer): void | Promise<void>;
}

const asBytes = (text: string): Buffer => Buffer.from(text);
const sampleConfig = new URL('../../../docs/deploy/webtrunk.yaml', import.meta.url);
const lines = (text: string): readonly string[] => text.split('\n');

/** YAML that is like a right configuration: bytes are changed, and lines stand elsewhere. */
const configTexts = fc.oneof(
  near([asBytes(rightConfig), readFileSync(sampleConfig)]),
  fc
    .shuffledSubarray([...lines(rightConfig), ...lines(readFileSync(sampleConfig, 'utf8'))])
    .map((some) => asBytes(some.join('\n'))),
);
const env = { ADMIN_TOKEN: 'x'.repeat(32), ALICE_PASSWORD: 'a secret' };

async function readConfig(bytes: Buffer): Promise<void> {
  try {
    await parseConfig(bytes.toString(), '/nowhere/webtrunk.yaml', env);
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
  }
}

function readMessage(bytes: Buffer): void {
  const message = parseMessage(bytes);
  if (message.kind === 'failure') return;
  const again = parseMessage(serializeMessage(message));
  if (again.kind === 'failure') throw new Error('what was read cannot be read when written again');
}

const address = { family: 4, host: '192.0.2.1' } as const;

function readSdp(bytes: Buffer): void {
  const text = bytes.toString();
  const session = parseSession(text);
  if (!(session instanceof SipFailure)) writeSession(session);
  for (const profile of ['webrtc', 'plain'] as const)
    new SdpEnd({ profile, address, sessionId: '1' }).readOffer(text);
}

function readNg(bytes: Buffer): void {
  decodeNg(bytes);
}

const ngAnswers = [
  encodeNg({ result: 'ok', sdp: 'v=0\r\n' }),
  encodeNg({ result: 'ok', calls: ['a', 'b'] }),
  encodeNg({ result: 'error', 'error-reason': 'no' }),
  encodeNg({ result: 'ok', tags: { a: { medias: [{ streams: [{ stats: { packets: 1 } }] }] } }, SSRC: {} }),
];
const commands = [
  'id|authenticate|secret',
  'id|route|invite',
  'id|sip|t1|d1\r\nINVITE sip:a@b SIP/2.0\r\n\r\n',
];

/** By name. */
export const pureTargets: Readonly<Record<string, PureTarget>> = {
  config: { inputs: configTexts, read: readConfig },
  redis: {
    inputs: fc.oneof(
      nearJson([callDocument, bindings, ['udp:127.0.0.1:5060']]).map(asBytes),
      near([callDocument, bindings].map((record) => asBytes(JSON.stringify(record)))),
    ),
    read(bytes) {
      const text = bytes.toString();
      readCallDocument(text);
      readBindings(text);
      readNode(text);
    },
  },
  sdp: { inputs: near(fixtureNames().map((name) => asBytes(fixture(name)))), read: readSdp },
  message: {
    inputs: near([...tortureMessages(), ...rfc5118].map(({ bytes }) => bytes)),
    read: readMessage,
  },
  frames: {
    inputs: fc.oneof(near(ngAnswers), near(commands.map(asBytes))),
    read(bytes) {
      readNg(bytes);
      parseCommand(bytes.toString());
    },
  },
};
