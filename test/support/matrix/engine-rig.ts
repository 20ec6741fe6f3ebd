import type { RouteConfig } from '../../../gateway/config/config.js';
import type { TestBrowser } from '../chromium.js';
import { ipTrunk, startGateway, usersRoute, type Gateway } from '../gateway.js';
import { Rtpengine } from '../rtpengine.js';
import type { MatrixPeer } from './peer.js';
import { runRow } from './row-run.js';
import type { Caller, EngineName, Reasons, Row } from './steps.js';

const users = ['alice', 'bob', 'carol'] as const;
const callers: readonly Caller[] = ['browser', 'PBX'];

const cannotOf: Readonly<Record<EngineName, Reasons>> = {
  relay: { video: 'audio only' },
  rtpengine: { video: 'audio only' },
  passthrough: {},
};

/** A gateway with one media engine, and a trunk to each peer. */
export class EngineRig {
  private constructor(
    private readonly engine: EngineName,
    private readonly gateway: Gateway,
    private readonly peers: readonly MatrixPeer[],
    private readonly server: Rtpengine | undefined,
  ) {}

  /** `rtpengine`: its program, for that engine. The rig closes the peers. */
  static async start(
    engine: EngineName,
    peers: readonly MatrixPeer[],
    rtpengine: string,
  ): Promise<EngineRig> {
    const server = engine === 'rtpengine' ? await Rtpengine.start(rtpengine) : undefined;
    const gateway = await startGateway({
      media:
        server === undefined
          ? engine === 'passthrough'
            ? 'passthrough'
            : 'relay'
          : { engine: 'rtpengine', instances: [{ address: server.address, weight: 1 }] },
      trunks: peers.map(({ number, uri }) => ipTrunk(`to-${number}`, uri)),
      routes: [usersRoute, ...peers.map(routeTo)],
    });
    for (const peer of peers) peer.meet(gateway.sipAddress);
    return new EngineRig(engine, gateway, peers, server);
  }

  /** All rows: as many peers at once as there are users. Never rejects. */
  async rows(browser: TestBrowser): Promise<readonly Row[]> {
    const waiting = [...this.peers];
    const rows: Row[] = [];
    const serve = async (user: string): Promise<void> => {
      for (let peer = waiting.shift(); peer !== undefined; peer = waiting.shift()) {
        for (const caller of callers) {
          const { engine, gateway } = this;
          rows.push(await runRow({ browser, gateway, engine, cannot: cannotOf[engine], caller, peer, user }));
        }
      }
    };
    await Promise.all(users.map(serve));
    const place = (row: Row): number => this.peers.findIndex(({ name }) => name === row.peer);
    return rows.sort((one, other) => place(one) - place(other));
  }

  async close(): Promise<void> {
    for (const peer of this.peers) await peer.close();
    await this.gateway.close();
    await this.server?.stop();
  }
}

function routeTo({ number }: MatrixPeer): RouteConfig {
  return {
    name: `to-${number}`,
    match: new RegExp(`^${number}$`),
    fromTrunk: undefined,
    to: { kind: 'trunks', trunks: [`to-${number}`] },
  };
}
