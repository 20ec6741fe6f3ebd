/** A value that is there already (in memory) or comes later (from another process). */
export type Awaitable<T> = T | Promise<T>;

/** Calls `act` with the value; in the same turn when the value is there already. */
export function whenReady<T, R>(value: Awaitable<T>, act: (value: T) => Awaitable<R>): Awaitable<R> {
  return value instanceof Promise ? value.then(act) : act(value);
}
