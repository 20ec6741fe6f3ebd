import { fileURLToPath } from 'node:url';
import { createPublicPages } from '../../gateway/api/public-pages.js';
import { IceAccess } from '../../gateway/ice-access.js';
import { systemClock } from '../../sip/clock.js';
import { pageConfigOf } from '../../gateway/process/page-config-of.js';
import { freePort } from './free-port.js';
import { startGateway, testConfig, type Gateway, type GatewayOptions } from './gateway.js';

const pagesFolder = fileURLToPath(new URL('../../web', import.meta.url));

/** A whole gateway that serves the built pages and has the echo number 600, as `npm start` does. */
export async function startGatewayWithPages(options: GatewayOptions = {}): Promise<Gateway> {
  const config = testConfig(options);
  const access = new IceAccess(() => config.ice, systemClock);
  const iceServers = (ticket: string) => access.servers(ticket);
  const pages = await createPublicPages({ folder: pagesFolder, config: pageConfigOf(config), iceServers });
  if (!pages.built) throw new Error('the pages were not built: npx vite build web');
  const gateway = await startGateway({ echoPort: await freePort(), ...options, pages: pages.handler });
  return {
    ...gateway,
    close: async () => {
      await gateway.close();
      await pages.close();
    },
  };
}
