import type { Clock } from '../sip/clock.js';
import type { Log } from '../sip/log.js';
import type { MediaEngine } from '../sip/media/media-engine.js';
import { createPassthroughEngine } from '../sip/media/passthrough.js';
import { createRelayEngine } from '../sip/media/relay/relay-engine.js';
import type { MediaProcessExit } from '../sip/media/relay-process/media-process.js';
import { startRelayProcesses } from '../sip/media/relay-process/relay-processes.js';
import { createRtpengineEngine } from '../sip/media/rtpengine/rtpengine-engine.js';
import type { Config } from './config/config.js';
import { gatewayName } from './gateway-name.js';
import type { MediaEvents } from './telemetry/media-events.js';

/** The media engine of the configuration, for calls that are anchored. */
export function createMedia(config: Config, events: MediaEvents, log: Log, clock: Clock): MediaEngine {
  const { media } = config;
  switch (media.engine) {
    case 'passthrough':
      return createPassthroughEngine(config.ice);
    case 'rtpengine':
      return createRtpengineEngine({
        instances: media.instances,
        owner: gatewayName(config),
        ...silenceOf(media),
        events,
        log,
        clock,
      });
    case 'relay':
      return createRelay(media, events, log, clock);
  }
}

/** How long silence may last in the engines that see it. */
function silenceOf({ timeoutMs }: Config['media']): { readonly timeoutMs?: number } {
  return timeoutMs === undefined ? {} : { timeoutMs };
}

function createRelay(
  media: Extract<Config['media'], { engine: 'relay' }>,
  events: MediaEvents,
  log: Log,
  clock: Clock,
): MediaEngine {
  const { address, ports, browserPort, processes } = media;
  const browsers = browserPort === undefined ? {} : { browserPort };
  const options = { address, ports, ...browsers, ...silenceOf(media), log, clock };
  const strays = (packets: number): void => events.mediaStrays({ packets });
  if (processes === 0) return createRelayEngine({ ...options, strays });
  const died = (exit: MediaProcessExit): void => events.mediaProcessDied(exit);
  const rejected = (packets: number): void => events.mediaPacketsRejected({ packets });
  return startRelayProcesses({ ...options, processes, died, rejected, strays });
}
