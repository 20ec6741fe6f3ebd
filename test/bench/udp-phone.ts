import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { newTag, parseMessage, respond, serializeMessage } from '../../sip/message/index.js';

const keptReplies = 2_000;

/** A scripted PBX on UDP that takes every call at once: 180, 200, and 200 to BYE. Answers retransmissions the same. */
export class UdpPhone {
  /** Replies by branch, the oldest first. */
  private readonly replies = new Map<string, readonly Buffer[]>();

  private constructor(
    private readonly socket: Socket,
    readonly port: number,
    private readonly sdp: string,
  ) {
    socket.on('message', (bytes, { port: fromPort, address }) => {
      for (const reply of this.answer(bytes)) socket.send(reply, fromPort, address);
    });
  }

  static async open(sdp: string): Promise<UdpPhone> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 1_048_576 });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new UdpPhone(socket, socket.address().port, sdp);
  }

  private answer(bytes: Buffer): readonly Buffer[] {
    const request = parseMessage(bytes);
    if (request.kind !== 'request' || request.method === 'ACK') return [];
    const key = `${request.method} ${request.topVia.params.get('branch') ?? ''}`;
    const known = this.replies.get(key);
    if (known !== undefined) return known;
    const toTag = newTag();
    const headers = [['Contact', `<sip:phone@127.0.0.1:${this.port}>`]] as const;
    const content = { body: this.sdp, contentType: 'application/sdp' };
    const responses =
      request.method === 'INVITE'
        ? [respond(request, 180, { toTag, headers }), respond(request, 200, { toTag, headers, ...content })]
        : [respond(request, 200)];
    const replies = responses.map(serializeMessage);
    this.replies.set(key, replies);
    if (this.replies.size > keptReplies) this.replies.delete(this.replies.keys().next().value ?? '');
    return replies;
  }

  async close(): Promise<void> {
    this.socket.close();
    await once(this.socket, 'close');
  }
}
