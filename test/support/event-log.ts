/** Events in the order in which they came; a test waits for the next one of a kind. */
export class EventLog<Events extends object> {
  readonly seen: (keyof Events)[] = [];
  readonly #unread: { readonly name: keyof Events; readonly value: Events[keyof Events] }[] = [];
  readonly #waiting: { readonly name: keyof Events; readonly take: (value: never) => void }[] = [];

  push<Name extends keyof Events>(name: Name, value: Events[Name]): void {
    this.seen.push(name);
    const index = this.#waiting.findIndex((waiter) => waiter.name === name);
    if (index < 0) this.#unread.push({ name, value });
    else this.#waiting.splice(index, 1)[0]?.take(value as never);
  }

  /** The next event of that kind that has not been returned yet; waits for it. */
  next<Name extends keyof Events>(name: Name, withinMs = 5000): Promise<Events[Name]> {
    const index = this.#unread.findIndex((event) => event.name === name);
    const found = index < 0 ? undefined : this.#unread.splice(index, 1)[0];
    if (found !== undefined) return Promise.resolve(found.value as Events[Name]);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`no ${String(name)} within ${withinMs} ms; seen: ${this.seen.join(', ')}`));
      }, withinMs);
      this.#waiting.push({
        name,
        take: (value: never) => {
          clearTimeout(timer);
          resolve(value);
        },
      });
    });
  }
}
