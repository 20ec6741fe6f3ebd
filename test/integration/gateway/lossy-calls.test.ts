import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cdrSchema } from '../../../gateway/cdr/cdr-schema.js';
import { LossyUdp } from '../../support/lossy-udp.js';
import { until } from '../../support/media-session.js';
import { ToneCall } from '../../support/tone-call.js';

const share = 0.05;
const spreadMs = 50;
const packets = 200;

describe('a call over a network that loses 5 % and delays by up to 50 ms', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('goes on with both tones, and its CDR and the metrics tell of the loss', async function () {
    this.timeout(20_000);
    const cdrFile = join(folder, 'cdr.ndjson');
    let network: LossyUdp | undefined;
    const tones = await ToneCall.open({
      cdrFile,
      mediaProcesses: 1,
      way: async (port) => {
        network = await LossyUdp.open(port, share, 7, spreadMs);
        return network.port;
      },
    });
    try {
      await tones.bothHear();
      await tones.phone.rtp.packet(packets);
      await tones.bothHear();
      tones.phone.hush();
      await tones.browserIsQuiet();
      const { towards, back } = network?.losses ?? assert.fail('nothing was between them');
      assert.ok(towards.dropped > 0 && back.dropped > 0);
      const { gateway } = tones.call;
      await tones.call.hangUp();
      await until(() => gateway.lines.some(({ event }) => event === 'call.quality'));
      const metrics = await gateway.metrics.text();
      const sum = /^webtrunk_media_loss_ratio_sum\{side="trunk",engine="relay"\} (\S+)$/m.exec(metrics)?.[1];
      const lost = towards.dropped / (towards.dropped + towards.passed);
      assert.ok(Math.abs(Number(sum) - lost) < 0.015, `${sum} instead of ${lost}`);
      await gateway.close();
      const { media } = cdrSchema.parse(JSON.parse(await readFile(cdrFile, 'utf8')));
      const { quality } = media.at(-1) ?? {};
      // What was lost before the first packet or after the last one shows in no sequence.
      assert.ok(Math.abs((quality?.packetsLost ?? 0) - towards.dropped) <= 2, JSON.stringify(quality));
      assert.ok((quality?.jitterMs ?? 0) > 8, JSON.stringify(quality));
    } finally {
      await tones.close();
      await network?.close();
    }
  });
});
