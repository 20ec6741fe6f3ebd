import { failure } from '../sip/failure.js';
import type { IncomingCall } from '../sip/leg.js';
import type { TrunkSource } from '../sip/trunk/srf.js';
import type { CallController } from './call/call-controller.js';
import type { CallSource } from './call/ports.js';
import type { Endpoint } from './endpoint/endpoint.js';
import type { PbxDomains } from './pbx-domain/pbx-domains.js';
import type { TrunkTable } from './trunk/trunk-table.js';
import { uriHost, userOf } from './uri-parts.js';

/** The parts that say whose call it is; each is undefined before the start. */
export interface CallEntryParts {
  controller(): CallController | undefined;
  trunks(): TrunkTable | undefined;
  pbx(): PbxDomains | undefined;
}

const retryAfter = [['Retry-After', '5']] as const;

/** Where a new call comes in: finds out whose it is and hands it to call control, or rejects it. */
export class CallEntry {
  constructor(private readonly parts: CallEntryParts) {}

  fromBrowser(endpoint: Endpoint, call: IncomingCall): void {
    const { aor, id: endpointId, remote } = endpoint;
    this.#take(call, { side: 'browser', aor, endpointId, remote });
  }

  fromTrunk(call: IncomingCall, source: TrunkSource): void {
    const pbxDomains = this.parts.pbx();
    const remote = `${uriHost(source.address)}:${source.port}`;
    const pbx = pbxDomains?.sourceOf(call, source.address);
    if (pbx !== undefined) return this.#take(call, { side: 'trunk', remote, ...pbx });
    if (pbxDomains?.isForgotten(call, source.address) === true)
      return call.leg.reject(failure('route.user_offline'));
    const trunk = this.parts.trunks()?.identify(source.address, userOf(call.requestUri));
    if (trunk === undefined) return call.leg.reject(failure('trunk.unknown_source'));
    const dialled = trunk.numberFrom === 'to' ? { ...call, requestUri: call.to.uri } : call;
    this.#take(dialled, { side: 'trunk', trunk: trunk.name, remote, media: trunk.media });
  }

  #take(call: IncomingCall, source: CallSource): void {
    const controller = this.parts.controller();
    if (controller === undefined)
      return call.leg.reject(failure('gateway.draining', { headers: retryAfter }));
    controller.incoming(call, source);
  }
}
