import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const stampBytes = 6;
const serialBytes = 4;
const headBytes = stampBytes + serialBytes;
const macBytes = 16;
const nonceLength = Math.ceil(((headBytes + macBytes) * 4) / 3);

/** What a genuine nonce says. */
export interface NonceClaim {
  readonly issuedAtMs: number;
  readonly serial: number;
}

/**
 * Nonces that need no table (DESIGN §6): issue time and serial number, signed together with the scope for which they were
 * issued. A nonce of one flow is worth nothing on another.
 */
export class NonceSigner {
  constructor(private readonly secret: Buffer = randomBytes(32)) {}

  issue(issuedAtMs: number, serial: number, scope: string): string {
    const nonce = Buffer.allocUnsafe(headBytes + macBytes);
    nonce.writeUIntBE(issuedAtMs, 0, stampBytes);
    nonce.writeUInt32BE(serial, stampBytes);
    this.#sign(nonce, scope).copy(nonce, headBytes, 0, macBytes);
    return nonce.toString('base64url');
  }

  /** The claim of a nonce that we issued for `scope`, or undefined. Says nothing about its age. */
  check(text: string, scope: string): NonceClaim | undefined {
    if (text.length !== nonceLength) return undefined;
    const nonce = Buffer.from(text, 'base64url');
    if (nonce.length !== headBytes + macBytes) return undefined;
    const signed = this.#sign(nonce, scope).subarray(0, macBytes);
    if (!timingSafeEqual(signed, nonce.subarray(headBytes))) return undefined;
    return { issuedAtMs: nonce.readUIntBE(0, stampBytes), serial: nonce.readUInt32BE(stampBytes) };
  }

  #sign(nonce: Buffer, scope: string): Buffer {
    return createHmac('sha256', this.secret).update(nonce.subarray(0, headBytes)).update(scope).digest();
  }
}
