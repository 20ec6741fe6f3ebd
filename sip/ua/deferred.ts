/** A promise to be settled from outside; one that nobody awaits does no harm when it rejects. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: Error): void;
  /** Settles as `other` does. */
  follow(other: Promise<T>): void;
}

const ignore = (): void => undefined;

export function deferred<T>(): Deferred<T> {
  let resolve: (value: T | PromiseLike<T>) => void = ignore;
  let reject: (reason: Error) => void = ignore;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(ignore);
  return { promise, resolve, reject, follow: resolve };
}

/** A promise already rejected, with the same property. */
export function rejected<T>(reason: Error): Promise<T> {
  const promise = Promise.reject<T>(reason);
  promise.catch(ignore);
  return promise;
}
