/** What has happened so far, and a way to wait for what has not. */
export class Journal<T> {
  readonly items: T[] = [];
  readonly #waiting = new Set<(item: T) => void>();

  add(item: T): void {
    this.items.push(item);
    for (const tell of this.#waiting) tell(item);
  }

  /** The first item that matches, now or in the future. */
  first(matches: (item: T) => boolean): Promise<T> {
    const known = this.items.find(matches);
    return known === undefined ? this.next(matches) : Promise.resolve(known);
  }

  /** The first item from now on that matches. */
  next(matches: (item: T) => boolean = () => true): Promise<T> {
    return new Promise((resolve) => {
      const tell = (item: T): void => {
        if (!matches(item)) return;
        this.#waiting.delete(tell);
        resolve(item);
      };
      this.#waiting.add(tell);
    });
  }
}
