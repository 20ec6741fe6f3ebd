import { drachtioTorment } from './drachtio-torment.js';
import { fuzzGateway } from './fuzz-gateway.js';
import type { FuzzTarget } from './fuzz-target.js';
import { httpTorment } from './http-torment.js';
import { ngTorment } from './ng-torment.js';
import { redisTorment } from './redis-torment.js';
import { websocketTorment } from './websocket-torment.js';

/** Inputs of a whole gateway in a process of its own, by name. */
export const gatewayTargets: Readonly<Record<string, FuzzTarget>> = {
  websocket: fuzzGateway(websocketTorment),
  pages: fuzzGateway(httpTorment('pages')),
  admin: fuzzGateway(httpTorment('admin')),
  ng: fuzzGateway(ngTorment),
  store: fuzzGateway(redisTorment),
  drachtio: fuzzGateway(drachtioTorment),
};
