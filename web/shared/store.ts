/** The one place of a page's state: events go in through `dispatch`, views read `state` when told that it changed. */
export interface Store<State, Event> {
  readonly state: State;
  dispatch(event: Event): void;
  /** Calls the listener after each change; the returned function ends that. */
  subscribe(listener: (state: State) => void): () => void;
}

/** Makes a store around a pure reducer. An event that a listener dispatches is applied after the running one. */
export function createStore<State, Event>(
  reduce: (state: State, event: Event) => State,
  initial: State,
): Store<State, Event> {
  let state = initial;
  let busy = false;
  const queue: Event[] = [];
  const listeners = new Set<(state: State) => void>();

  const apply = (event: Event): void => {
    const next = reduce(state, event);
    if (next === state) return;
    state = next;
    for (const listener of listeners) listener(state);
  };

  return {
    get state() {
      return state;
    },
    dispatch(event) {
      queue.push(event);
      if (busy) return;
      busy = true;
      try {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) apply(next);
      } finally {
        busy = false;
      }
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
