import assert from 'node:assert/strict';
import { checkCertificates } from '../../../gateway/preflight/certificates.js';
import { Secret } from '../../../gateway/config/secret.js';
import { FakeClock } from '../../support/fake-clock.js';
import { testConfig } from '../../support/gateway.js';
import { makeTestCertificate, type TestCertificate } from '../../support/test-certificate.js';

const dayMs = 86_400_000;

describe('the dates of certificates', () => {
  let made: TestCertificate;

  before(function () {
    const certificate = makeTestCertificate();
    if (certificate === undefined) return this.skip();
    made = certificate;
  });

  const found = (afterDays: number): readonly string[] => {
    const tls = { cert: made.cert, key: new Secret(made.key), clientCa: undefined };
    const clock = new FakeClock(Date.now() + afterDays * dayMs);
    return checkCertificates(testConfig({ tls }), clock).map(
      ({ level, path, problem }) => `${level} ${path.join('.')}: ${problem}`,
    );
  };

  it('are a problem before and after, and a warning shortly before the end', () => {
    assert.match(
      found(-1)[0] ?? '',
      /^problem sip\.embedded\.tls\.cert: the certificate is not valid before /,
    );
    assert.match(found(0)[0] ?? '', /^warning sip\.embedded\.tls\.cert: the certificate expires in 1 days$/);
    assert.match(found(3)[0] ?? '', /^problem sip\.embedded\.tls\.cert: the certificate has expired /);
  });
});
