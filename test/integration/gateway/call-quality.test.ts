import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cdrSchema } from '../../../gateway/cdr/cdr-schema.js';
import { AudioCall } from '../../support/audio-call.js';
import { until } from '../../support/media-session.js';

describe('call quality', () => {
  it('of an ended call is in its CDR, in the log and once per side in the histograms', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'webtrunk-'));
    const cdrFile = join(folder, 'cdr.ndjson');
    const call = await AudioCall.open({ cdrFile, mediaProcesses: 1 });
    try {
      await call.talk();
      await until(() => call.phone.packets.length >= 10);
      await call.hangUp();
      const told = () => call.gateway.lines.filter(({ event }) => event === 'call.quality');
      await until(() => told().length > 0);
      const metrics = await call.gateway.metrics.text();
      for (const side of ['browser', 'trunk'])
        for (const name of ['mos', 'loss_ratio', 'jitter_seconds'])
          assert.match(
            metrics,
            new RegExp(`webtrunk_media_${name}_count{side="${side}",engine="relay"} 1$`, 'm'),
          );
      // Nobody has sent RTCP.
      assert.match(metrics, /webtrunk_media_round_trip_seconds_count\{side="browser",engine="relay"\} 0$/m);
      await call.gateway.close();
      const cdr = cdrSchema.parse(JSON.parse(await readFile(cdrFile, 'utf8')));
      assert.equal(cdr.media.length, 2);
      for (const { codec, quality } of cdr.media) {
        assert.equal(codec, 'PCMU');
        assert.ok(quality?.mos !== undefined && quality.mos > 4);
        assert.deepEqual([quality.packetsLost, quality.packetLoss], [0, 0]);
      }
      assert.equal(told().length, 1);
    } finally {
      await call.close();
      await rm(folder, { recursive: true });
    }
  });
});
