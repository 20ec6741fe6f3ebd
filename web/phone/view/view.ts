import type { PhoneState } from '../state/phone-state.js';

/** A part of the page: made once, then brought up to date from the state alone. */
export interface View {
  readonly root: HTMLElement;
  update(state: PhoneState, nowMs: number): void;
}
