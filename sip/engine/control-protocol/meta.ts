import type { Channel } from '../transport/channel.js';

/** The meta block `source|bytes|protocol|address|port|time` of every SIP frame, after its source. */
export interface Meta {
  readonly bytes: number;
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
}

/** A message that never touched the network, such as a 408 of our own. */
export const internalMeta: Meta = { bytes: 0, protocol: '', address: '', port: 0 };

/** Of a message that came from the network: the packet's source. */
export function receivedMeta(channel: Channel, bytes: number): Meta {
  const { address, port } = channel.remote;
  return { bytes, protocol: channel.transport, address, port };
}

/** Of a response that we sent: the peer. */
export const answeredMeta = receivedMeta;

/** Of a request that we sent: our own address over UDP, the peer over TCP. */
export function sentMeta(channel: Channel, bytes: number): Meta {
  const { address, port } = channel.reliable ? channel.remote : channel.local;
  return { bytes, protocol: channel.transport, address, port };
}

/** The same without its protocol: the transaction has let go of its transport. */
export function released(meta: Meta): Meta {
  return { ...meta, protocol: '' };
}

const two = (value: number): string => (value < 10 ? `0${value}` : `${value}`);

/** `HH:MM:SS.uuuuuu`, UTC. */
export function timeOfDay(nowMs: number): string {
  const ms = nowMs % 86_400_000;
  const seconds = Math.floor(ms / 1000);
  const micros = `${Math.floor((ms % 1000) * 1000)}`.padStart(6, '0');
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.${micros}`;
}
