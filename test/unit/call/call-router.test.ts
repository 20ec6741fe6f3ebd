import assert from 'node:assert/strict';
import type { SipFailure } from '../../../sip/failure.js';
import type { IncomingCall } from '../../../sip/leg.js';
import { createCallRouter, type CallRouterOptions } from '../../../gateway/call/call-router.js';
import type { CallerIdentity } from '../../../gateway/call/identity.js';
import type { CallSource, CalleeTarget, RoutePlan } from '../../../gateway/call/ports.js';
import type { RouteRule } from '../../../gateway/call/route.js';
import type { RoutingAnswer, RoutingQuestion } from '../../../gateway/routing/routing-hook.js';
import { FakeCaller, noHeaders } from '../../support/fake-legs.js';

const alice: CallSource = { side: 'browser', aor: 'sip:alice@example.com', endpointId: 'e_1' };
const office: CallSource = {
  side: 'trunk',
  trunk: 'office',
  remote: '127.0.0.1:5060',
  media: { profile: 'plain' },
};

const rules: readonly RouteRule[] = [
  { name: 'staff', match: /^(alice|bob|carol)$/, fromTrunk: undefined, to: { kind: 'users' } },
  { name: 'did', match: /^\+15551230000$/, fromTrunk: 'office', to: { kind: 'user', user: 'alice' } },
  { name: 'gone', match: /^0900/, fromTrunk: undefined, to: { kind: 'reject', status: 410 } },
  {
    name: 'emergency',
    match: /^112$/,
    fromTrunk: undefined,
    emergency: true,
    to: { kind: 'trunks', trunks: ['office'] },
  },
  {
    name: 'pstn',
    match: /^\+?[0-9]{3,15}$/,
    fromTrunk: undefined,
    to: { kind: 'trunks', trunks: ['office', 'backup'] },
  },
];

const target = (label: string): CalleeTarget => ({
  side: 'trunk',
  label,
  media: { profile: 'plain' },
  from: { uri: 'sip:x@y' },
  to: { uri: 'sip:x@y' },
  headers: [],
  invite: () => {
    throw new Error('not invited in this test');
  },
});

const callers: CallerIdentity[] = [];

const options: CallRouterOptions = {
  rules,
  domains: ['example.com', 'example.org'],
  users: {
    knows: (user, domain) => ['alice', 'bob', 'carol'].includes(user) && domain === 'example.com',
    targets: (user, domain) => Promise.resolve(user === 'carol' ? [] : [target(`${user}@${domain}`)]),
    identityOf: () => ({ user: 'alice', displayName: 'Alice', callerId: undefined }),
  },
  trunks: {
    targets: (trunk, dialled, caller) => {
      callers.push(caller);
      return [target(`${trunk} ${dialled.user} 1`), target(`${trunk} ${dialled.user} 2`)];
    },
    accepts: (_trunk, dialled) => dialled.user !== '999',
    names: ['office', 'backup'],
    headersOf: () => undefined,
    trustsIdentity: () => false,
    received: (_trunk, number) => number,
  },
  readDialled: (uri) => {
    const [, user, host] = /^sip:([^@]+)@(.+)$/.exec(uri) ?? [];
    return user === undefined ? undefined : { user, escapedUser: user, host };
  },
  readParties: () => [],
  reasonOf: (status) => (status === 410 ? 'Gone' : 'Unknown'),
  nowMs: () => 0,
};
const router = createCallRouter(options);

function incomingTo(requestUri: string, source: CallSource): IncomingCall {
  return {
    leg: new FakeCaller('l_1', source.side),
    requestUri,
    from: { uri: 'sip:+49301234@pbx', displayName: 'Reception' },
    to: { uri: requestUri },
    sdp: undefined,
    headers: noHeaders,
  };
}

const plan = (requestUri: string, source: CallSource): Promise<RoutePlan> =>
  router.plan(incomingTo(requestUri, source), source);

const labels = ({ stages }: RoutePlan): string[][] => stages.map((stage) => stage.map(({ label }) => label));

const refusedWith = (code: string) => (thrown: SipFailure) => thrown.code === code;

