import { createHmac, randomBytes } from 'node:crypto';
import type { EndpointIdentity } from '../endpoint/endpoint-identity.js';

/** What a PBX has been told an endpoint's address is. */
export interface PbxContact {
  /** User part of the Contact at the PBX. */
  readonly token: string;
  readonly aor: string;
  readonly trunk: string;
  /** URI of the host of the trunk that has it. */
  readonly host: string;
  /** `e_…` */
  readonly endpointId: string;
  /** Where the browser itself is, as it wrote it. */
  readonly contactUri: string;
}

const bytesOfId = 20;

/**
 * The endpoints that are registered at a PBX, by the opaque user that the PBX knows them by. One goes with its binding:
 * de-registered, expired, or removed with its endpoint.
 */
export class PbxContacts {
  readonly #secret = randomBytes(32);
  readonly #byToken = new Map<string, PbxContact>();
  readonly #byEndpoint = new Map<string, PbxContact>();
  /** By the half of the token that all contacts of an address-of-record share. */
  readonly #byAor = new Map<string, Set<PbxContact>>();

  get size(): number {
    return this.#byToken.size;
  }

  /**
   * The token of a user agent: the same as long as the process lives, so that its next REGISTER replaces its binding, and no
   * state before the PBX has agreed.
   */
  tokenOf({ aor, instanceId, contact }: EndpointIdentity): string {
    const half = this.opaque('aor', aor).slice(0, bytesOfId);
    return half + this.opaque('contact', aor, instanceId ?? contact ?? '').slice(0, bytesOfId);
  }

  /** 160 bits that nobody can guess and that stand for these texts. */
  opaque(...texts: readonly string[]): string {
    const hash = createHmac('sha256', this.#secret).update(texts.join('\n')).digest();
    return hash.subarray(0, bytesOfId).toString('hex');
  }

  /** Whether it could be a token, of a binding that is no more perhaps. */
  static isToken(user: string): boolean {
    return user.length === 2 * bytesOfId && /^[0-9a-f]+$/.test(user);
  }

  find(token: string): PbxContact | undefined {
    return this.#byToken.get(token);
  }

  /** All contacts of the address-of-record that the token was made for, its own first. */
  alike(token: string): readonly PbxContact[] {
    const half = token.slice(0, bytesOfId);
    const found = [...(this.#byAor.get(half) ?? [])];
    return found.sort((one, other) => Number(other.token === token) - Number(one.token === token));
  }

  /** Those that a host of a trunk has. */
  at(trunk: string, host: string): readonly PbxContact[] {
    return [...this.#byToken.values()].filter((contact) => contact.trunk === trunk && contact.host === host);
  }

  ofEndpoint(endpointId: string): PbxContact | undefined {
    return this.#byEndpoint.get(endpointId);
  }

  set(contact: PbxContact): void {
    this.remove(this.#byToken.get(contact.token)?.endpointId);
    this.remove(contact.endpointId);
    this.#byToken.set(contact.token, contact);
    this.#byEndpoint.set(contact.endpointId, contact);
    const half = contact.token.slice(0, bytesOfId);
    this.#byAor.set(half, (this.#byAor.get(half) ?? new Set()).add(contact));
  }

  remove(endpointId: string | undefined): void {
    const known = endpointId === undefined ? undefined : this.#byEndpoint.get(endpointId);
    if (known === undefined) return;
    this.#byEndpoint.delete(known.endpointId);
    this.#byToken.delete(known.token);
    const half = known.token.slice(0, bytesOfId);
    const others = this.#byAor.get(half);
    others?.delete(known);
    if (others?.size === 0) this.#byAor.delete(half);
  }
}
