/** What one event does in one state: the next state and the actions, in order. */
export interface Row<State extends string, Action extends string> {
  readonly to: State;
  readonly actions: readonly Action[];
}

/** state × event → row. An event without a row is ignored in that state. */
export type StateTable<State extends string, Event extends string, Action extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Event, Row<State, Action>>>>>
>;

/** One row of a {@link StateTable}. */
export function row<State extends string, Action extends string>(
  to: State,
  ...actions: Action[]
): Row<State, Action> {
  return { to, actions };
}
