import assert from 'node:assert/strict';
import {
  callTransitions,
  type CallActions,
  type CallEventName,
  type CallState,
} from '../../../gateway/call/call-transitions.js';

const states: readonly CallState[] = [
  'routing',
  'inviting',
  'ringing',
  'answering',
  'established',
  'ending',
  'ended',
];

/** The whole table once more, as a reader would say it: event, state → state, action. */
const expected: Record<CallEventName, Partial<Record<CallState, [CallState, keyof CallActions]>>> = {
  routed: { routing: ['inviting', 'inviteStage'] },
  unroutable: {
    routing: ['ending', 'refuseCaller'],
    inviting: ['ending', 'refuseCaller'],
    ringing: ['ending', 'refuseCaller'],
  },
  progress: { inviting: ['ringing', 'relayProgress'], ringing: ['ringing', 'relayProgress'] },
  answered: {
    inviting: ['answering', 'answerCaller'],
    ringing: ['answering', 'answerCaller'],
    answering: ['answering', 'releaseExtra'],
    established: ['established', 'releaseExtra'],
    ending: ['ending', 'releaseExtra'],
  },
  refused: {
    inviting: ['inviting', 'noteRefusal'],
    ringing: ['ringing', 'noteRefusal'],
    answering: ['answering', 'note'],
    established: ['established', 'note'],
    ending: ['ending', 'note'],
  },
  acknowledged: { answering: ['established', 'establish'] },
  callerGone: {
    routing: ['ending', 'endForCaller'],
    inviting: ['ending', 'endForCaller'],
    ringing: ['ending', 'endForCaller'],
    answering: ['ending', 'endForCaller'],
    established: ['ending', 'endForCaller'],
    ending: ['ending', 'note'],
  },
  calleeGone: {
    answering: ['ending', 'endForCallee'],
    established: ['ending', 'endForCallee'],
    ending: ['ending', 'note'],
  },
  reoffer: {
    routing: ['routing', 'refuseReoffer'],
    inviting: ['inviting', 'refuseReoffer'],
    ringing: ['ringing', 'negotiateEarly'],
    answering: ['answering', 'deferReoffer'],
    established: ['established', 'negotiate'],
    ending: ['ending', 'refuseReoffer'],
  },
  request: {
    routing: ['routing', 'refuseRequest'],
    inviting: ['inviting', 'forwardRequest'],
    ringing: ['ringing', 'forwardRequest'],
    answering: ['answering', 'forwardRequest'],
    established: ['established', 'forwardRequest'],
    ending: ['ending', 'refuseRequest'],
  },
  cut: {
    routing: ['ending', 'endBoth'],
    inviting: ['ending', 'endBoth'],
    ringing: ['ending', 'endBoth'],
    answering: ['ending', 'endBoth'],
    established: ['ending', 'endBoth'],
  },
  settled: { ending: ['ended', 'finish'] },
};

/** Runs a row's action against a call that only notes the name of what it is asked to do. */
function actionOf(event: CallEventName, state: CallState): string | undefined {
  const called: string[] = [];
  const call = new Proxy({} as CallActions, {
    get: (_target, name) => () => {
      called.push(String(name));
    },
  });
  const row = callTransitions[event][state] as { act(call: CallActions, event: object): unknown } | undefined;
  if (row === undefined) return undefined;
  void row.act(call, {});
  assert.equal(called.length, 1);
  return called[0];
}

describe('the table of a call', () => {
  for (const event of Object.keys(expected) as CallEventName[]) {
    for (const state of states) {
      const row = expected[event][state];
      const title = row === undefined ? 'does nothing' : `goes to ${row[0]} and calls ${row[1]}`;
      it(`${title} on ${event} while ${state}`, () => {
        assert.equal(callTransitions[event][state]?.to, row?.[0]);
        assert.equal(actionOf(event, state), row?.[1]);
      });
    }
  }
});
