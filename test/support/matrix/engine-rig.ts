import type { RouteConfig } from '../../../gateway/config/config.js';
import type { TestBrowser } from '../chromium.js';
import { ipTrunk, startGateway, usersRoute, type Gateway } from '../gateway.js';
import { Rtpengine } from '../rtpengine.js';
import type { MatrixPeer } from './peer.js';
import type { PeerGroup } from './peers-of.js';
import { runRow } from './row-run.js';
import { steps, type Caller, type EngineName, type Row } from './steps.js';

const users = ['alice', 'bob', 'carol'] as const;
const callers: readonly Caller[] = ['browser', 'PBX'];

/** A gateway with one media engine, and a trunk to each peer. */
export class EngineRig {
  private constructor(
    private readonly engine: EngineName,
    private readonly gateway: Gateway,
    private readonly group: PeerGroup,
    private readonly server: Rtpengine | undefined,
  ) {}

  /** `rtpengine`: its program, for that engine. The rig closes the peers. */
  static async start(engine: EngineName, group: PeerGroup, rtpengine: string): Promise<EngineRig> {
    const { peers, media } = group;
    const server = engine === 'rtpengine' ? await Rtpengine.start(rtpengine) : undefined;
    const gateway = await startGateway({
      media:
        server === undefined
          ? engine === 'passthrough'
            ? 'passthrough'
            : 'relay'
          : { engine: 'rtpengine', instances: [{ address: server.address, weight: 1 }] },
      trunks: peers.map(({ number, uri }) =>
        ipTrunk(`to-${number}`, uri, { media: { codecs: undefined, ptimeMs: undefined, ...media } }),
      ),
      routes: [usersRoute, ...peers.map(routeTo)],
    });
    for (const peer of peers) peer.meet(gateway.sipAddress);
    return new EngineRig(engine, gateway, group, server);
  }

  /** All rows: as many peers at once as there are users. Never rejects. */
  async rows(browser: TestBrowser): Promise<readonly Row[]> {
    const waiting = [...this.group.peers];
    const rows: Row[] = [];
    const serve = async (user: string): Promise<void> => {
      for (let peer = waiting.shift(); peer !== undefined; peer = waiting.shift()) {
        for (const caller of callers) {
          const { engine, gateway } = this;
          rows.push(
            await runRow({ browser, gateway, engine, cannot: this.group.cannot, caller, peer, user }),
          );
        }
      }
    };
    await Promise.all(users.map(serve));
    const place = (row: Row): number => this.group.peers.findIndex(({ name }) => name === row.peer);
    return rows.sort((one, other) => place(one) - place(other));
  }

  async close(): Promise<void> {
    for (const peer of this.group.peers) await peer.close();
    await this.gateway.close();
    await this.server?.stop();
  }
}

/** The rows of a peer that the engine cannot have. */
export function absentRows(engine: EngineName, peer: string, reason: string): readonly Row[] {
  const cells = new Map(steps.map((step) => [step, { outcome: 'not applicable', reason } as const]));
  return callers.map((caller) => ({ engine, caller, peer, cells }));
}

function routeTo({ number }: MatrixPeer): RouteConfig {
  return {
    name: `to-${number}`,
    match: new RegExp(`^${number}$`),
    fromTrunk: undefined,
    to: { kind: 'trunks', trunks: [`to-${number}`] },
  };
}
