import type { Clock } from '../../sip/clock.js';
import { failure } from '../../sip/failure.js';
import type { OutOfDialogRequest } from '../../sip/leg.js';
import type { Log } from '../../sip/log.js';
import type { TrunkStack } from '../../sip/trunk/srf.js';
import type { CallRouter } from '../call/call-router.js';
import type { DomainConfig } from '../config/config.js';
import type { Endpoint } from '../endpoint/endpoint.js';
import type { EndpointTable } from '../endpoint/endpoint-table.js';
import type { Binding, Location } from '../location/location.js';
import type { EdgeEvents } from '../telemetry/edge-events.js';
import type { HostsForUser, TrunkTable } from '../trunk/trunk-table.js';
import { PbxContacts } from './pbx-contacts.js';
import { PbxMoves } from './pbx-moves.js';
import { PbxRegistrar } from './pbx-registrar.js';
import { PbxRequests } from './pbx-requests.js';
import { contactsFor, createPbxRouter, tokenIn, type AddressedRequest } from './pbx-router.js';

export interface PbxDomainsOptions {
  readonly stack: TrunkStack;
  readonly location: Location;
  readonly endpoints: EndpointTable;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: Pick<EdgeEvents, 'registered' | 'unregistered'>;
  /** As the configuration is now. */
  domains(): readonly DomainConfig[];
  /** As they are now. */
  trunks(): TrunkTable | undefined;
}

/** The domains whose PBX knows the passwords (`auth: pbx`): who is registered there, and what passes between. */
export class PbxDomains {
  readonly registrar: PbxRegistrar;
  readonly #contacts = new PbxContacts();
  readonly #requests: PbxRequests;
  readonly #moves: PbxMoves;

  constructor(private readonly options: PbxDomainsOptions) {
    const { stack, location, endpoints, clock, log, events } = options;
    const hostsFor = (trunk: string, aor: string): HostsForUser =>
      options.trunks()?.hostsFor(trunk, aor) ?? { hosts: [], patienceMs: undefined };
    this.registrar = new PbxRegistrar({
      trunkOf: (domain) => this.#trunkOf(domain),
      takesPath: (domain) => options.domains().find(({ name }) => name === domain)?.pbxTakesPath === true,
      hostsFor,
      stack,
      log,
      contacts: this.#contacts,
      location,
      clock,
      events,
    });
    this.#moves = new PbxMoves({ clock, findEndpoint: (endpointId) => endpoints.find(endpointId) });
    this.#requests = new PbxRequests({
      stack,
      clock,
      log,
      hostsFor,
      findEndpoint: (endpointId) => endpoints.find(endpointId),
    });
  }

  /** A router for calls with the PBXs that leaves all others to `inner`. */
  router(inner: CallRouter, trunks: TrunkTable): CallRouter {
    return createPbxRouter(inner, {
      trunks,
      contacts: this.#contacts,
      endpoints: this.options.endpoints,
      trunkOf: (domain) => this.#trunkOf(domain),
    });
  }

  /**
   * The trunk that a request to this URI from that address belongs to, when it is meant for a browser that is registered at a
   * PBX: only from there.
   */
  sourceOf(call: AddressedRequest, address: string) {
    const trunks = this.options.trunks();
    const called = contactsFor(call, this.#contacts);
    const name = called.find(({ trunk }) => trunks?.isFrom(trunk, address) === true)?.trunk;
    const media = name === undefined ? undefined : trunks?.mediaOf(name);
    return name === undefined || media === undefined ? undefined : { trunk: name, media };
  }

  /** A PBX still calls a browser that is gone: nothing tells it before its binding expires. */
  isForgotten(request: AddressedRequest, address: string): boolean {
    const token = tokenIn(request);
    if (token === undefined || this.#contacts.find(token) !== undefined) return false;
    const trunks = this.options.trunks();
    return this.options
      .domains()
      .some(({ pbxTrunk }) => pbxTrunk !== undefined && trunks?.isFrom(pbxTrunk, address) === true);
  }

  /** Takes a request outside any dialog from a browser; false when its user is not a PBX's. */
  fromBrowser(endpoint: Endpoint, request: OutOfDialogRequest): boolean {
    if (this.#trunkOf(endpoint.aor.slice(endpoint.aor.lastIndexOf('@') + 1)) === undefined) return false;
    const contact = this.#contacts.ofEndpoint(endpoint.id);
    if (contact === undefined) {
      request.refuse(failure('auth.unregistered'));
    } else {
      this.#requests.fromBrowser(contact, request);
    }
    return true;
  }

  /** Takes a request outside any dialog from a trunk; false when it is not for a browser that is registered at that PBX. */
  fromPbx(request: OutOfDialogRequest, address: string): boolean {
    const contact = this.#addressed(request, address);
    if (contact === undefined) {
      if (!this.isForgotten(request, address)) return false;
      request.refuse(failure('route.user_offline'));
      return true;
    }
    this.#requests.fromPbx(contact, request);
    return true;
  }

  /** Browsers that are registered at a host that has died are to register at one that lives. */
  hostDown(trunk: string, host: string): void {
    const moving = this.#contacts.at(trunk, host).filter(({ aor }) => {
      const [best] = this.options.trunks()?.hostsFor(trunk, aor).hosts ?? [];
      return best !== undefined && best.uri !== host;
    });
    this.#moves.ask(moving.map(({ endpointId }) => endpointId));
  }

  /** The binding has run out. */
  expired({ endpointId }: Binding): void {
    this.#contacts.remove(endpointId);
  }

  /** The endpoint is gone for good; its subscriptions have heard of it. */
  removed({ id }: Endpoint): void {
    this.#contacts.remove(id);
  }

  sizes(): Record<string, number> {
    const { size: pbxRegisters } = this.registrar;
    const { size: pbxMoves } = this.#moves;
    return { pbxContacts: this.#contacts.size, pbxRegisters, pbxMoves, ...this.#requests.sizes() };
  }

  /** Ends every subscription. Idempotent. */
  close(): void {
    this.#moves.close();
    this.#requests.close();
  }

  #addressed(request: AddressedRequest, address: string) {
    const contact = this.#contacts.find(tokenIn(request) ?? '');
    if (contact === undefined) return undefined;
    return this.options.trunks()?.isFrom(contact.trunk, address) === true ? contact : undefined;
  }

  #trunkOf(domain: string): string | undefined {
    return this.options.domains().find(({ name }) => name === domain)?.pbxTrunk;
  }
}
