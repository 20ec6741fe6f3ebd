import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { callsFromSipp, type FlowIn } from '../support/sipp/describe-flows.js';
import type { Take, TakenCall } from '../support/sipp/flow-lab.js';
import { bye } from '../support/sipp/in-dialog-flows.js';
import { sippSdp, type Pattern, type Script } from '../support/sipp/script.js';
import { answered, answers, refuses, rings } from '../support/sipp/taken-calls.js';
import { sdp } from '../support/sip-peer.js';
import type { SrfMessage, SrfRequest, SrfResponse } from '../support/srf-app.js';

const branch = 'z9hG4bK-other-[pid]-[call_number]';
const knows100rel = { headers: ['Supported: 100rel'] };
const reliable: readonly Pattern[] = [['RSeq', '[0-9]+']];
const acknowledgesProgress = { headers: ['RAck:[$rseq] 1 INVITE'] };

/** Sends a reliable provisional response; done when it is acknowledged. */
const progress = (response: SrfResponse, status: number): Promise<SrfMessage> =>
  new Promise((resolve) => {
    response.send(
      status,
      { headers: { Require: '100rel' }, body: sdp(8000) },
      () => undefined,
      (prack) => resolve(prack),
    );
  });

/** Rings and sees the caller give up. */
const isCancelled: Take = async ({ request, response }) => {
  const cancelled = once(request, 'cancel');
  response.send(180);
  await cancelled;
};

const reliably: readonly FlowIn[] = [
  {
    name: 'two reliable provisional responses are acknowledged one after the other',
    play: (caller) => {
      caller.invite(1, knows100rel).gets(100);
      caller.gets(183, 'INVITE', reliable).sends('PRACK', 2, acknowledgesProgress).gets(200, 'PRACK');
      caller.gets(180, 'INVITE', reliable).sends('PRACK', 3, acknowledgesProgress).gets(200, 'PRACK');
      bye(answered(caller));
    },
    take: async (call) => {
      await progress(call.response, 183);
      await progress(call.response, 180);
      await answers(call);
    },
  },
  {
    name: 'two reliable provisional responses are lost',
    play: (caller) => {
      caller.invite(1, knows100rel).gets(100).gets(183, 'INVITE', reliable).gets(183, 'INVITE', reliable);
      caller.gets(183, 'INVITE', reliable).sends('PRACK', 2, acknowledgesProgress).gets(200, 'PRACK');
      bye(answered(caller));
    },
    take: async (call) => {
      await progress(call.response, 183);
      await answers(call);
    },
    needsTime: true,
  },
  {
    name: 'the answer to PRACK is lost',
    play: (caller) => {
      const prack = { ...acknowledgesProgress, branch };
      caller.invite(1, knows100rel).gets(100).gets(183, 'INVITE', reliable);
      caller.sends('PRACK', 2, prack).gets(200, 'PRACK').sends('PRACK', 2, prack).gets(200, 'PRACK');
      bye(answered(caller));
    },
    take: async (call) => {
      await progress(call.response, 183);
      await setTimeout(300);
      await answers(call);
    },
    only: 'udp',
  },
  {
    name: 'a PRACK of something else is refused',
    play: (caller) => {
      caller.invite(1, knows100rel).gets(100).gets(183, 'INVITE', reliable);
      caller.sends('PRACK', 2, { headers: ['RAck: 1 7 INVITE'] }).gets(481, 'PRACK');
      caller.sends('PRACK', 3, acknowledgesProgress).gets(200, 'PRACK');
      bye(answered(caller), 20);
    },
    take: async (call) => {
      await progress(call.response, 183);
      await answers(call);
    },
  },
  {
    name: 'a reliable provisional response is never acknowledged',
    play: (caller) => caller.invite(1, knows100rel).gets(100).gets(183).skips(183).gets(504).ackFailure(),
    take: async ({ request, response, giveUp }) => {
      const cancelled = once(request, 'cancel');
      response.send(183, { headers: { Require: '100rel' }, body: sdp(8000) }, giveUp);
      await cancelled;
    },
  },
  {
    name: 'the caller updates the session before the answer',
    play: (caller) => {
      caller.invite(1, knows100rel).gets(100).gets(183, 'INVITE', reliable);
      caller.sends('PRACK', 2, acknowledgesProgress).gets(200, 'PRACK');
      caller.sends('UPDATE', 3, { body: sippSdp(6002) }).gets(200, 'UPDATE');
      bye(answered(caller));
    },
    take: async (call) => {
      const updated = new Promise<void>((resolve) => {
        call.request.once('update', (request: SrfRequest, response: SrfResponse) => {
          assert.match(request.body, /m=audio 6002/);
          response.send(200, { body: sdp(8002), headers: { 'Content-Type': 'application/sdp' } });
          resolve();
        });
      });
      await progress(call.response, 183);
      await updated;
      await answers(call);
    },
  },
  {
    name: 'the application updates the session before the answer',
    play: (caller) => {
      caller.invite(1, knows100rel).gets(100).gets(183, 'INVITE', reliable);
      caller.sends('PRACK', 2, acknowledgesProgress).gets(200, 'PRACK');
      caller.takes('UPDATE').answers('UPDATE', 200, { body: sippSdp(6004) });
      bye(answered(caller));
    },
    take: async (call) => {
      const prack = await progress(call.response, 183);
      await update(call, prack);
      await answers(call);
    },
  },
];

