import assert from 'node:assert/strict';
import { MediaCheck } from '../../../gateway/call/media-check.js';
import type { CallSource } from '../../../gateway/call/ports.js';
import { FakeClock } from '../../support/fake-clock.js';

const source: CallSource = { side: 'browser', aor: 'sip:alice@localhost', endpointId: 'e_alice' };

describe('the look at the media of a browser that is back', () => {
  let clock: FakeClock;
  let packets: number | undefined;
  let seen: string[];
  let check: MediaCheck;

  beforeEach(() => {
    clock = new FakeClock();
    packets = 100;
    seen = [];
    const media = {
      packetsFrom: () => Promise.resolve(packets),
      renewPath: (legId: string) => seen.push(`renew ${legId}`),
      agreedOf: (legId: string) => `sdp of ${legId}`,
    };
    check = new MediaCheck(clock, media, {
      source,
      caller: { id: 'l_alice' },
      callee: () => ({ legId: 'l_bob', endpointId: 'e_bob' }),
      offerAgain: (legId, sdp) => seen.push(`${legId} offers ${sdp}`),
    });
  });

  const look = async (change: () => void): Promise<void> => {
    for (const ms of [4_000, 2_000]) {
      clock.advance(ms);
      await Promise.resolve();
      await Promise.resolve();
      change();
    }
    await Promise.resolve();
  };

  it('leaves a browser alone that is heard', async () => {
    check.browserIsBack('e_alice');
    await look(() => (packets = (packets ?? 0) + 1));
    assert.deepEqual(seen, []);
  });

  it("offers one that is silent the other side's media again, by a new path, whichever side it is", async () => {
    check.browserIsBack('e_alice');
    await look(() => undefined);
    assert.deepEqual(seen.splice(0), ['renew l_alice', 'l_bob offers sdp of l_bob']);
    check.browserIsBack('e_bob');
    await look(() => undefined);
    assert.deepEqual(seen, ['renew l_bob', 'l_alice offers sdp of l_alice']);
  });

  it('looks at both sides when both are back', async () => {
    check.browserIsBack('e_alice');
    check.browserIsBack('e_bob');
    await look(() => undefined);
    assert.deepEqual(seen, [
      ...['renew l_alice', 'l_bob offers sdp of l_bob'],
      ...['renew l_bob', 'l_alice offers sdp of l_alice'],
    ]);
  });

  it('asks nothing where the media is not seen, of other endpoints, and after the end', async () => {
    packets = undefined;
    check.browserIsBack('e_alice');
    await look(() => undefined);
    packets = 1;
    check.browserIsBack('e_carol');
    await look(() => undefined);
    check.browserIsBack('e_alice');
    check.close();
    await look(() => undefined);
    assert.deepEqual(seen, []);
    assert.equal(clock.pending, 0);
  });
});
