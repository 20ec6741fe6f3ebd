import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { newTag, parseMessage, respond, serializeMessage, type SipRequest } from '../../sip/message/index.js';

/** A PBX on loopback UDP that takes every call of every gateway at once. */
export class AnsweringPbx {
  /** Call-IDs of calls that are up. */
  readonly calls = new Set<string>();
  #emptied: () => void = () => undefined;
  /** By branch and method; a run is short. */
  readonly #replies = new Map<string, Buffer>();

  private constructor(
    private readonly socket: Socket,
    private readonly sdp: string,
  ) {
    socket.on('message', (bytes, { port }) => {
      const request = parseMessage(bytes);
      if (request.kind === 'request' && request.method !== 'ACK') this.#serve(request, port);
    });
  }

  static async open(sdp: string): Promise<AnsweringPbx> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new AnsweringPbx(socket, sdp);
  }

  get port(): number {
    return this.socket.address().port;
  }

  /** Resolves when no call is up. */
  async emptied(): Promise<void> {
    while (this.calls.size > 0) await new Promise<void>((resolve) => (this.#emptied = resolve));
  }

  async close(): Promise<void> {
    this.socket.close();
    await once(this.socket, 'close');
  }

  #serve(request: SipRequest, port: number): void {
    const key = `${request.method} ${request.topVia.params.get('branch') ?? ''}`;
    const reply = this.#replies.get(key) ?? this.#reply(request);
    this.#replies.set(key, reply);
    this.socket.send(reply, port, '127.0.0.1');
  }

  #reply(request: SipRequest): Buffer {
    if (request.method === 'BYE' && this.calls.delete(request.callId)) this.#emptied();
    if (request.method !== 'INVITE') return serializeMessage(respond(request, 200));
    this.calls.add(request.callId);
    return serializeMessage(
      respond(request, 200, {
        toTag: newTag(),
        headers: [['Contact', `<sip:pbx@127.0.0.1:${this.port}>`]],
        body: this.sdp,
        contentType: 'application/sdp',
      }),
    );
  }
}
