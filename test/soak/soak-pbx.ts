import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { SoakUa, type SoakLine } from './soak-ua.js';

const bufferBytes = 4 * 1024 * 1024;

/** A PBX on loopback UDP that takes and places calls. */
export class SoakPbx implements SoakLine {
  readonly transport = 'UDP';
  readonly ua: SoakUa;
  /** Where the gateway takes SIP; known once it has started. */
  gatewayPort = 0;

  private constructor(
    private readonly socket: Socket,
    sdp: string,
  ) {
    this.ua = new SoakUa(this, sdp);
    socket.on('message', (bytes) => this.ua.take(bytes));
  }

  static async open(sdp: string): Promise<SoakPbx> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: bufferBytes });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new SoakPbx(socket, sdp);
  }

  get port(): number {
    return this.socket.address().port;
  }

  get sentBy(): string {
    return `127.0.0.1:${this.port}`;
  }

  get contact(): string {
    return `<sip:pbx@${this.sentBy}>`;
  }

  send(text: string): void {
    this.socket.send(text, this.gatewayPort, '127.0.0.1');
  }

  async close(): Promise<void> {
    this.socket.close();
    await once(this.socket, 'close');
  }
}
