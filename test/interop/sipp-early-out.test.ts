import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { callsToSipp, type FlowOut } from '../support/sipp/describe-flows.js';
import type { Make } from '../support/sipp/flow-lab.js';
import { bye } from '../support/sipp/in-dialog-flows.js';
import { answer, call, isHungUp, isRefused } from '../support/sipp/made-calls.js';
import { sippSdp, type Extras, type Pattern, type Script } from '../support/sipp/script.js';
import { sdp } from '../support/sip-peer.js';
import {
  statusOf,
  type SrfApp,
  type SrfDialog,
  type SrfMessage,
  type SrfRequest,
  type SrfResponse,
} from '../support/srf-app.js';

/** Calls, and cancels when a response with that status has come, or as soon as the INVITE is sent. */
const cancelsAt =
  (status: number | 'sent', ends: (outcome: Promise<SrfDialog>) => Promise<unknown>): Make =>
  async (app, uri) => {
    let invite: SrfRequest | undefined;
    const cancel = (): void => invite?.cancel({}, () => undefined);
    const options = { localSdp: sdp(7000), headers: { Supported: '100rel' } };
    const outcome = app.createUAC(uri, options, {
      cbRequest: (_error, request) => {
        invite = request;
        if (status === 'sent') cancel();
      },
      cbProvisional: (response) => {
        if (response.status === status) cancel();
      },
    });
    await ends(outcome);
  };

const isTerminated = (outcome: Promise<SrfDialog>): Promise<void> =>
  assert.rejects(outcome, (error) => statusOf(error) === 487);

/** A call that was answered all the same, and that the engine ends. */
const isEnded = async (outcome: Promise<SrfDialog>): Promise<unknown> => once(await outcome, 'destroy');

const reliably = (rseq: number): Extras => ({ headers: ['Require: 100rel', `RSeq: ${rseq}`], ...answer });
const rack = (rseq: number): readonly Pattern[] => [['RAck', `${rseq} [0-9]+ INVITE`]];
const knows100rel = { headers: { Supported: '100rel' } };

const early: readonly FlowOut[] = [
  {
    name: 'two reliable provisional responses are acknowledged',
    play: (callee) => {
      callee.takes('INVITE').answers('INVITE', 100).answers('INVITE', 183, reliably(7));
      callee.takes('PRACK', rack(7)).answers('PRACK', 200).answers('INVITE', 180, reliably(8));
      bye(callee.takes('PRACK', rack(8)).answers('PRACK', 200).answers('INVITE', 200, answer).takes('ACK'));
    },
    make: isHungUp(knows100rel),
  },
  {
    name: 'PRACK is lost',
    play: (callee) => {
      callee
        .takes('INVITE')
        .answers('INVITE', 183, reliably(7))
        .takes('PRACK', rack(7))
        .takes('PRACK', rack(7));
      bye(callee.answers('PRACK', 200).answers('INVITE', 200, answer).takes('ACK'));
    },
    make: isHungUp(knows100rel),
    only: 'udp',
    needsTime: true,
  },
  {
    name: 'a reliable provisional response comes again after its PRACK',
    play: (callee) => {
      callee
        .takes('INVITE')
        .answers('INVITE', 183, reliably(7))
        .takes('PRACK', rack(7))
        .answers('PRACK', 200);
      bye(callee.answers('INVITE', 183, reliably(7)).pause(40).answers('INVITE', 200, answer).takes('ACK'));
    },
    make: isHungUp(knows100rel),
  },
  {
    name: 'the callee updates the session before its answer',
    play: (callee) => {
      callee
        .takes('INVITE')
        .answers('INVITE', 180)
        .sends('UPDATE', 9, { body: sippSdp(6002) });
      bye(callee.gets(200, 'UPDATE').answers('INVITE', 200, answer).takes('ACK'));
    },
    make: isHungUp(),
  },
  {
    name: 'the application updates the session before the answer',
    play: (callee) => {
      callee
        .takes('INVITE')
        .answers('INVITE', 183, reliably(7))
        .takes('PRACK', rack(7))
        .answers('PRACK', 200);
      callee.answers('INVITE', 180);
      callee.takes('UPDATE').answers('UPDATE', 200, answer);
      bye(callee.answers('INVITE', 200, answer).takes('ACK'));
    },
    make: async (app, uri) => {
      let updated: Promise<number> | undefined;
      const options = { localSdp: sdp(7000), ...knows100rel };
      const outcome = app.createUAC(uri, options, {
        cbProvisional: (response) => {
          if (response.status === 180) updated = update(app, uri, response);
        },
      });
      const destroyed = once(await outcome, 'destroy');
      assert.equal(await updated, 200);
      await destroyed;
    },
  },
  {
    name: 'two forks ring, and both answer',
    play: (callee) => {
      callee.takes('INVITE').answers('INVITE', 180, { toTag: 'a' }).answers('INVITE', 183, { toTag: 'b' });
      callee.answers('INVITE', 200, { ...answer, toTag: 'b' }).takes('ACK', [['To', 'tag=b']]);
      callee.answers('INVITE', 200, { ...answer, toTag: 'a' }).takes('ACK', [['To', 'tag=a']]);
      callee.takes('BYE', [['To', 'tag=a']]).answers('BYE', 200);
      // The ACK of the second fork is lost.
      callee.answers('INVITE', 200, { ...answer, toTag: 'a' }).takes('ACK', [['To', 'tag=a']]);
      callee.sends('BYE', 20, { fromTag: 'b' }).gets(200, 'BYE');
    },
    make: isHungUp(),
  },
  {
    name: 'three forks ring, and all are refused',
    play: (callee) => {
      callee.takes('INVITE');
      for (const toTag of ['a', 'b', 'c']) callee.answers('INVITE', 180, { toTag });
      callee.answers('INVITE', 486, { toTag: 'b' }).takes('ACK', [['To', 'tag=b']]);
    },
    make: isRefused(486),
  },
  {
    name: 'two forks ring reliably, and one answers',
    play: (callee) => {
      callee.takes('INVITE').answers('INVITE', 183, { ...reliably(7), toTag: 'a' });
      callee.takes('PRACK', [...rack(7), ['To', 'tag=a']]).answers('PRACK', 200);
      callee.answers('INVITE', 183, { ...reliably(4), toTag: 'b' });
      callee.takes('PRACK', [...rack(4), ['To', 'tag=b']]).answers('PRACK', 200);
      callee.answers('INVITE', 200, { ...answer, toTag: 'a' }).takes('ACK', [['To', 'tag=a']]);
      callee.takes('BYE', [['To', 'tag=a']]).answers('BYE', 200);
    },
    make: async (app, uri) => void (await (await call(app, uri, knows100rel)).destroy()),
  },
];