/** Sends UPDATE in the early dialog that the PRACK came in. */
function update({ app, request }: TakenCall, prack: SrfMessage): Promise<void> {
  const { stackDialogId } = prack as SrfRequest;
  return new Promise((resolve, reject) => {
    app.request(request.uri, { method: 'UPDATE', stackDialogId, body: sdp(8004) }, (error, sent) => {
      if (error !== null) return reject(error);
      sent.on('response', ({ status, body }: SrfResponse) => {
        if (status === 200 && body.includes('m=audio 6004')) resolve();
        else reject(new Error(`UPDATE: ${status}`));
      });
    });
  });
}

/** The caller's part from CANCEL to the end. */
const cancelled = (caller: Script): Script => caller.cancel().gets(200, 'CANCEL').gets(487).ackFailure();

/** Sees the caller give up after a reliable provisional response. */
const isCancelledReliably: Take = async ({ request, response }) => {
  const ended = once(request, 'cancel');
  void progress(response, 183);
  await ended;
};

const cancels: readonly FlowIn[] = [
  {
    name: 'CANCEL comes after 100',
    play: (caller) => cancelled(caller.invite().gets(100)),
    take: async ({ request }) => void (await once(request, 'cancel')),
  },
  {
    name: 'CANCEL comes while it rings',
    play: (caller) => cancelled(caller.invite().gets(100).gets(180)),
    take: isCancelled,
  },
  {
    name: 'CANCEL comes instead of PRACK',
    play: (caller) => cancelled(caller.invite(1, knows100rel).gets(100).gets(183)),
    take: isCancelledReliably,
  },
  {
    name: 'CANCEL comes after PRACK',
    play: (caller) => {
      caller.invite(1, knows100rel).gets(100).gets(183, 'INVITE', reliable);
      cancelled(caller.sends('PRACK', 2, acknowledgesProgress).gets(200, 'PRACK'));
    },
    take: isCancelledReliably,
  },
  {
    name: 'CANCEL comes again, because its answer was lost',
    play: (caller) => {
      caller.invite().gets(100).gets(180).cancel().gets(200, 'CANCEL').gets(487);
      caller.cancel().gets(200, 'CANCEL').ackFailure();
    },
    take: isCancelled,
    only: 'udp',
  },
  {
    name: 'CANCEL crosses the answer',
    play: (caller) => {
      caller.invite().gets(100).gets(180).gets(200).cancel().gets(200, 'CANCEL');
      bye(caller.sends('ACK', 1));
    },
    take: rings,
  },
  {
    name: 'CANCEL crosses the refusal',
    play: (caller) => caller.invite().gets(100).gets(486).cancel().gets(200, 'CANCEL').ackFailure(),
    take: refuses(486),
  },
  {
    name: 'CANCEL belongs to nothing',
    play: (caller) => caller.cancel().gets(481, 'CANCEL'),
    take: () => Promise.reject(new Error('no call')),
  },
  {
    name: 'BYE comes before the answer',
    play: (caller) => {
      caller.invite(1, knows100rel).gets(100).gets(183, 'INVITE', reliable);
      caller.sends('BYE', 2).gets(200, 'BYE').gets(487).ackFailure();
    },
    take: isCancelledReliably,
  },
];

describe('SIPp as caller, before the answer', () => {
  callsFromSipp([...reliably, ...cancels]);
});
