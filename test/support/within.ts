/** The promise, or a rejection that says what was not so in that time. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let late: NodeJS.Timeout | undefined;
  return Promise.race([
    promise,
    new Promise<never>((_resolve, reject) => {
      late = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms);
    }),
  ]).finally(() => clearTimeout(late));
}
