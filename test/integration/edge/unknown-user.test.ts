import assert from 'node:assert/strict';
import { startEdgeFixture, type EdgeFixture } from '../../support/edge-fixture.js';
import type { WsSipClient } from '../../support/ws-sip-client.js';

/** As long as each other, so that lengths can be compared too. */
const [known, unknown] = ['alice', 'malli'];
const registerFailuresPerMinute = 3;

/** Everything that a client was answered, without what is random and what it has sent itself. */
function comparable({ received, contactHost, fromTag, callId }: WsSipClient, user: string): string {
  return received
    .join('\n')
    .replaceAll(contactHost, 'HOST')
    .replaceAll(fromTag, 'TAG')
    .replaceAll(callId, 'CALL')
    .replaceAll(user, 'USER')
    .replace(/rport=[0-9]+/g, 'rport=P')
    .replace(/Retry-After: (60|59|58|57)/g, 'Retry-After: 60')
    .replace(/Date: .*/g, 'Date: D')
    .replace(/branch=[^;\r]+/g, (branch) => `branch=${'B'.repeat(branch.length)}`)
    .replace(/(To: .*);tag=([^;\r]+)/g, (_line, before: string, tag: string) => {
      return `${before};tag=${'T'.repeat(tag.length)}`;
    })
    .replace(/nonce="([^"]+)"/g, (_text, nonce: string) => `nonce="${'N'.repeat(nonce.length)}"`);
}

describe('whoever guesses', () => {
  let fixture: EdgeFixture;

  beforeEach(async () => {
    fixture = await startEdgeFixture({ limits: { registerFailuresPerMinute } });
  });

  afterEach(async () => {
    await fixture.close();
    assert.deepEqual(fixture.log.errors, []);
  });

  /** Tries that user with a wrong password until it is locked out, and gives all that was answered. */
  const guess = async (user: string, method: string): Promise<string> => {
    const client = await fixture.connect({ user, password: 'wrong' });
    const uri = method === 'REGISTER' ? client.registrarUri : 'sip:bob@localhost';
    const headers = method === 'REGISTER' ? [`Contact: ${client.contact}`] : [];
    const challenged = await client.transact(client.request(method, uri, { headers }));
    const statuses = [challenged.status];
    for (let nc = 1; nc <= registerFailuresPerMinute + 1; nc += 1) {
      const authorization = client.authorize(challenged, method, uri, { nc });
      const { status } = await client.transact(
        client.request(method, uri, { headers: [...headers, authorization] }),
      );
      statuses.push(status);
    }
    assert.deepEqual(statuses, [401, 403, 403, 403, 503]);
    const text = comparable(client, user);
    await client.close();
    return text;
  };

  for (const method of ['REGISTER', 'INVITE', 'MESSAGE']) {
    it(`learns from no answer to ${method} whether there is such a user`, async () => {
      const [answered, toNobody] = [await guess(known, method), await guess(unknown, method)];
      assert.match(answered, /nonce="N+"/);
      assert.match(answered, /^SIP\/2\.0 503 .*\r\n(?:.+\r\n)*Retry-After: 60/m);
      assert.equal(toNobody, answered);
      const causes = fixture.events.of(method === 'REGISTER' ? 'registrationRefused' : 'messageRefused');
      assert.ok(causes.length >= 2 * registerFailuresPerMinute, `${causes.length} were told`);
    });
  }
});