describe('the router', () => {
  it('takes the first rule that matches', async () => {
    assert.equal((await plan('sip:bob@example.com', alice)).route, 'staff');
    assert.equal((await plan('sip:600@example.com', alice)).route, 'pstn');
  });

  it('rings all devices of a user at once', async () => {
    assert.deepEqual(labels(await plan('sip:bob@example.com', alice)), [['bob@example.com']]);
  });

  it('tries the targets of all trunks one after the other', async () => {
    assert.deepEqual(labels(await plan('sip:600@example.com', alice)), [
      ['office 600 1'],
      ['office 600 2'],
      ['backup 600 1'],
      ['backup 600 2'],
    ]);
  });

  it('shows a browser as who it signed in as, whatever its From says', async () => {
    callers.length = 0;
    await plan('sip:600@example.com', alice);
    assert.deepEqual(callers[0], {
      user: 'alice',
      displayName: 'Alice',
      callerId: undefined,
      endpointId: 'e_1',
      claimed: undefined,
      privacy: [],
    });
  });

  it('leads a DID of its trunk to the user', async () => {
    assert.deepEqual(labels(await plan('sip:+15551230000@10.0.0.1', office)), [['alice@example.com']]);
  });

  it('lets a trunk call a user by name whatever host it wrote', async () => {
    assert.deepEqual(labels(await plan('sip:bob@127.0.0.1:5070', office)), [['bob@example.com']]);
  });

  it('never lets a trunk out through a trunk by a rule that does not name it', async () => {
    await assert.rejects(plan('sip:600@example.com', office), refusedWith('route.no_match'));
  });

  it('refuses a number that is not wanted from the trunk', async () => {
    await assert.rejects(plan('sip:999@example.com', office), refusedWith('route.no_match'));
  });

  it('says that a user without a device is offline', async () => {
    await assert.rejects(plan('sip:carol@example.com', alice), refusedWith('route.user_offline'));
  });

  it('says that a user of another domain is unknown', async () => {
    await assert.rejects(plan('sip:bob@elsewhere.example', alice), refusedWith('route.user_unknown'));
    await assert.rejects(plan('sip:bob@example.org', alice), refusedWith('route.user_unknown'));
  });

  it('refuses what matches no rule, has no user, or is too long to be a number', async () => {
    await assert.rejects(plan('sip:nobody@example.com', alice), refusedWith('route.no_match'));
    await assert.rejects(plan('sip:example.com', alice), refusedWith('route.no_match'));
    await assert.rejects(plan(`sip:${'1'.repeat(200)}@example.com`, alice), refusedWith('route.no_match'));
  });

  it('refuses what a route rejects, with its status', async () => {
    await assert.rejects(plan('sip:0900123@example.com', alice), (thrown: SipFailure) => {
      assert.deepEqual([thrown.code, thrown.status, thrown.reason], ['route.rejected', 410, 'Gone']);
      return true;
    });
  });

  it('knows an emergency call before it is planned', async () => {
    const isEmergency = (uri: string, source: CallSource): boolean =>
      router.isEmergency(incomingTo(uri, source), source);
    assert.equal(isEmergency('sip:112@example.com', alice), true);
    assert.equal(isEmergency('sip:112@example.com', office), false);
    assert.equal(isEmergency('sip:600@example.com', alice), false);
    assert.equal(isEmergency('sip:example.com', alice), false);
    assert.equal((await plan('sip:112@example.com', alice)).emergency, true);
  });

  it('explains itself: every rule that it tried, and the plan or why there is none', async () => {
    const explained = async (uri: string) => router.explain(incomingTo(uri, alice), alice, 0);
    const { steps, plan: found } = await explained('sip:600@example.com');
    assert.deepEqual(
      steps.map(({ rule, mismatch }) => [rule.name, mismatch]),
      [
        ['emergency', 'match'],
        ['staff', 'match'],
        ['did', 'from_trunk'],
        ['gone', 'match'],
        ['pstn', undefined],
      ],
    );
    assert.equal('route' in found && found.route, 'pstn');
    const { plan: none } = await explained('sip:nobody@example.com');
    assert.equal('code' in none && none.code, 'route.no_match');
  });

  describe('with a routing hook', () => {
    const asked: RoutingQuestion[] = [];
    const hooked = (answer: RoutingAnswer | undefined) => {
      asked.length = 0;
      return createCallRouter({
        ...options,
        decider: {
          decide: (question) => {
            asked.push(question);
            return Promise.resolve(answer);
          },
        },
      });
    };

    it('does what the hook says, with the number that it gives', async () => {
      const hook = hooked({ to: { trunks: ['backup'] }, number: '42', name: 'mine' });
      const uri = 'sip:600@example.com';
      const found = await hook.plan(incomingTo(uri, alice), alice);
      assert.equal(found.route, 'mine');
      assert.deepEqual(labels(found), [['backup 42 1'], ['backup 42 2']]);
      assert.deepEqual(asked, [
        {
          dialled: '600',
          requestUri: uri,
          from: 'user',
          caller: 'alice',
          domain: 'example.com',
          at: '1970-01-01T00:00:00.000Z',
        },
      ]);
    });

    it('may lead a call from one trunk to another, since it knows where the call comes from', async () => {
      const hook = hooked({ to: { trunks: ['backup'] } });
      const found = await hook.plan(incomingTo('sip:600@example.com', office), office);
      assert.equal(found.route, 'hook');
      assert.deepEqual([asked[0]?.from, asked[0]?.trunk, asked[0]?.caller], ['trunk', 'office', '+49301234']);
    });

    it('refuses what the hook refuses', async () => {
      const hook = hooked({ to: { reject: 410 } });
      await assert.rejects(hook.plan(incomingTo('sip:600@example.com', alice), alice), { status: 410 });
    });

    it('follows the routes when the hook leaves it to them', async () => {
      const found = await hooked(undefined).plan(incomingTo('sip:600@example.com', alice), alice);
      assert.equal(found.route, 'pstn');
    });

    it('never asks the hook about an emergency', async () => {
      const hook = hooked({ to: { reject: 486 } });
      assert.equal((await hook.plan(incomingTo('sip:112@example.com', alice), alice)).route, 'emergency');
      assert.deepEqual(asked, []);
    });
  });
});
