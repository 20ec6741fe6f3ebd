import { newCallId, newTag } from '../../../sip/message/index.js';
import { domain } from '../../bench/target.js';
import type { AbuseScenario } from './abuse-scenario.js';
import { freshRequest, invite } from './sip-attacks.js';

/** The PBX has nobody at it. */
const nobody = `sip:9666@${domain}`;
const floodPerSecond = 300;
const flowsOfFlood = 4;
const invitesPerSecond = 40;
const callsTried = 12;
const messagesPerSecond = 100;
const flowsOfUser = 6;
/** As many as one flow may send at once. */
const atFirst = 180;

const inviteFloodOfStrangers: AbuseScenario = {
  name: `${floodPerSecond} INVITEs a second on each of ${flowsOfFlood} flows that have not signed in`,
  limit: 'limits.messages_per_second, limits.address_messages_per_second',
  answers: ['401', 'closed 4429'],
  counters: [
    'challenges_total{stale="false"}',
    'flows_closed_total{cause="rate"}',
    'flows_closed_total{cause="address_rate"}',
  ],
  logged: ['flow.closed'],
  attack: (field) =>
    atOnce(flowsOfFlood, () =>
      field.persist(field.address(), field.account(), (client) =>
        field.pour(client, floodPerSecond, () => invite(client, nobody)),
      ),
    ),
};

const inviteFloodOfUser: AbuseScenario = {
  name: `a user places ${invitesPerSecond} calls a second`,
  limit: 'limits.invites_per_minute',
  answers: ['486', '503'],
  counters: ['calls_refused_total{code="limit.invite_rate"}'],
  logged: ['call.refused'],
  attack: (field) =>
    field.persist(field.address(), field.account(), async (client) => {
      if (!(await field.signIn(client))) return;
      await field.pour(client, invitesPerSecond, () => invite(client, nobody));
    }),
};

const callsOfEndpoint: AbuseScenario = {
  name: `a user lets ${callsTried} calls ring at a time`,
  limit: 'limits.calls_per_endpoint',
  answers: ['486'],
  counters: ['calls_refused_total{code="limit.calls"}'],
  logged: ['call.refused'],
  async attack(field) {
    const silent = await field.innocent(field.address(2), field.account(1));
    await field.persist(field.address(), field.account(), async (client) => {
      if (!(await field.signIn(client))) return;
      const calls = Array.from({ length: callsTried }, () => invite(client, silent.aor));
      for (const text of calls) client.send(text);
      await field.end();
      for (const text of calls) client.send(cancelOf(text));
    });
    silent.socket.close();
  },
};

const messageFlood: AbuseScenario = {
  name: `a user sends ${messagesPerSecond} MESSAGE and SUBSCRIBE a second on each of ${flowsOfUser} flows`,
  limit: 'limits.user_messages_per_second',
  answers: ['405', 'closed 4429'],
  counters: [
    'messages_refused_total{code="message.method_not_allowed"}',
    'flows_closed_total{cause="user_rate"}',
  ],
  logged: ['flow.closed'],
  async attack(field) {
    const silent = await field.innocent(field.address(2), field.account(1));
    await atOnce(flowsOfUser, (at) => {
      const identity = {
        ...field.account(),
        instanceId: `<urn:uuid:00000000-0000-4000-8000-00000000000${at}>`,
      };
      return field.persist(field.address(), identity, async (client) => {
        if (!(await field.signIn(client))) return;
        let sent = 0;
        const next = (): string =>
          (sent += 1) % 2 === 0
            ? freshRequest(client, 'MESSAGE', silent.aor, ['Content-Type: text/plain'], 'x'.repeat(1_000))
            : freshRequest(client, 'SUBSCRIBE', silent.aor, ['Event: presence', 'Expires: 3600']);
        while (sent < atFirst) client.send(next());
        await field.pour(client, messagesPerSecond, next);
      });
    });
    silent.socket.close();
  },
};

const ackFlood: AbuseScenario = {
  name: `${floodPerSecond} ACK, CANCEL and responses a second that belong to nothing`,
  limit: 'limits.messages_per_second; no state without a sign-in',
  answers: ['481', 'closed 4429'],
  counters: [
    'messages_dropped_total{cause="ack_unattached"}',
    'messages_dropped_total{cause="response_unattached"}',
    'messages_refused_total{code="dialog.unknown"}',
    'flows_closed_total{cause="rate"}',
  ],
  logged: ['message.dropped', 'message.refused'],
  attack: (field) =>
    field.persist(field.address(), field.account(), async (client) => {
      let sent = 0;
      await field.pour(client, floodPerSecond, () => {
        sent += 1;
        if (sent % 3 === 0) return freshRequest(client, 'ACK', nobody);
        if (sent % 3 === 1) return freshRequest(client, 'CANCEL', nobody);
        return responseToNothing();
      });
    }),
};

/** So many attackers of one kind; resolves when all have ended. */
async function atOnce(count: number, attack: (at: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, at) => attack(at)));
}

function cancelOf(inviteText: string): string {
  const [head = ''] = inviteText.split('\r\n\r\n');
  const lines = head.split('\r\n').filter((line) => !/^Content-/.test(line));
  const text = [...lines, 'Content-Length: 0', '', ''].join('\r\n');
  return text.replace(/^INVITE/, 'CANCEL').replace(/^(CSeq: \d+) INVITE/m, '$1 CANCEL');
}

function responseToNothing(): string {
  return [
    'SIP/2.0 200 OK',
    `Via: SIP/2.0/WS nobody.invalid;branch=z9hG4bK${newTag()}`,
    `From: <sip:a@${domain}>;tag=${newTag()}`,
    `To: <sip:b@${domain}>;tag=${newTag()}`,
    `Call-ID: ${newCallId()}`,
    'CSeq: 1 INVITE',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

export const requestAbuse: readonly AbuseScenario[] = [
  inviteFloodOfStrangers,
  inviteFloodOfUser,
  callsOfEndpoint,
  messageFlood,
  ackFlood,
];
