import assert from 'node:assert/strict';
import { parseConfig } from '../../../gateway/config/load.js';
import { rightConfig, rightEnvironment } from './config-fixtures.js';

const withSrtp = (srtp: string): string => rightConfig.replace('ptime: 20 }', `ptime: 20, srtp: ${srtp} }`);
const overRtpengine = (text: string): string =>
  text.replace(
    /^media:\n(?: {2,}.*\n)+/m,
    'media: { engine: rtpengine, rtpengine: [{ ng: "udp:127.0.0.1:2223" }] }\n',
  );
const load = (text: string) => parseConfig(text, '/x/webtrunk.yaml', rightEnvironment);

describe('srtp of a trunk', () => {
  for (const srtp of ['optional', 'required']) {
    it(`can be ${srtp} with rtpengine`, async () => {
      const { trunks } = await load(overRtpengine(withSrtp(srtp)));
      assert.equal(trunks[0]?.media.srtp, srtp);
    });

    it(`cannot be ${srtp} with the relay, and the fix names rtpengine`, async () => {
      await assert.rejects(load(withSrtp(srtp)), {
        message: /trunks\[0\]\.media\.srtp: with engine: relay there is no SRTP .*media\.engine: rtpengine/,
      });
    });
  }

  it('is off with the relay', async () => {
    const { trunks } = await load(withSrtp('off'));
    assert.equal(trunks[0]?.media.srtp, 'off');
  });
});
