import { newTag } from '../../../sip/message/index.js';
import { domain, userName } from '../../bench/target.js';
import { SoakPhone } from '../../soak/soak-phone.js';
import type { SoakDialog } from '../../soak/soak-ua.js';
import { within } from '../within.js';
import type { WsSipClient } from '../ws-sip-client.js';
import type { AbuseField } from './abuse-field.js';
import type { AbuseScenario } from './abuse-scenario.js';
import { freshRequest, invite, offer } from './sip-attacks.js';

const requestsPerSecond = 20;
const premium = `sip:+19005550123@${domain}`;
const newNumbers = 40;
const hungUpWithinMs = 5_000;
const victims = [990, 991] as const;

interface VictimsCall {
  readonly caller: SoakPhone;
  readonly callee: SoakPhone;
  readonly ofCaller: SoakDialog;
  readonly ofCallee: SoakDialog;
}

const stolenDialog: AbuseScenario = {
  name: 'another user, signed in, sends BYE, re-INVITE and REFER with the Call-ID and tags of a call',
  limit: 'a dialog belongs to its endpoint',
  answers: ['481'],
  counters: ['messages_refused_total{code="dialog.unknown"}'],
  logged: ['message.refused'],
  async attack(field) {
    const call = await callOfVictims(field);
    await field.persist(field.address(), field.account(), async (client) => {
      if (!(await field.signIn(client))) return;
      let sent = 0;
      await field.pour(client, requestsPerSecond, () => stolen(client, call.ofCaller, (sent += 1)));
    });
    await call.caller.ua.reinvite(call.ofCaller, 'sendonly');
    await call.caller.ua.hangUp(call.ofCaller);
    await within(hungUpWithinMs, "the BYE to the victim's other side", call.ofCallee.hungUp);
    for (const phone of [call.caller, call.callee]) phone.drop();
  },
};

const foreignFrom: AbuseScenario = {
  name: 'a user calls and writes in the name of others',
  limit: 'From is checked on every request',
  answers: ['403'],
  counters: ['messages_refused_total{code="auth.identity"}'],
  logged: ['message.refused'],
  attack: (field) =>
    field.persist(field.address(), field.account(), async (client) => {
      if (!(await field.signIn(client))) return;
      const from = `From: <sip:${userName(1)}@${domain}>;tag=${newTag()}`;
      let sent = 0;
      await field.pour(client, requestsPerSecond, () =>
        (sent += 1) % 2 === 0
          ? invite(client, `sip:9666@${domain}`, [from])
          : freshRequest(
              client,
              'MESSAGE',
              `sip:${userName(2)}@${domain}`,
              [from, 'Content-Type: text/plain'],
              'x',
            ),
      );
    }),
};

const tollFraud: AbuseScenario = {
  name: `a stolen account calls premium numbers, and ${newNumbers} numbers that it has never called`,
  limit: 'limits.fraud',
  answers: ['403', '486', '503'],
  counters: [
    'calls_failed_total{code="limit.denied_number"}',
    'calls_failed_total{code="limit.new_destinations"}',
  ],
  logged: ['call.ended'],
  attack: (field) =>
    field.persist(field.address(), field.account(), async (client) => {
      if (!(await field.signIn(client))) return;
      let sent = 0;
      await field.pour(client, requestsPerSecond * 2, () => {
        sent += 1;
        return invite(client, sent <= 2 ? premium : `sip:8${1_000_000 + (sent % newNumbers)}@${domain}`);
      });
    }),
};

async function callOfVictims(field: AbuseField): Promise<VictimsCall> {
  const [caller, callee] = victims.map((at) => new SoakPhone(userName(at), field.doors.wsUrl, offer));
  if (caller === undefined || callee === undefined) throw new TypeError('there are two victims');
  await caller.connect();
  await callee.connect();
  const [ofCaller, ofCallee] = await Promise.all([
    caller.ua.call(caller.aor, callee.aor, () => undefined),
    callee.ua.answered(callee.user),
  ]);
  return { caller, callee, ofCaller, ofCallee };
}

function stolen(client: WsSipClient, dialog: SoakDialog, sent: number): string {
  const method = ['BYE', 'INVITE', 'REFER', 'CANCEL'][sent % 4] ?? 'BYE';
  const headers = [`From: ${dialog.local}`, `To: ${dialog.remote}`, `Call-ID: ${dialog.callId}`];
  if (method === 'REFER') headers.push(`Refer-To: <${premium}>`);
  if (method === 'INVITE') headers.push('Content-Type: application/sdp');
  const body = method === 'INVITE' ? offer : '';
  return client.request(method, dialog.target, { headers, body, cseq: method === 'CANCEL' ? 1 : 100 + sent });
}

export const identityAbuse: readonly AbuseScenario[] = [stolenDialog, foreignFrom, tollFraud];
