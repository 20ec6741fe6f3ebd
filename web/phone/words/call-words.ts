import type { CallState } from '../state/call-state.js';

/** How long a call has lasted: `0:07`, `12:30`, `1:02:03`. */
export function duration(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const seconds = String(total % 60).padStart(2, '0');
  const minutes = Math.floor(total / 60) % 60;
  const hours = Math.floor(total / 3600);
  return hours === 0 ? `${minutes}:${seconds}` : `${hours}:${String(minutes).padStart(2, '0')}:${seconds}`;
}

function establishedWords(call: CallState): string {
  switch (call.hold) {
    case 'holding':
      return 'Putting on hold…';
    case 'held':
      return 'On hold';
    case 'resuming':
      return 'Resuming…';
    case 'none':
      break;
  }
  if (call.sound === 'lost') return 'No sound: the network path broke';
  if (call.heldByOther) return 'The other side put you on hold';
  if (call.sound === 'connecting' || call.sound === 'none') return 'Connecting the sound…';
  return call.muted ? 'In call, muted' : 'In call';
}

/** Where a call stands, in a few words. */
export function callWords(call: CallState): string {
  switch (call.phase) {
    case 'calling':
      return 'Calling…';
    case 'ringing':
      return 'Ringing…';
    case 'incoming':
      return 'Incoming call';
    case 'answering':
      return 'Answering…';
    case 'established':
      return establishedWords(call);
  }
}
