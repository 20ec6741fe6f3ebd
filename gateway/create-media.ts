import { hostname } from 'node:os';
import type { Clock } from '../sip/clock.js';
import type { Log } from '../sip/log.js';
import type { MediaEngine } from '../sip/media/media-engine.js';
import { createPassthroughEngine } from '../sip/media/passthrough.js';
import { createRelayEngine } from '../sip/media/relay/relay-engine.js';
import type { MediaProcessExit } from '../sip/media/relay-process/media-process.js';
import { startRelayProcesses } from '../sip/media/relay-process/relay-processes.js';
import { createRtpengineEngine } from '../sip/media/rtpengine/rtpengine-engine.js';
import type { Config } from './config/config.js';
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
        owner: ownerOf(config),
        events,
        log,
        clock,
      });
    case 'relay':
      return createRelay(media, events, log, clock);
  }
}

function createRelay(
  { address, ports, processes }: Extract<Config['media'], { engine: 'relay' }>,
  events: MediaEvents,
  log: Log,
  clock: Clock,
): MediaEngine {
  if (processes === 0) return createRelayEngine({ address, ports, log, clock });
  const died = (exit: MediaProcessExit): void => events.mediaProcessDied(exit);
  return startRelayProcesses({ address, ports, processes, log, clock, died });
}

/** The same for each process of this gateway, another one for every gateway that may use the same rtpengine. */
function ownerOf({ file, listen, sip }: Config): string {
  const listening = [listen.http, listen.https, ...(sip.engine === 'embedded' ? sip.listen : [])];
  const places = listening.map((one) => `${one?.address ?? ''} ${one?.port ?? ''}`);
  return [hostname(), file ?? '', ...places].join('\n');
}
