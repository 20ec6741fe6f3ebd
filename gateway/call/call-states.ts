import { toFailure, type SipFailure } from '../../sip/failure.js';
import {
  callTransitions,
  type CallActions,
  type CallEventMap,
  type CallEventName,
  type CallState,
  type CallTransition,
} from './call-transitions.js';
import { SerialQueue } from './serial-queue.js';

export interface CallStatesSurroundings {
  readonly actions: CallActions;
  /** A leg has not reported its end. */
  readonly hasOpenLegs: () => boolean;
  /** Told what is no failure but a mistake of ours. */
  readonly defect: (thrown: unknown) => void;
}

/** The state of one call: whatever happens to it comes one after the other, and the table says what follows (DESIGN §4). */
export class CallStates {
  #state: CallState = 'routing';
  readonly #queue = new SerialQueue((thrown) => this.#broken(thrown));

  constructor(private readonly around: CallStatesSurroundings) {}

  get state(): CallState {
    return this.#state;
  }

  /** Without an event: the call was established in an earlier process, or cannot go on here. */
  jump(to: 'established' | 'ended'): void {
    this.#state = to;
  }

  /** An event that comes after those that have come before. */
  post<Name extends CallEventName>(name: Name, event: CallEventMap[Name]): void {
    this.push(() => this.dispatch(name, event));
  }

  /** A step that comes after what has come before, and dispatches what follows from it. */
  push(step: () => void | Promise<void>): void {
    this.#queue.push(step);
  }

  /** An event that comes now: within a step, or an action. */
  async dispatch<Name extends CallEventName>(name: Name, event: CallEventMap[Name]): Promise<void> {
    const { actions, hasOpenLegs } = this.around;
    const transition: CallTransition<Name> | undefined = callTransitions[name][this.#state];
    if (transition !== undefined) {
      this.#state = transition.to;
      try {
        await transition.act(actions, event);
      } catch (thrown) {
        await this.dispatch('cut', { failure: this.asFailure(thrown) });
      }
    }
    if (this.#state === 'ending' && !hasOpenLegs()) await this.dispatch('settled', {});
  }

  /** What was thrown; a mistake of ours is told. */
  asFailure(thrown: unknown): SipFailure {
    const known = toFailure(thrown);
    if (known !== thrown) this.around.defect(thrown);
    return known;
  }

  #broken(thrown: unknown): void {
    this.around.defect(thrown);
    this.post('cut', { failure: toFailure(thrown) });
  }
}
