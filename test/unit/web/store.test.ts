import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { createStore } from '#web/shared/store.js';

describe('the store of a page', () => {
  it('tells its listeners of changes only', () => {
    const store = createStore((state: number, event: number) => Math.max(state, event), 5);
    const seen: number[] = [];
    store.subscribe((state) => seen.push(state));
    for (const event of [3, 7, 7, 9]) store.dispatch(event);
    assert.deepEqual(seen, [7, 9]);
  });

  it('applies what a listener dispatches after the running event, for all listeners', () => {
    const store = createStore((state: string, event: string) => state + event, '');
    const seen: string[] = [];
    store.subscribe((state) => {
      if (state === 'a') store.dispatch('b');
    });
    store.subscribe((state) => seen.push(state));
    store.dispatch('a');
    assert.deepEqual(seen, ['a', 'ab']);
  });

  it('goes on after a listener threw', () => {
    const store = createStore((state: number, event: number) => state + event, 0);
    const stop = store.subscribe(() => {
      throw new Error('listener');
    });
    assert.throws(() => store.dispatch(1), /listener/);
    stop();
    store.dispatch(2);
    assert.equal(store.state, 3);
  });
});
