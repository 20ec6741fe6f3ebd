import { createCipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const keyBytes = 16;
const saltBytes = 14;
const tagBytes = 10;

/**
 * One direction of SRTP with AES_CM_128_HMAC_SHA1_80 (RFC 3711 §4), as long as sequence numbers do not start anew and
 * packets have neither CSRCs nor extensions.
 */
export class SrtpKey {
  readonly #cipherKey: Buffer;
  readonly #authKey: Buffer;
  readonly #salt: Buffer;

  /** `inline`: master key and salt in base64, as SDP has them. */
  constructor(readonly inline: string = randomBytes(keyBytes + saltBytes).toString('base64')) {
    const master = Buffer.from(inline, 'base64');
    const derive = (label: number, sizeBytes: number): Buffer => {
      const iv = Buffer.concat([master.subarray(keyBytes), Buffer.alloc(2)]);
      iv.writeUInt8(iv.readUInt8(7) ^ label, 7);
      return encrypt(master.subarray(0, keyBytes), iv, Buffer.alloc(sizeBytes));
    };
    this.#cipherKey = derive(0, keyBytes);
    this.#authKey = derive(1, 20);
    this.#salt = derive(2, saltBytes);
  }

  /** Of the first key in a description. */
  static in(sdp: string): SrtpKey {
    const inline = /^a=crypto:\d+ AES_CM_128_HMAC_SHA1_80 inline:([^|\s]+)/m.exec(sdp)?.[1];
    if (inline === undefined) throw new Error(`no key in\n${sdp}`);
    return new SrtpKey(inline);
  }

  /** Its line of a description. */
  line(tag = 1): string {
    return `a=crypto:${tag} AES_CM_128_HMAC_SHA1_80 inline:${this.inline}`;
  }

  protect(packet: Buffer): Buffer {
    const encrypted = this.#crypt(packet);
    return Buffer.concat([encrypted, this.#tag(encrypted)]);
  }

  /** The packet as it was; undefined when it was protected with another key. */
  open(packet: Buffer): Buffer | undefined {
    const encrypted = packet.subarray(0, -tagBytes);
    if (packet.length <= 12 + tagBytes) return undefined;
    return timingSafeEqual(this.#tag(encrypted), packet.subarray(-tagBytes))
      ? this.#crypt(encrypted)
      : undefined;
  }

  #crypt(packet: Buffer): Buffer {
    const header = packet.subarray(0, 12);
    const mask = Buffer.alloc(16);
    header.copy(mask, 4, 8, 12);
    header.copy(mask, 12, 2, 4);
    const iv = Buffer.concat([this.#salt, Buffer.alloc(2)]).map((byte, index) => byte ^ (mask[index] ?? 0));
    return Buffer.concat([header, encrypt(this.#cipherKey, Buffer.from(iv), packet.subarray(12))]);
  }

  #tag(packet: Buffer): Buffer {
    const firstRollover = Buffer.alloc(4);
    return createHmac('sha1', this.#authKey)
      .update(packet)
      .update(firstRollover)
      .digest()
      .subarray(0, tagBytes);
  }
}

function encrypt(key: Buffer, iv: Buffer, bytes: Buffer): Buffer {
  return createCipheriv('aes-128-ctr', key, iv).update(bytes);
}
