import assert from 'node:assert/strict';
import { parseMessage } from '../../../sip/message/index.js';
import { parseAuthorization } from '../../../sip/message/digest.js';
import { parseNameAddr, splitCommaList } from '../../../sip/message/name-addr.js';
import { requestBytes, requestLines } from '../../support/sip-text.js';

/** CPU microseconds of one call, the best of five. */
function cost(run: () => unknown): number {
  let best = Infinity;
  for (let i = 0; i < 5; i++) {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, user + system);
  }
  return best;
}

/** Inputs of a length that invite a parser to look at each byte many times. */
const hostile: Readonly<Record<string, (length: number) => Buffer>> = {
  'lines without colon': (length) =>
    Buffer.from(`OPTIONS sip:a SIP/2.0\r\n${'x\r\n'.repeat(length / 3)}\r\n`),
  'lines that only fold': (length) => requestBytes('OPTIONS', { X: 'a\r\n '.repeat(length / 4) }),
  'bare CRs': (length) => requestBytes('OPTIONS', { X: '\r'.repeat(length) }),
  'bare LFs': (length) => requestBytes('OPTIONS', { X: '\n'.repeat(length) }),
  NULs: (length) => requestBytes('OPTIONS', { X: '\\\0'.repeat(length / 2) }),
  'a list of Contacts': (length) => requestBytes('REGISTER', { Contact: '<sip:a@b>,'.repeat(length / 10) }),
  'open quotes': (length) => requestBytes('OPTIONS', { From: '"\\'.repeat(length / 2) }),
  'open brackets': (length) => requestBytes('OPTIONS', { From: '<'.repeat(length) }),
  'commas in Via': (length) => requestBytes('OPTIONS', { Via: ','.repeat(length) }),
  parameters: (length) => requestBytes('OPTIONS', { From: `<sip:a@b>${';a=b'.repeat(length / 4)}` }),
  'different parameters': (length) =>
    requestBytes('OPTIONS', {
      From: `<sip:a@b>${Array.from({ length: length / 8 }, (_, i) => `;p${i}`).join('')}`,
    }),
  'at signs': (length) => requestBytes('OPTIONS', { start: `OPTIONS sip:${'@'.repeat(length)} SIP/2.0` }),
  blanks: (length) => requestBytes('OPTIONS', { Via: `SIP${' '.repeat(length)}/2.0/UDP a` }),
  'one header many times': (length) =>
    Buffer.from(
      `${[...requestLines('OPTIONS'), ...Array.from({ length: length / 10 }, () => 'Route: <a>')].join('\r\n')}\r\n\r\n`,
    ),
  'line ends before': (length) =>
    Buffer.concat([Buffer.from('\r\n'.repeat(length / 2)), requestBytes('OPTIONS')]),
};

describe('parse time', () => {
  const none = {
    maxBytes: Infinity,
    maxHeaders: Infinity,
    maxHeaderBytes: Infinity,
    maxListLength: Infinity,
  };

  for (const [name, make] of Object.entries(hostile)) {
    it(`is linear in ${name}, even without limits`, () => {
      const small = make(1 << 17);
      const large = make(1 << 20);
      parseMessage(small, { limits: none });
      const ratio =
        cost(() => parseMessage(large, { limits: none })) /
        Math.max(
          cost(() => parseMessage(small, { limits: none })),
          500,
        );
      // Eight times the bytes: about 8 when linear, 64 when quadratic.
      assert.ok(ratio < 32, `eight times the bytes took ${ratio.toFixed(1)} times as long`);
    });

    it(`is below 20 ms for 64 KiB of ${name}`, () => {
      const bytes = make(64_000);
      parseMessage(bytes);
      const micros = cost(() => parseMessage(bytes));
      assert.ok(micros < 20_000, `took ${micros} us`);
    });
  }

  it('is linear in parts that are parsed later', () => {
    const text = (length: number) => `Digest ${'a="b",'.repeat(length / 6)}`;
    for (const run of [parseAuthorization, parseNameAddr, splitCommaList]) {
      const micros = cost(() => run(text(1 << 20)));
      assert.ok(micros < 500_000, `${run.name} took ${micros} us`);
    }
  });
});
