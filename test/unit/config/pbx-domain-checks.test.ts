import assert from 'node:assert/strict';
import { checkPbxDomains } from '../../../gateway/config/pbx-domain-checks.js';

type Sections = Parameters<typeof checkPbxDomains>[0];
type Domain = NonNullable<Sections['domains']>[number];

describe('checkPbxDomains', () => {
  const trunks = [{ name: 'office' }] as unknown as NonNullable<Sections['trunks']>;
  const found = (domain: Partial<Domain>): readonly string[] =>
    checkPbxDomains({
      domains: [{ name: 'pbx.example', auth: 'pbx', users: [], ...domain }],
      trunks,
    }).map(({ path, problem, fix }) => `${path.join('.')}: ${problem} (${fix})`);

  it('takes a domain with the name of a trunk', () => {
    assert.deepEqual(found({ trunk: 'office' }), []);
  });

  it('wants to know the trunk', () => {
    assert.deepEqual(found({}), ['domains.0: auth: pbx needs to know whose PBX (add trunk: office)']);
    assert.deepEqual(found({ trunk: 'ofice' }), [
      'domains.0.trunk: there is no trunk "ofice" (did you mean office?)',
    ]);
  });

  it('takes no users there, and no trunk and no kind of contact elsewhere', () => {
    assert.match(found({ trunk: 'office', users_file: 'u' })[0] ?? '', /the PBX knows the users/);
    assert.match(found({ auth: 'local', trunk: 'office' })[0] ?? '', /only a domain with auth: pbx/);
    assert.match(
      found({ auth: 'local', contact: 'path' })[0] ?? '',
      /^domains\.0\.contact: .*remove contact\)$/,
    );
  });
});
