import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An HTTP server on loopback that takes POSTs and answers what the test tells it. */
export class HttpReceiver {
  readonly received: Received[] = [];
  /** Status for the next requests; with a function, by request. */
  answer: number | ((request: Received) => number) = 204;
  headers: Readonly<Record<string, string>> = {};
  #server: Server | undefined;
  #port = 0;
  #waiting: (() => void)[] = [];

  static async open(): Promise<HttpReceiver> {
    const receiver = new HttpReceiver();
    await receiver.start();
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/cdr`;
  }

  /** Listens, on the same port as before. */
  async start(): Promise<void> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const received = { headers: request.headers, body: Buffer.concat(chunks).toString() };
        this.received.push(received);
        const status = typeof this.answer === 'number' ? this.answer : this.answer(received);
        response.writeHead(status, this.headers).end();
        for (const wake of this.#waiting.splice(0)) wake();
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    const bound = server.address();
    if (bound !== null && typeof bound !== 'string') this.#port = bound.port;
    this.#server = server;
  }

  /** Resolves when `enough` says so. */
  async until(enough: (received: readonly Received[]) => boolean): Promise<void> {
    while (!enough(this.received)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Refuses connections from now on. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
  }

  close(): Promise<void> {
    return this.stop();
  }
}
