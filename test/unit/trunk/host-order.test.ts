import assert from 'node:assert/strict';
import { chance, chanceOf } from '../../../gateway/trunk/chance.js';
import { hostOrder } from '../../../gateway/trunk/host-order.js';

const host = (name: string, priority: number, weight: number) => ({ name, priority, weight });

describe('the order of hosts', () => {
  it('is that of their priorities, whatever their weights', () => {
    const hosts = [host('c', 30, 1000), host('a', 10, 1), host('b', 20, 500)];
    assert.deepEqual(
      hostOrder(hosts, chance).map(({ name }) => name),
      ['a', 'b', 'c'],
    );
  });

  it('shares calls by weight, within 5 % over 10,000 draws', () => {
    const hosts = [host('a', 10, 70), host('b', 10, 20), host('c', 10, 10)];
    const first = new Map<string, number>();
    for (let draw = 0; draw < 10_000; draw += 1) {
      const [taken] = hostOrder(hosts, chance);
      const name = taken?.name ?? '';
      first.set(name, (first.get(name) ?? 0) + 1);
    }
    for (const { name, weight } of hosts) {
      const share = (first.get(name) ?? 0) / 100;
      assert.ok(Math.abs(share - weight) < 5, `${name} has ${share} % instead of ${weight} %`);
    }
  });

  it('names each host once', () => {
    const hosts = [host('a', 10, 1), host('b', 10, 65_535), host('c', 10, 10)];
    for (const lot of [0, 0.5, 0.999_999]) {
      const names = hostOrder(hosts, () => lot).map(({ name }) => name);
      assert.deepEqual([...names].sort(), ['a', 'b', 'c']);
    }
  });

  it('is the same for one user every time, shares users by weight', () => {
    const hosts = [host('a', 10, 70), host('b', 10, 30), host('c', 20, 10)];
    let first = 0;
    for (let user = 0; user < 1_000; user += 1) {
      const order = hostOrder(hosts, chanceOf(`sip:${user}@pbx.example`)).map(({ name }) => name);
      const again = hostOrder(hosts, chanceOf(`sip:${user}@pbx.example`)).map(({ name }) => name);
      assert.deepEqual(again, order);
      assert.equal(order[2], 'c');
      if (order[0] === 'a') first += 1;
    }
    assert.ok(Math.abs(first - 700) < 50, `${first} of 1000`);
  });
});
