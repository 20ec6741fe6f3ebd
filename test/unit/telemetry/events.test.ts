import assert from 'node:assert/strict';
import { failure } from '../../../sip/failure.js';
import { createEvents, type Events } from '../../../gateway/telemetry/events.js';
import { createLogger } from '../../../gateway/telemetry/logger.js';
import { Metrics } from '../../../gateway/telemetry/metrics.js';
import { storeOccurrences } from './store-occurrences.js';

const flow = { flowId: 'f_1', remote: '127.0.0.1:5000' };
const termination = {
  result: 'completed',
  code: 'call.completed',
  status: 200,
  reason: 'OK',
  by: 'caller',
} as const;
const refusal = failure('media.not_acceptable', { detail: 'no shared codec' });

/** One call of every event, with the metric that it moves. */
const host = { trunk: 'office', host: 'sip:pbx.test' };

const occurrences: readonly (readonly [metric: string, happen: (events: Events) => void])[] = [
  [
    'webtrunk_flows_opened_total{transport="WSS"} 1',
    (events) => events.flowOpened({ ...flow, transport: 'WSS' }),
  ],
  [
    'webtrunk_flows_closed_total{cause="silent"} 1',
    (events) => events.flowClosed({ ...flow, cause: 'silent', code: 1006, reason: '', openMs: 3 }),
  ],
  [
    'webtrunk_upgrades_refused_total{gate="origin"} 1',
    (events) =>
      events.upgradeRefused({ remote: flow.remote, status: 403, cause: 'origin', detail: 'https://x' }),
  ],
  [
    'webtrunk_connections_cut_total{cause="silent"} 1',
    (events) => events.connectionCut({ remote: flow.remote, cause: 'silent' }),
  ],
  [
    'webtrunk_pages_refused_total{cause="rate"} 1',
    (events) => events.pageRefused({ remote: flow.remote, cause: 'rate', path: '/api/ice-servers' }),
  ],
  [
    'webtrunk_messages_refused_total{code="media.not_acceptable"} 1',
    (events) => events.messageRefused({ ...flow, method: 'INVITE', sipCallId: 'a@b', failure: refusal }),
  ],
  [
    'webtrunk_messages_dropped_total{cause="ack"} 1',
    (events) => events.messageDropped({ ...flow, cause: 'ack', detail: 'no Via' }),
  ],
  [
    'webtrunk_challenges_total{stale="true"} 1',
    (events) => events.challenged({ ...flow, method: 'REGISTER', stale: true }),
  ],
  [
    'webtrunk_registrations_total{kind="new"} 1',
    (events) =>
      events.registered({
        aor: 'sip:alice@localhost',
        endpointId: 'e_1',
        flowId: 'f_1',
        contactUri: 'sip:x@y.invalid',
        expiresSeconds: 600,
        refreshed: false,
      }),
  ],
  [
    'webtrunk_unregistrations_total{cause="expired"} 1',
    (events) =>
      events.unregistered({
        aor: 'sip:alice@localhost',
        endpointId: 'e_1',
        contactUri: 'sip:x@y.invalid',
        cause: 'expired',
      }),
  ],
  [
    'webtrunk_registrations_refused_total{code="media.not_acceptable"} 1',
    (events) => events.registrationRefused({ ...flow, aor: 'sip:alice@localhost', failure: refusal }),
  ],
  [
    'webtrunk_endpoints_resumed_total{from="open_flow"} 1',
    (events) =>
      events.endpointResumed({
        aor: 'sip:alice@localhost',
        endpointId: 'e_1',
        flowId: 'f_1',
        replaced: true,
      }),
  ],
  [
    'webtrunk_endpoints_lost_total 1',
    (events) => events.endpointLost({ aor: 'sip:alice@localhost', endpointId: 'e_1' }),
  ],
  [
    'webtrunk_calls_started_total{side="browser"} 1',
    (events) =>
      events.callStarted({
        callId: 'c_1',
        from: 'sip:alice@localhost',
        dialled: 'sip:600@localhost',
        side: 'browser',
        sipCallId: 'a@b',
      }),
  ],
  [
    'webtrunk_calls_routed_total 1',
    (events) => events.callRouted({ callId: 'c_1', route: 'echo', targets: ['echo sip:127.0.0.1:5090'] }),
  ],
  [
    'webtrunk_call_attempts_total{side="trunk"} 1',
    (events) =>
      events.callAttempt({ callId: 'c_1', legId: 'l_1', target: 'echo sip:127.0.0.1:5090', side: 'trunk' }),
  ],
  ['webtrunk_calls_abandoned_total 1', (events) => events.callAbandoned({ callId: 'c_1', legIds: ['l_2'] })],
  [
    'webtrunk_call_attempts_failed_total{code="media.not_acceptable"} 1',
    (events) =>
      events.callAttemptFailed({
        callId: 'c_1',
        legId: 'l_1',
        target: 'echo sip:127.0.0.1:5090',
        failure: refusal,
        durationMs: 3,
      }),
  ],
  [
    'webtrunk_call_progress_total{kind="early_media"} 1',
    (events) => events.callProgress({ callId: 'c_1', legId: 'l_1', status: 183, earlyMedia: true }),
  ],
  [
    'webtrunk_call_setup_seconds_count 1',
    (events) => events.callAnswered({ callId: 'c_1', legId: 'l_1', target: 'echo', setupMs: 12 }),
  ],
  ['webtrunk_calls_held_total{by="caller"} 1', (events) => events.callHeld({ callId: 'c_1', by: 'caller' })],
  [
    'webtrunk_calls_resumed_total{by="callee"} 1',
    (events) => events.callResumed({ callId: 'c_1', by: 'callee' }),
  ],
  [
    'webtrunk_reoffers_refused_total{code="media.not_acceptable"} 1',
    (events) => events.callReofferRefused({ callId: 'c_1', by: 'callee', failure: refusal }),
  ],
  [
    'webtrunk_calls_ended_total{result="completed"} 1',
    (events) => events.callEnded({ callId: 'c_1', durationMs: 4_000, termination }),
  ],
  [
    'webtrunk_calls_failed_total{code="media.not_acceptable"} 1',
    (events) => events.callEnded({ callId: 'c_1', durationMs: 0, termination, failure: refusal }),
  ],
  [
    'webtrunk_calls_challenged_total 1',
    (events) => {
      const code = 'auth.challenged';
      events.callEnded({ callId: 'c_1', durationMs: 0, termination: { ...termination, code } });
    },
  ],
  [
    'webtrunk_calls_refused_total{code="limit.calls"} 1',
    (events) =>
      events.callRefused({
        callId: 'c_1',
        side: 'browser',
        who: 'sip:alice@localhost',
        sipCallId: 'a@b',
        failure: failure('limit.calls'),
      }),
  ],
  ['webtrunk_media_servers_up 2', (events) => events.mediaServerUp({ instance: '127.0.0.1:2223', up: 2 })],
  [
    'webtrunk_media_server_losses_total 1',
    (events) => events.mediaServerDown({ instance: '127.0.0.1:2223', up: 1, reason: 'silent' }),
  ],
  [
    'webtrunk_media_server_passed_over_total 1',
    (events) => events.mediaServerPassedOver({ instance: '127.0.0.1:2223', reason: 'silent' }),
  ],
  ['webtrunk_media_servers_unavailable_total 1', (events) => events.mediaServersUnavailable()],
  [
    'webtrunk_media_orphans_deleted_total 1',
    (events) => events.mediaOrphansDeleted({ instance: '127.0.0.1:2223', calls: 3 }),
  ],
  [
    'webtrunk_call_tones_lost_total{code="media.not_acceptable"} 1',
    (events) => events.callToneLost({ callId: 'c_1', failure: refusal }),
  ],
  [
    'webtrunk_trickled_candidates_total{outcome="refused"} 1',
    (events) => events.callTrickled({ callId: 'c_1', legId: 'l_1', outcome: 'refused', failure: refusal }),
  ],
  [
    'webtrunk_media_mos_count{side="trunk",engine="relay"} 1',
    (events) =>
      events.callQuality({
        callId: 'c_1',
        engine: 'relay',
        sides: [{ side: 'trunk', codec: 'PCMU', packets: 100, packetLoss: 1, jitterMs: 3, mos: 4.2 }],
      }),
  ],
  ['webtrunk_media_srtp_rejected_total 3', (events) => events.mediaPacketsRejected({ packets: 3 })],
  [
    'webtrunk_media_process_deaths_total 1',
    (events) => events.mediaProcessDied({ pid: 1, reason: 'SIGSEGV', sessions: 2, restartMs: 0 }),
  ],
  [
    'webtrunk_reloads_total 1',
    (events) => events.reloaded({ applied: ['trunks.office'], needsRestart: ['listen.http.port'] }),
  ],
  ['webtrunk_reload_failures_total 1', (events) => events.reloadFailed({ cause: new Error('wrong') })],
  ['webtrunk_cdr_webhook_up 0', (events) => events.cdrWebhookDown({ cause: 'it answers 500', waiting: 3 })],
  ['webtrunk_cdr_webhook_up 1', (events) => events.cdrWebhookUp({ waiting: 0 })],
  ['webtrunk_cdr_rejected_total 1', (events) => events.cdrRejected({ status: 400 })],
  ['webtrunk_started 1', (events) => events.started({ addresses: { http: '127.0.0.1:8080' }, startMs: 120 })],
  ['webtrunk_draining 1', (events) => events.draining({ cause: 'SIGTERM', calls: 2, limitMs: 1_000 })],
  ['webtrunk_started 0', (events) => events.stopped({ cause: 'SIGTERM' })],
  ['webtrunk_engine_up 1', (events) => events.engineUp({ engine: 'embedded', address: '127.0.0.1:9022' })],
  [
    'webtrunk_engine_losses_total 1',
    (events) => events.engineDown({ engine: 'drachtio', address: '127.0.0.1:9022' }),
  ],
  [
    'webtrunk_routing_hook_failures_total{fallback="routes"} 1',
    (events) => events.routingHookFailed({ why: 'no answer in 1000 ms', fallback: 'routes' }),
  ],
  [
    'webtrunk_trunk_host_losses_total 1',
    (events) => events.trunkHostDown({ ...host, answer: '503 Service Unavailable' }),
  ],
  ['webtrunk_trunk_host_losses_total 0', (events) => events.trunkHostUp({ ...host, answer: '200 OK' })],
  [
    'webtrunk_trunk_registrations_total{outcome="taken"} 1',
    (events) => events.trunkRegistered({ ...host, answer: '200 OK', expiresSeconds: 300, isNew: true }),
  ],
  [
    'webtrunk_trunk_registrations_total{outcome="failed"} 1',
    (events) =>
      events.trunkRegistrationFailed({
        ...host,
        answer: '403 Forbidden',
        retryMs: 300_000,
        repeated: false,
      }),
  ],
  [
    'webtrunk_trunk_registrations_total{outcome="taken"} 0',
    (events) => events.trunkUnregistered({ trunk: 'office', answer: '200 OK' }),
  ],
  [
    'webtrunk_trunk_full_total{direction="out"} 1',
    (events) => events.trunkFull({ trunk: 'office', direction: 'out', detail: '30 of 30 channels' }),
  ],
  [
    'webtrunk_trunk_hosts_unresolved_total 1',
    (events) => events.trunkUnresolved({ trunk: 'office', host: 'pbx.test' }),
  ],
  [
    'webtrunk_strangers_total{method="INVITE",transport="udp"} 1',
    (events) =>
      events.strangerTurnedAway({
        remote: '192.0.2.1:5060',
        method: 'INVITE',
        transport: 'udp',
        answer: 'silence',
        reported: true,
      }),
  ],
  ['webtrunk_media_strays_total 7', (events) => events.mediaStrays({ packets: 7 })],
  [
    'webtrunk_http_tokens_refused_total{token="admin"} 1',
    (events) => events.tokenRefused({ remote: flow.remote, token: 'admin' }),
  ],
  [
    'webtrunk_trunk_requests_refused_total{code="message.method_not_allowed"} 1',
    (events) =>
      events.trunkRequestRefused({
        remote: '192.0.2.1',
        method: 'PUBLISH',
        failure: failure('message.method_not_allowed'),
      }),
  ],
  [
    'webtrunk_strangers_persistent_total 1',
    (events) => events.strangerPersists({ address: '192.0.2.1', requests: 12 }),
  ],
  [
    'webtrunk_engine_frames_refused_total 1',
    (events) => events.engineFrameRefused({ sizeBytes: 5000, limitBytes: 4000 }),
  ],
  [
    'webtrunk_left_dialogs_total{outcome="failed"} 1',
    (events) => events.leftDialog({ dialogId: 'a@b;from-tag=c', outcome: 'failed', detail: '408' }),
  ],
  [
    'webtrunk_dialog_journal_failures_total 1',
    (events) => events.dialogJournalFailed({ file: 'x.ndjson', cause: new Error('disk full') }),
  ],
  ['webtrunk_cdr_failures_total 1', (events) => events.cdrFailed({ cause: new Error('disk full') })],
  [
    'webtrunk_defects_total{source="unhandled_rejection"} 1',
    (events) => events.defect({ source: 'unhandled_rejection', error: new Error('oops\nsecond line') }),
  ],
  [
    'webtrunk_jwt_key_fetches_total{result="failed"} 1',
    (events) => events.keysFetched({ url: 'https://id.test/jwks.json', why: '503 Service Unavailable' }),
  ],
  ...storeOccurrences,
];

