import { element, setShown, setText } from '../../shared/dom.js';
import { currentCall, type CallState } from '../state/call-state.js';
import type { PhoneState } from '../state/phone-state.js';
import type { PhoneActions } from './actions.js';
import { textButton } from './buttons.js';
import { createCallControls } from './call-controls.js';
import { createCallIdentity } from './call-identity.js';
import type { View } from './view.js';

/** The call that is being made or spoken: who, how long, and what can be done with it. */
export function createCallPanel(actions: PhoneActions): View {
  let call: CallState | undefined;
  let waiting: CallState | undefined;
  const identity = createCallIdentity();
  const controls = createCallControls(actions);
  const hangUp = textButton(
    'Hang up',
    'hang-up wide',
    () => call !== undefined && actions.hangUp(call.id),
    'handset',
  );
  hangUp.id = 'hang-up';
  const swap = textButton(
    '',
    'quiet wide',
    () => waiting !== undefined && actions.setHeld(waiting.id, false),
  );
  swap.id = 'swap';
  const root = element(
    'section',
    { class: 'call-panel', attributes: { 'aria-label': 'Call' } },
    identity.root,
    controls.digits,
    controls.toggles,
    hangUp,
    swap,
  );

  return {
    root,
    update({ calls, line }: PhoneState, nowMs: number) {
      call = currentCall(calls);
      waiting = calls.list.find((candidate) => candidate.phase === 'established' && candidate !== call);
      setShown(root, call !== undefined && line.phase !== 'signed-out');
      setShown(swap, waiting !== undefined);
      setText(swap, waiting === undefined ? '' : `Switch to ${waiting.party.name}, on hold`);
      controls.show(call);
      if (call === undefined) return;
      const isReachable = line.phase !== 'replaced';
      identity.show(call, nowMs, isReachable);
      root.dataset['phase'] = call.phase;
      root.dataset['sound'] = isReachable ? call.sound : 'lost';
      root.dataset['hold'] = call.hold === 'none' && !call.heldByOther ? 'off' : 'on';
    },
  };
}
