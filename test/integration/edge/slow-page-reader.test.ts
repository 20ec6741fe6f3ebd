import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { startHttpServer, type HttpServer } from '../../../gateway/edge/http-server.js';
import { systemClock } from '../../../sip/clock.js';
import { RecordedEvents, RecordedLog } from '../../support/edge-fixture.js';
import { within } from '../../support/within.js';

/** More than both kernels keep. */
const page = Buffer.alloc(32 * 1_024 * 1_024);

describe('a listener for browsers', () => {
  let server: HttpServer;
  let client: Socket;

  afterEach(async () => {
    client.destroy();
    await server.close();
  });

  it('cuts a client that asks for a page and does not read it', async () => {
    const events = new RecordedEvents();
    const served = new Promise<ServerResponse>((resolve) => {
      void startHttpServer({
        listen: { address: '127.0.0.1', port: 0 },
        pages: (_request, response) => {
          response.end(page);
          resolve(response);
        },
        upgrade: (_request, socket) => socket.destroy(),
        maxNewcomersPerAddress: () => 10,
        maxNewcomers: () => 10,
        requestWithinMs: () => 200,
        isProxy: () => false,
        events: events.sink,
        clock: systemClock,
        log: new RecordedLog(),
      }).then((started) => {
        server = started;
        client = connect(started.port, '127.0.0.1').pause();
        client.on('error', () => undefined);
        client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      });
    });
    const response = await within(5_000, 'the request', served);
    await within(5_000, 'the cut', once(response, 'close'));
    assert.deepEqual(
      events.of('connectionCut').map(({ cause }) => cause),
      ['slow_reader'],
    );
  });
});
