import { hostname } from 'node:os';
import type { Config } from './config/config.js';

/** The same for each process of this gateway, another one for every gateway that may use the same rtpengine or store. */
export function gatewayName({ file, listen, sip }: Config): string {
  const listening = [listen.http, listen.https, ...(sip.engine === 'embedded' ? sip.listen : [])];
  const places = listening.map((one) => `${one?.address ?? ''} ${one?.port ?? ''}`);
  return [hostname(), file ?? '', ...places].join('\n');
}
