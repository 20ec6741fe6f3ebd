type Task = () => Promise<void> | void;

/** Runs tasks one after the other, each to its end, in the order in which they were pushed. */
export class SerialQueue {
  readonly #tasks: Task[] = [];
  #running = false;

  /** `onDefect` hears of a task that threw; the next task runs all the same. */
  constructor(private readonly onDefect: (thrown: unknown) => void) {}

  push(task: Task): void {
    this.#tasks.push(task);
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) {
      try {
        await task();
      } catch (thrown) {
        this.onDefect(thrown);
      }
    }
    this.#running = false;
  }
}
