import { createHmac, randomBytes } from 'node:crypto';

/** STUN by hand (RFC 8489), as far as ICE connectivity checks go (RFC 8445 §7). */

const magicCookie = 0x2112_a442;

const attributeType = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  xorMappedAddress: 0x0020,
  priority: 0x0024,
  useCandidate: 0x0025,
  fingerprint: 0x8028,
  iceControlling: 0x802a,
} as const;

export const stunClass = { request: 0x0001, success: 0x0101, error: 0x0111 } as const;

export interface BindingRequest {
  readonly username?: string | undefined;
  /** Key of MESSAGE-INTEGRITY; none: the attribute is left out. */
  readonly password?: string | undefined;
  readonly useCandidate?: boolean;
}

export function isStun(datagram: Buffer): boolean {
  return datagram.length >= 20 && datagram.readUInt8(0) < 4 && datagram.readUInt32BE(4) === magicCookie;
}

/** Message type: method Binding with one of {@link stunClass}. */
export function stunType(message: Buffer): number {
  return message.readUInt16BE(0);
}

/** A Binding request of a controlling agent. */
export function bindingRequest({ username, password, useCandidate = true }: BindingRequest): Buffer {
  const attributes = [
    ...(username === undefined ? [] : [attribute(attributeType.username, Buffer.from(username))]),
    attribute(attributeType.priority, Buffer.from('6e0001ff', 'hex')),
    attribute(attributeType.iceControlling, Buffer.alloc(8, 0xff)),
    ...(useCandidate ? [attribute(attributeType.useCandidate, Buffer.alloc(0))] : []),
  ];
  return finish(stunClass.request, randomBytes(12), attributes, password);
}

/** The success response to a Binding request that came from `host`:`port`. */
export function bindingSuccess(request: Buffer, host: string, port: number, password: string): Buffer {
  const mapped = Buffer.alloc(8);
  mapped.writeUInt8(1, 1);
  mapped.writeUInt16BE(port ^ (magicCookie >>> 16), 2);
  const address = Buffer.from(host.split('.').map(Number)).readUInt32BE(0);
  mapped.writeUInt32BE((address ^ magicCookie) >>> 0, 4);
  const attributes = [attribute(attributeType.xorMappedAddress, mapped)];
  return finish(stunClass.success, request.subarray(8, 20), attributes, password);
}

function finish(
  type: number,
  transactionId: Buffer,
  attributes: readonly Buffer[],
  password: string | undefined,
): Buffer {
  let message = assemble(type, transactionId, attributes);
  if (password !== undefined) {
    const signed = withLength(message, 24);
    const integrity = createHmac('sha1', password).update(signed).digest();
    message = Buffer.concat([signed, attribute(attributeType.messageIntegrity, integrity)]);
  }
  const covered = withLength(message, 8);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE((crc32(covered) ^ 0x5354_554e) >>> 0, 0);
  return Buffer.concat([covered, attribute(attributeType.fingerprint, checksum)]);
}

function assemble(type: number, transactionId: Buffer, attributes: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(type, 0);
  header.writeUInt32BE(magicCookie, 4);
  return Buffer.concat([header, transactionId, ...attributes]);
}

/** The message with a length field that already counts `more` bytes to come. */
function withLength(message: Buffer, more: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(copy.length - 20 + more, 2);
  return copy;
}

function attribute(type: number, value: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt16BE(type, 0);
  header.writeUInt16BE(value.length, 2);
  return Buffer.concat([header, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

function crc32(bytes: Buffer): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0);
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}
