import { connect } from 'node:net';
import fc from 'fast-check';
import { within } from '../support/within.js';
import type { TormentKit } from './fuzz-gateway.js';
import { near } from './texts.js';

const head = 'Host: 127.0.0.1\r\nConnection: close\r\n';
const upgrade =
  'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: sip\r\nHost: 127.0.0.1\r\n\r\n';

const requests = {
  pages: [
    `GET / HTTP/1.1\r\n${head}\r\n`,
    `GET /assets/../../package.json HTTP/1.1\r\n${head}\r\n`,
    `GET /api/ice-servers HTTP/1.1\r\n${head}Authorization: Bearer abc.def\r\n\r\n`,
    `GET /config.json HTTP/1.1\r\n${head}Accept-Encoding: gzip, br\r\nRange: bytes=0-1\r\n\r\n`,
    `GET /ws?token=a.b.c HTTP/1.1\r\n${upgrade}`,
    `GET /ws HTTP/1.1\r\nOrigin: https://example.com\r\nCookie: a=b; token=c\r\n${upgrade}`,
    `POST /ws HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  ],
  admin: [
    `GET / HTTP/1.1\r\n${head}\r\n`,
    `GET /metrics HTTP/1.1\r\n${head}\r\n`,
    ...['flows', 'endpoints', 'bindings', 'calls', 'trunks', 'inspect'].map(
      (name) => `GET /api/v1/${name}?limit=10&x=%2e HTTP/1.1\r\n${head}\r\n`,
    ),
    `POST /api/v1/reload HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{"a":[1,null]}`,
    `GET /api/v1/calls HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer x\r\nConnection: close\r\n\r\n`,
    `DELETE /api/v1/calls/c_1 HTTP/1.1\r\n${head}\r\n`,
  ],
} as const;

const atOnce = 8;
const perRound = 24;
const answerWithinMs = 15_000;

/** HTTP by hand, to the public listener or to the operators' one. */
export function httpTorment(to: 'pages' | 'admin'): () => Promise<TormentKit> {
  const inputs = near(requests[to].map((text) => Buffer.from(text, 'latin1')));
  return async () => ({
    subject: {},
    torment: async () => ({
      async attack(subject, seed) {
        const port = to === 'admin' ? subject.adminPort : subject.port;
        const some = fc.sample(inputs, { seed, numRuns: perRound });
        for (let at = 0; at < some.length; at += atOnce)
          await Promise.all(some.slice(at, at + atOnce).map((bytes) => exchange(port, bytes)));
        return some.length;
      },
      close: () => Promise.resolve(),
    }),
    close: () => Promise.resolve(),
  });
}

/** Sends bytes and the end of the stream; resolves when the connection is gone, which the server must see to. */
async function exchange(port: number, bytes: Buffer): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  socket.resume();
  socket.end(bytes);
  try {
    await within(answerWithinMs, `the end of the connection after ${JSON.stringify(bytes.toString())}`, gone);
  } finally {
    socket.destroy();
  }
}
