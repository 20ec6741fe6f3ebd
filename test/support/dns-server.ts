import { createSocket, type Socket } from 'node:dgram';
import { decode, encode, type Answer } from 'dns-packet';

/** A DNS server on loopback that knows only what the test tells it. */
export class DnsServer {
  /** `TYPE name` of every question, in order. */
  readonly questions: string[] = [];
  /** Silent servers answer nothing. */
  isSilent = false;

  private constructor(
    private readonly socket: Socket,
    private readonly records: Answer[],
  ) {
    socket.on('message', (bytes, { port, address }) => this.answer(bytes, port, address));
  }

  static async open(records: Answer[] = []): Promise<DnsServer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new DnsServer(socket, records);
  }

  /** As name servers are configured. */
  get address(): string {
    return `127.0.0.1:${this.socket.address().port}`;
  }

  add(...records: Answer[]): void {
    this.records.push(...records);
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.socket.close(() => resolve()));
  }

  private answer(bytes: Buffer, port: number, address: string): void {
    const { id, questions = [] } = decode(bytes);
    for (const { type, name } of questions) this.questions.push(`${type} ${name}`);
    if (this.isSilent) return;
    const known = this.records.filter((record) => questions.some(({ name }) => name === record.name));
    const answers = known.filter((record) => questions.some(({ type }) => type === record.type));
    const nameError = 3;
    const flags = known.length === 0 ? nameError : 0;
    this.socket.send(encode({ id, type: 'response', flags, questions, answers }), port, address);
  }
}

/** A server of a domain (RFC 2782). */
export function srv(name: string, target: string, port: number, priority = 10, weight = 10): Answer {
  return { type: 'SRV', name, ttl: 60, data: { target, port, priority, weight } };
}

/** An address of a host. */
export function a(name: string, address = '127.0.0.1'): Answer {
  return { type: 'A', name, ttl: 60, data: address };
}

/** How a domain likes to be reached (RFC 3403, RFC 3263 §4.1). */
export function naptr(name: string, service: string, replacement: string, order: number): Answer {
  const data = { order, preference: 10, flags: 's', services: service, regexp: '', replacement };
  return { type: 'NAPTR', name, ttl: 60, data };
}
