import { createHmac, randomBytes } from 'node:crypto';
import type { EndpointIdentity } from '../endpoint/endpoint-identity.js';

/** What a PBX has been told an endpoint's address is. */
export interface PbxContact {
  /** User part of the Contact at the PBX. */
  readonly token: string;
  readonly aor: string;
  readonly trunk: string;
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

  get size(): number {
    return this.#byToken.size;
  }

  /**
   * The token of a user agent: the same as long as the process lives, so that its next REGISTER replaces its binding, and no
   * state before the PBX has agreed.
   */
  tokenOf({ aor, instanceId, contact }: EndpointIdentity): string {
    return this.opaque('contact', aor, instanceId ?? contact ?? '');
  }

  /** 160 bits that nobody can guess and that stand for these texts. */
  opaque(...texts: readonly string[]): string {
    const hash = createHmac('sha256', this.#secret).update(texts.join('\n')).digest();
    return hash.subarray(0, bytesOfId).toString('hex');
  }

  find(token: string): PbxContact | undefined {
    return this.#byToken.get(token);
  }

  ofEndpoint(endpointId: string): PbxContact | undefined {
    return this.#byEndpoint.get(endpointId);
  }

  set(contact: PbxContact): void {
    this.remove(this.#byToken.get(contact.token)?.endpointId);
    this.remove(contact.endpointId);
    this.#byToken.set(contact.token, contact);
    this.#byEndpoint.set(contact.endpointId, contact);
  }

  remove(endpointId: string | undefined): void {
    const known = endpointId === undefined ? undefined : this.#byEndpoint.get(endpointId);
    if (known === undefined) return;
    this.#byEndpoint.delete(known.endpointId);
    this.#byToken.delete(known.token);
  }
}
