import { messageTrace, type MessageTrace } from '../../sip/trace.js';

/** Notes the first line of every SIP message while it listens. */
export class WireNotes {
  #lines: string[] = [];

  constructor() {
    messageTrace.subscribe(this.#note);
  }

  /** What was sent and received since the last time. */
  take(): readonly string[] {
    return this.#lines.splice(0);
  }

  close(): void {
    messageTrace.unsubscribe(this.#note);
  }

  readonly #note = (message: unknown): void => {
    const { direction, transport, remote, message: text } = message as MessageTrace;
    if (transport === 'ws' || transport === 'wss') return;
    const [first = ''] = text.split('\r\n', 1);
    const repeated = this.#lines.findIndex(
      (line) => line.includes(first) && line.startsWith(arrow(direction)),
    );
    const line = `${arrow(direction)} ${transport}:${remote}  ${first}`;
    if (repeated < 0) this.#lines.push(line);
    else this.#lines[repeated] = `${line} (repeated)`;
  };
}

const arrow = (direction: 'in' | 'out'): string => (direction === 'out' ? '->' : '<-');
