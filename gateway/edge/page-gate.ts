import type { ClientAddress } from './client-address.js';
import type { EdgeEvents } from '../telemetry/edge-events.js';
import type { PageHandler } from './http-server.js';
import { remoteText } from './remote-text.js';
import { pathOf } from './upgrade-token.js';

export interface PageGateOptions {
  readonly clients: ClientAddress;
  /** Seconds until the address may ask again; 0: now. */
  takeRequest(address: string): number;
  readonly events: Pick<EdgeEvents, 'pageRefused'>;
}

const detail = 'too many requests from this address\n';

/** Pages and the API beside them, for addresses that do not ask too often; the others get 429 (RFC 6585 §4). */
export function gatedPages(pages: PageHandler, options: PageGateOptions): PageHandler {
  return (request, response) => {
    const origin = options.clients.of(request);
    const seconds = options.takeRequest(origin.address);
    if (seconds === 0) return pages(request, response);
    options.events.pageRefused({ remote: remoteText(origin), cause: 'rate', path: pathOf(request.url) });
    response.writeHead(429, {
      'Retry-After': seconds,
      'Content-Type': 'text/plain; charset=utf-8',
      'X-Content-Type-Options': 'nosniff',
      Connection: 'close',
    });
    response.end(detail);
  };
}