/** Sends UPDATE in the early dialog of a response; its status. */
function update(app: SrfApp, uri: string, response: SrfResponse): Promise<number> {
  const { stackDialogId } = response as SrfMessage as SrfRequest;
  return new Promise((resolve, reject) => {
    app.request(uri, { method: 'UPDATE', stackDialogId, body: sdp(7002) }, (error, sent) => {
      if (error !== null) return reject(error);
      sent.once('response', ({ status }: SrfResponse) => resolve(status));
    });
  });
}

/** The callee's part from CANCEL to the end. */
const cancelled = (callee: Script): Script =>
  callee.takes('CANCEL').answers('CANCEL', 200).answers('INVITE', 487).takes('ACK');

const cancels: readonly FlowOut[] = [
  {
    name: 'CANCEL waits for the first provisional response',
    play: (callee) => cancelled(callee.takes('INVITE').pause(150).answers('INVITE', 100)),
    make: cancelsAt('sent', isTerminated),
  },
  {
    name: 'CANCEL waits for the first provisional response, and the call is answered instead',
    play: (callee) => {
      callee.takes('INVITE').pause(150).answers('INVITE', 200, answer).takes('ACK');
      callee.takes('BYE', [['Reason', 'cancel race']]).answers('BYE', 200);
    },
    make: cancelsAt('sent', isEnded),
  },
  {
    name: 'CANCEL waits for the first provisional response, and the call is refused instead',
    play: (callee) => callee.takes('INVITE').pause(150).answers('INVITE', 486).takes('ACK'),
    make: cancelsAt('sent', (outcome) => assert.rejects(outcome, (error) => statusOf(error) === 486)),
  },
  {
    name: 'CANCEL comes while it rings',
    play: (callee) => cancelled(callee.takes('INVITE').answers('INVITE', 100).answers('INVITE', 180)),
    make: cancelsAt(180, isTerminated),
  },
  {
    name: 'CANCEL comes while it rings reliably',
    play: (callee) => {
      callee.takes('INVITE').answers('INVITE', 183, reliably(7)).takes('CANCEL').takes('PRACK', rack(7));
      callee.answers('PRACK', 200).answers('CANCEL', 200).answers('INVITE', 487).takes('ACK');
    },
    make: cancelsAt(183, isTerminated),
  },
  {
    name: 'CANCEL is lost',
    play: (callee) => cancelled(callee.takes('INVITE').answers('INVITE', 180).takes('CANCEL')),
    make: cancelsAt(180, isTerminated),
    only: 'udp',
    needsTime: true,
  },
  {
    name: 'CANCEL crosses the answer',
    play: (callee) => {
      callee.takes('INVITE').answers('INVITE', 180).takes('CANCEL').answers('INVITE', 200, answer);
      callee.takes('ACK').takes('BYE', [['Reason', 'cancel race']]);
      callee.answers('CANCEL', 200).answers('BYE', 200);
    },
    make: cancelsAt(180, isEnded),
  },
  {
    name: 'CANCEL crosses the refusal',
    play: (callee) => {
      callee.takes('INVITE').answers('INVITE', 180).takes('CANCEL');
      callee.answers('INVITE', 486).takes('ACK').answers('CANCEL', 200);
    },
    make: cancelsAt(180, (outcome) => assert.rejects(outcome, (error) => statusOf(error) === 486)),
  },
  {
    name: 'CANCEL is answered, and nothing more comes',
    play: (callee) => callee.takes('INVITE').answers('INVITE', 180).takes('CANCEL').answers('CANCEL', 200),
    make: async (app, uri, giveUp) => {
      const cancelled = cancelsAt(180, isTerminated)(app, uri, giveUp);
      await setTimeout(300);
      giveUp();
      await cancelled;
    },
  },
];

describe('SIPp as callee, before the answer', () => {
  callsToSipp([...early, ...cancels]);
});
