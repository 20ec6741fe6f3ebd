import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Parser } from 'sip.js/lib/core/messages/parser.js';
import { parseMessage, serializeMessage } from '../../sip/message/index.js';
import { browserInvite } from './messages.js';
import { table, type Row } from './table.js';

/** drachtio-srf's own message class; its package has no types for it. */
interface SrfMessage {
  getParsedHeader(name: string): unknown;
}

type SrfMessageClass = new (text: string) => SrfMessage;

const require = createRequire(import.meta.url);
const SrfMessage = require('drachtio-srf/lib/sip-parser/message.js') as SrfMessageClass;
const { parseUri } = require('drachtio-srf/lib/sip-parser/parser.js') as {
  parseUri: (text: string) => unknown;
};

/** Messages per CPU second of this process. */
function rate(count: number, run: () => unknown): number {
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) run();
  const { user, system } = process.cpuUsage(before);
  return (count * 1e6) / (user + system);
}

const silent = {
  error: () => undefined,
  warn: () => undefined,
  log: () => undefined,
  debug: () => undefined,
};

/** What the table compares, each with the number of messages in one round. */
function contestants(bytes: Buffer): readonly (readonly [name: string, count: number, run: () => unknown])[] {
  const message = parseMessage(bytes);
  if (message.kind === 'failure') throw message.failure;
  const text = bytes.toString();
  return [
    ['parse, with its slots', 60_000, () => parseMessage(bytes)],
    ['serialize', 120_000, () => serializeMessage(message)],
    [
      'parse + serialize',
      40_000,
      () => {
        const parsed = parseMessage(bytes);
        return parsed.kind === 'failure' ? undefined : serializeMessage(parsed);
      },
    ],
    ["srf's parser, headers as text", 40_000, () => new SrfMessage(text)],
    [
      "srf's parser, the same slots",
      20_000,
      () => {
        const parsed = new SrfMessage(text);
        for (const name of ['via', 'from', 'to', 'cseq']) parsed.getParsedHeader(name);
        return parseUri('sip:bob@example.com');
      },
    ],
    // The type asks for sip.js's Logger class; the parser only calls these four.
    [
      "sip.js's parser",
      300,
      () => Parser.parseMessage(text, silent as unknown as Parameters<typeof Parser.parseMessage>[1]),
    ],
  ];
}

const rounds = 5;

/** Measures all contestants in turn, `rounds` times over, and keeps the best of each: noise only ever slows down. */
export function benchCodec(): Row[] {
  const bytes = browserInvite();
  const list = contestants(bytes);
  const best = new Map<string, number>();
  for (const [, count, run] of list) rate(count / 2, run);
  for (let round = 0; round < rounds; round++) {
    for (const [name, count, run] of list) best.set(name, Math.max(best.get(name) ?? 0, rate(count, run)));
  }
  const reference = best.get("srf's parser, headers as text") ?? 1;
  return [...best].map(([name, perSecond]) => ({
    figure: `codec: ${name}`,
    value: `${Math.round(perSecond).toLocaleString('en')} /s`,
    'to srf': `${(perSecond / reference).toFixed(2)} x`,
    target: name.startsWith('parse,') ? '150,000 /s' : '',
    reached: name.startsWith('parse,') ? (perSecond >= 150_000 ? 'yes' : 'NO') : '',
  }));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.stdout.write(`INVITE of ${browserInvite().length} bytes, messages per CPU second of one core\n`);
  process.stdout.write(table(benchCodec()));
}
