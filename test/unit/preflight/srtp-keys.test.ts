import assert from 'node:assert/strict';
import { checkSrtpKeys } from '../../../gateway/preflight/srtp-keys.js';
import { ipTrunk } from '../../support/gateway.js';

describe('keys of SRTP in SDP', () => {
  const found = (uri: string, srtp: 'off' | 'optional' | 'required'): readonly string[] => {
    const media = { codecs: undefined, ptimeMs: undefined, srtp };
    return checkSrtpKeys({ trunks: [ipTrunk('office', uri, { media })] }).map(
      ({ level, path, problem }) => `${level} ${path.join('.')}: ${problem}`,
    );
  };

  it('are warned of when the trunk is not over TLS', () => {
    for (const srtp of ['optional', 'required'] as const)
      assert.deepEqual(found('sip:pbx.example.net;transport=udp', srtp), [
        'warning trunks.0.media.srtp: the keys go to sip:pbx.example.net;transport=udp in clear text: who reads the signalling can listen',
      ]);
  });

  it('are fine over TLS, and where there are none', () => {
    assert.deepEqual(found('sip:pbx.example.net;transport=tls', 'required'), []);
    assert.deepEqual(found('sips:pbx.example.net', 'required'), []);
    assert.deepEqual(found('sip:pbx.example.net;transport=udp', 'off'), []);
  });
});
