import type { Log } from '../../sip/log.js';
import type { MediaEvents } from './media-events.js';
import type { Metrics } from './metrics.js';

function mediaCounters(metrics: Metrics) {
  return {
    up: metrics.gauge('media_servers_up', 'rtpengines that answer'),
    losses: metrics.counter('media_server_losses_total', 'Times that an rtpengine stopped answering'),
    passedOver: metrics.counter('media_server_passed_over_total', 'New calls that an rtpengine did not take'),
    unavailable: metrics.counter('media_servers_unavailable_total', 'New calls that no rtpengine took'),
    deaths: metrics.counter('media_process_deaths_total', 'Processes of the relay that died'),
    rejected: metrics.counter(
      'media_srtp_rejected_total',
      'Packets that SRTP refused: another key, or sent again',
    ),
    strays: metrics.counter(
      'media_strays_total',
      'Packets to the ports of phones and PBXs from elsewhere than signalled',
    ),
    orphans: metrics.counter('media_orphans_deleted_total', 'Times that forgotten calls were deleted'),
  };
}

/** The events of media servers on a log and counters. */
export function createMediaEvents(log: Log, metrics: Metrics): MediaEvents {
  const count = mediaCounters(metrics);
  return {
    mediaServerUp(event) {
      count.up.set(event.up);
      log.info({ event: 'media.server_up', ...event }, `rtpengine ${event.instance} answers`);
    },
    mediaServerDown(event) {
      count.up.set(event.up);
      count.losses.inc();
      log.error({ event: 'media.server_down', ...event }, `rtpengine ${event.instance} does not answer`);
    },
    mediaServerPassedOver(event) {
      count.passedOver.inc();
      const line = `rtpengine ${event.instance} did not take a new call: ${event.reason}`;
      log.warn({ event: 'media.server_passed_over', ...event }, line);
    },
    mediaServersUnavailable() {
      count.unavailable.inc();
      log.error({ event: 'media.servers_unavailable' }, 'no rtpengine takes new calls');
    },
    mediaProcessDied(event) {
      count.deaths.inc();
      const line = `media process ${event.pid ?? ''} died (${event.reason}); calls lost: ${event.sessions}`;
      log.error({ event: 'media.process_died', ...event }, line);
    },
    mediaPacketsRejected(event) {
      count.rejected.inc(event.packets);
      log.warn(
        { event: 'media.packets_rejected', ...event },
        `SRTP refused ${event.packets} packets in a second: another key, or sent again`,
      );
    },
    mediaStrays(event) {
      count.strays.inc(event.packets);
      const line = `${event.packets} packets for a phone or PBX came from elsewhere than it has signalled: dropped`;
      log.info({ event: 'media.strays', ...event }, line);
    },
    mediaOrphansDeleted(event) {
      count.orphans.inc();
      const line = `${event.calls} forgotten calls were deleted in rtpengine ${event.instance}`;
      log.info({ event: 'media.orphans_deleted', ...event }, line);
    },
  };
}
