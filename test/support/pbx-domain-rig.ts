import assert from 'node:assert/strict';
import type { SipResponse } from '../../sip/message/index.js';
import { ipTrunk, startGateway, type Gateway, type GatewayOptions } from './gateway.js';
import { idle } from './idle.js';
import { ScriptedPbx } from './scripted-pbx.js';
import { WsSipClient } from './ws-sip-client.js';

export const pbxDomain = 'pbx.example';
export const extension = '1001';
const password = 'extension-secret';
const tables = [
  'pbxContacts',
  'pbxRegisters',
  'pbxRequests',
  'pbxSubscriptions',
  'subscriptions',
  'bindings',
  'endpoints',
  'calls',
  'cdr_waiting',
  'trunk_channels',
  'trunk_legs',
];

/** A gateway before one or more PBXs that know the passwords of `pbx.example`, and extension 1001 in a browser. */
export class PbxDomainRig {
  private constructor(
    readonly pbxs: readonly ScriptedPbx[],
    readonly gateway: Gateway,
    readonly browser: WsSipClient,
  ) {}

  /** The PBXs, at `addresses` on loopback, are the hosts of the trunk `office`, best first. */
  static async start(
    addresses: readonly string[],
    options: (uris: readonly string[]) => GatewayOptions = (uris) => officeOptions(uris),
  ): Promise<PbxDomainRig> {
    const pbxs: ScriptedPbx[] = [];
    for (const address of addresses) pbxs.push(await ScriptedPbx.open(address, { [extension]: password }));
    const gateway = await startGateway(options(pbxs.map(({ uri }) => uri)));
    for (const { peer } of pbxs) peer.aim(Number(gateway.sipAddress.split(':')[1]));
    return new PbxDomainRig(pbxs, gateway, await connect(gateway));
  }

  /** The best host. */
  get pbx(): ScriptedPbx {
    const [first] = this.pbxs;
    return first ?? assert.fail('no PBX');
  }

  /** Sends a request, and once more with credentials when it is challenged. */
  async ask(method: string, uri: string, headers: readonly string[], body = ''): Promise<SipResponse> {
    const { browser } = this;
    const first = await browser.transact(browser.request(method, uri, { headers, body }));
    if (first.status !== 407) return first;
    const credentials = browser.authorize(first, method, uri);
    return browser.transact(browser.request(method, uri, { headers: [...headers, credentials], body }));
  }

  async close(): Promise<void> {
    await this.browser.close();
    await idle(this.gateway, tables);
    await this.gateway.close();
    for (const pbx of this.pbxs) await pbx.close();
  }
}

/** The trunk `office` with these hosts, and what a test changes. */
export function officeOptions(
  uris: readonly string[],
  trunk: Parameters<typeof ipTrunk>[2] = {},
  change: GatewayOptions = {},
): GatewayOptions {
  const hosts = uris.map((uri, index) => ({ uri, priority: index + 1 }));
  return {
    media: 'passthrough',
    trunks: [ipTrunk('office', '', { hosts, ...trunk })],
    pbxDomains: { [pbxDomain]: 'office' },
    websocket: { resumeGraceMs: 0 },
    ...change,
  };
}

function connect({ wsUrl }: Gateway): Promise<WsSipClient> {
  return WsSipClient.connect(wsUrl, {
    user: extension,
    password,
    domain: pbxDomain,
    instanceId: '<urn:uuid:00000000-0000-4000-8000-000000000001>',
  });
}
