/** Bytes of one frame that a client may send before and after it has authenticated. */
export const unauthenticatedFrameLimit = 4096;
export const frameLimit = 8 * 1024 * 1024;

const hash = 0x23;
const zero = 0x30;
const maxDigits = 8;
const nothing = Buffer.alloc(0);

/**
 * Cuts the byte stream of a control connection into payloads: `<decimal byte length>#<payload>`, concatenated, split
 * anywhere. Linear in the bytes however small the chunks are.
 */
export class FrameReader {
  /** Bytes that a frame may have. */
  limit = unauthenticatedFrameLimit;
  private chunks: Buffer[] = [];
  private buffered = 0;
  private digits = 0;
  private length = -1;

  /** Takes a chunk; calls `take` for each complete payload. Returns why the stream is not one of frames, or undefined. */
  push(chunk: Buffer, take: (payload: string) => boolean): string | undefined {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.length < 0) {
        const consumed = this.readLength(rest);
        if (typeof consumed === 'string') return consumed;
        rest = rest.subarray(consumed);
        continue;
      }
      const missing = this.length - this.buffered;
      const part = rest.subarray(0, missing);
      rest = rest.subarray(part.length);
      this.chunks.push(part);
      this.buffered += part.length;
      if (this.buffered === this.length && !take(this.payload())) return undefined;
    }
    return undefined;
  }

  private readLength(bytes: Buffer): number | string {
    let position = 0;
    let value = this.buffered;
    while (position < bytes.length) {
      const byte = bytes[position] ?? 0;
      position += 1;
      if (byte === hash && this.digits > 0) {
        if (value === 0) return 'invalid message length';
        if (value > this.limit) return 'message too long';
        this.length = value;
        this.buffered = 0;
        this.digits = 0;
        return position;
      }
      const digit = byte - zero;
      if (digit < 0 || digit > 9 || this.digits >= maxDigits) return 'invalid message length';
      value = value * 10 + digit;
      this.digits += 1;
    }
    this.buffered = value;
    return position;
  }

  private payload(): string {
    const [only = nothing] = this.chunks;
    const bytes = this.chunks.length === 1 ? only : Buffer.concat(this.chunks, this.length);
    this.chunks = [];
    this.buffered = 0;
    this.length = -1;
    return bytes.toString('utf8');
  }
}

/** The bytes of one frame, as text. */
export function frame(payload: string): string {
  return `${Buffer.byteLength(payload)}#${payload}`;
}
