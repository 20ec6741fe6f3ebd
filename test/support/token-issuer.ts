import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';

/** What a token says; `undefined` leaves a claim out. */
export interface Claims {
  readonly sip_aor?: string;
  readonly aud?: string;
  readonly iss?: string;
  /** Seconds from now. */
  readonly expiresIn?: number;
}

interface Pair {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}

/** An identity provider on loopback: signs tokens, and shows its public keys at `/jwks.json`. */
export class TokenIssuer {
  /** How often the keys were asked for. */
  asked = 0;
  /** Answered instead of the keys. */
  status = 200;
  #shown: Pair[] = [];
  #signing: Pair;
  #serial = 1;

  private constructor(
    first: Pair,
    private readonly server: ReturnType<typeof createServer>,
  ) {
    this.#signing = first;
    this.#shown.push(first);
    server.on('request', (_request, response) => {
      this.asked += 1;
      response.writeHead(this.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ keys: this.#shown.map(({ jwk }) => jwk) }));
    });
  }

  static async start(): Promise<TokenIssuer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TokenIssuer(await pair('key-1'), server);
  }

  get jwksUrl(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/jwks.json`;
  }

  /** The public key that signs now. */
  get publicKey(): Promise<string> {
    return exportSPKI(this.#signing.publicKey);
  }

  /** Signs with a new key from now on, and shows it in place of the older ones. */
  async rotate({ shown = true } = {}): Promise<void> {
    this.#serial += 1;
    this.#signing = await pair(`key-${this.#serial}`);
    if (shown) this.#shown = [this.#signing];
  }

  /** A token for alice of `localhost` and the audience webtrunk, for a minute, but for `claims`. */
  sign(claims: Claims = {}): Promise<string> {
    const { sip_aor: aor = 'sip:alice@localhost', aud = 'webtrunk', iss, expiresIn = 60 } = claims;
    const token = new SignJWT({ sip_aor: aor })
      .setProtectedHeader({ alg: 'ES256', kid: this.#signing.kid })
      .setAudience(aud)
      .setExpirationTime(Math.floor(Date.now() / 1_000) + expiresIn);
    if (iss !== undefined) token.setIssuer(iss);
    return token.sign(this.#signing.privateKey);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

async function pair(kid: string): Promise<Pair> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return { kid, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256' } };
}

/** A token with any header and payload, and a signature that is not one. */
export function forgedToken(header: object, payload: object, signature = ''): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(payload)}.${signature}`;
}