function observe(format: 'json' | 'pretty') {
  const lines: string[] = [];
  const metrics = new Metrics();
  const log = createLogger({ level: 'debug', format, output: { write: (line) => lines.push(line) } });
  return { lines, metrics, events: createEvents(log, metrics) };
}

describe('events', () => {
  it('has an occurrence of each in this test', () => {
    const { events } = observe('json');
    const seen = new Set<string>();
    const spied = Object.fromEntries(
      Object.keys(events).map((name) => [name, () => seen.add(name)]),
    ) as unknown as Events;
    for (const [, happen] of occurrences) happen(spied);
    assert.deepEqual([...seen].sort(), Object.keys(events).sort());
  });

  for (const [metric, happen] of occurrences) {
    it(`writes one JSON line, one line for people, and moves ${metric}`, async () => {
      for (const format of ['json', 'pretty'] as const) {
        const { lines, metrics, events } = observe(format);
        happen(events);
        assert.equal(lines.length, 1);
        assert.equal(lines[0]?.trimEnd().includes('\n'), false);
        assert.ok((await metrics.text()).split('\n').includes(metric), await metrics.text());
      }
    });
  }

  it('shows every label value from the start', async () => {
    const { metrics } = observe('json');
    const text = await metrics.text();
    assert.match(text, /webtrunk_messages_refused_total\{code="message.malformed"\} 0/);
    assert.match(text, /webtrunk_flows_closed_total\{cause="slow_reader"\} 0/);
  });

  it('says in plain words who calls whom', () => {
    const { lines, events } = observe('pretty');
    events.callStarted({
      callId: 'c_1',
      from: 'sip:alice@localhost',
      dialled: 'sip:600@localhost',
      side: 'browser',
      sipCallId: 'a@b',
    });
    assert.match(
      lines[0] ?? '',
      /^\d\d:\d\d:\d\d\.\d{3} info {2}sip:alice@localhost calls sip:600@localhost {2}callId=c_1 /,
    );
  });

  it('lets no peer write control characters to a terminal', () => {
    const { lines, events } = observe('pretty');
    events.messageDropped({ ...flow, cause: 'malformed', detail: 'x\u001b[2J\r\ny\u202e' });
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /detail=x\\u001b\[2J\\u000d\\u000ay\\u202e\n$/);
  });

  it('shows counts that others keep', async () => {
    const { metrics } = observe('json');
    let refused = 3;
    metrics.watchCounts('unserved_total', 'help', 'cause', () => ({ malformed: 0, refused }));
    assert.match(await metrics.text(), /^webtrunk_unserved_total\{cause="refused"\} 3$/m);
    refused = 5;
    const text = await metrics.text();
    assert.match(text, /^webtrunk_unserved_total\{cause="refused"\} 5$/m);
    assert.match(text, /^webtrunk_unserved_total\{cause="malformed"\} 0$/m);
  });

  it('keeps a gauge of open flows and of calls', async () => {
    const { metrics, events } = observe('json');
    events.flowOpened({ ...flow, transport: 'WS' });
    events.flowOpened({ ...flow, transport: 'WS' });
    events.flowClosed({ ...flow, cause: 'peer', code: 1000, reason: '', openMs: 3 });
    assert.match(await metrics.text(), /^webtrunk_flows_open 1$/m);
  });

  it('shows the sizes of tables whenever somebody looks', async () => {
    const metrics = new Metrics();
    let calls = 3;
    metrics.watchTables(() => ({ calls }));
    assert.match(await metrics.text(), /^webtrunk_table_size\{table="calls"\} 3$/m);
    calls = 0;
    assert.match(await metrics.text(), /^webtrunk_table_size\{table="calls"\} 0$/m);
  });

  it('drops lines below the level', () => {
    const lines: string[] = [];
    const log = createLogger({
      level: 'warn',
      format: 'json',
      output: { write: (line) => lines.push(line) },
    });
    log.info({}, 'quiet');
    log.warn({ callId: 'c_1' }, 'loud');
    assert.equal(lines.length, 1);
    assert.deepEqual(Object.keys(JSON.parse(lines[0] ?? '') as object), ['level', 'time', 'callId', 'msg']);
  });
});
