import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cdrSchema } from '../../../gateway/cdr/cdr-schema.js';
import { AudioCall, type AudioCallOptions } from '../../support/audio-call.js';
import { idle } from '../../support/idle.js';
import { requirePeer } from '../../support/peers.js';
import { Rtpengine } from '../../support/rtpengine.js';

const limitMs = 2_000;

describe('a call that falls silent', () => {
  let folder: string;
  let mediaServer: Rtpengine | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-'));
  });

  afterEach(async () => {
    await mediaServer?.stop();
    mediaServer = undefined;
    await rm(folder, { recursive: true });
  });

  const endsOfItself = async (media: AudioCallOptions): Promise<void> => {
    const cdrFile = join(folder, 'cdr.ndjson');
    const call = await AudioCall.open({ ...media, cdrFile, mediaTimeoutMs: limitMs });
    try {
      await call.talk();
      call.fallSilent();
      const { browser, phone } = await call.hungUp();
      for (const bye of [browser, phone])
        assert.equal(bye.headers.get('reason'), 'SIP;cause=408;text="No Media"');
      await idle(call.gateway);
      const ended = call.gateway.lines.filter(({ event }) => event === 'call.ended');
      assert.deepEqual(
        ended.map(({ code, detail }) => [code, detail]),
        [['media.timeout', `no packet in either direction for ${limitMs} ms`]],
      );
      await call.gateway.close();
      const { termination, media: figures } = cdrSchema.parse(JSON.parse(await readFile(cdrFile, 'utf8')));
      assert.equal(termination.code, 'media.timeout');
      assert.deepEqual(
        figures.map(({ packetsReceived }) => packetsReceived > 0),
        [true, true],
      );
    } finally {
      await call.close();
    }
  };

  it('is ended after media.timeout by BYE with the reason to both sides, with the relay', () =>
    endsOfItself({ mediaProcesses: 1 }));

  it('is ended after media.timeout by BYE with the reason to both sides, with rtpengine', async function () {
    mediaServer = await Rtpengine.start(requirePeer(this, 'rtpengine'));
    await endsOfItself({
      media: { engine: 'rtpengine', instances: [{ address: mediaServer.address, weight: 1 }] },
    });
  });

  it('because the host of the PBX has died is ended for the browser, though nobody answers BYE there', async () => {
    const cdrFile = join(folder, 'cdr.ndjson');
    const call = await AudioCall.open({ mediaProcesses: 1, cdrFile, mediaTimeoutMs: limitMs });
    try {
      await call.talk();
      call.fallSilent();
      const [bye, unanswered] = await Promise.all([call.hungUpByGateway(), call.pbx.request('BYE')]);
      for (const { headers } of [bye, unanswered])
        assert.equal(headers.get('reason'), 'SIP;cause=408;text="No Media"');
      await call.gateway.close();
      const { termination } = cdrSchema.parse(JSON.parse(await readFile(cdrFile, 'utf8')));
      assert.equal(termination.code, 'media.timeout');
    } finally {
      await call.close();
    }
  });
});
