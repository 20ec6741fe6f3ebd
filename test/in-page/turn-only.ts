/** Runs in a page before its own scripts: its calls are connected through TURN servers alone, and can be asked which. */
export function turnOnly(): void {
  const connections: RTCPeerConnection[] = [];
  const Usual = RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Usual {
    constructor(configuration?: RTCConfiguration) {
      super({ ...configuration, iceTransportPolicy: 'relay' });
      connections.push(this);
    }
  };
  Reflect.set(globalThis, 'turnedConnections', connections);
}

/** Runs in a page with {@link turnOnly}: the addresses that its newest connection sends from, as the other side sees them. */
export async function sentFrom(): Promise<string[]> {
  const connections = Reflect.get(globalThis, 'turnedConnections') as RTCPeerConnection[];
  const stats = await connections.at(-1)?.getStats();
  const found: string[] = [];
  stats?.forEach((each: { type: string; selectedCandidatePairId?: string }) => {
    if (each.type !== 'transport' || each.selectedCandidatePairId === undefined) return;
    const pair = stats.get(each.selectedCandidatePairId) as { localCandidateId: string };
    found.push((stats.get(pair.localCandidateId) as { address: string }).address);
  });
  return found;
}
