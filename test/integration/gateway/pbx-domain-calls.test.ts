import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cdr } from '../../../gateway/call/call-record.js';
import type { SipRequest } from '../../../sip/message/index.js';
import { idle } from '../../support/idle.js';
import { extension, officeOptions, pbxDomain, PbxDomainRig } from '../../support/pbx-domain-rig.js';
import { sdp } from '../../support/sip-peer.js';
import { acknowledge, answer, inDialog, nextRequest } from '../../support/ws-call.js';

const colleague = `sip:1002@${pbxDomain}`;
const typed = 'Content-Type: application/sdp';

/** Header fields by which a browser could claim to be somebody else. */
const forged = [
  'P-Asserted-Identity: <sip:boss@bank.example>',
  'P-Preferred-Identity: <sip:boss@bank.example>',
  'Remote-Party-ID: "Boss" <sip:boss@bank.example>;party=calling;screen=yes',
  'Diversion: <sip:boss@bank.example>;reason=unconditional',
  'History-Info: <sip:boss@bank.example>;index=1',
  'P-Charging-Vector: icid-value=boss',
  'Referred-By: <sip:boss@bank.example>',
  'X-Account: boss',
];

describe('calls of a domain whose PBX knows the passwords', () => {
  let folder: string;
  let rig: PbxDomainRig;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-'));
  });

  after(() => rm(folder, { recursive: true }));

  beforeEach(async () => {
    const limits = { channels: 1, cps: 1 };
    const cdrFile = join(folder, 'cdr.ndjson');
    rig = await PbxDomainRig.start(['127.0.0.2'], (uris) => officeOptions(uris, { limits }, { cdrFile }));
    assert.equal((await rig.browser.register()).status, 200);
  });

  afterEach(() => rig.close());

  const answersAll = (): void => {
    const { pbx } = rig;
    pbx.onRequest = (request) => {
      const headers = [`Contact: <sip:1002@127.0.0.2:${pbx.peer.port}>`, 'Expires: 60'];
      const body = request.method === 'INVITE' ? { body: sdp(7002) } : {};
      pbx.peer.respond(request, 200, 'OK', { headers, ...body });
    };
  };

  it('are one call, with one record and one channel, although the PBX challenges the first INVITE', async () => {
    answersAll();
    const answered = await rig.ask('INVITE', colleague, [typed], sdp(7000));
    assert.equal(answered.status, 200);
    acknowledge(rig.browser, answered);
    assert.equal((await rig.browser.transact(inDialog(rig.browser, 'BYE', answered))).status, 200);
    await idle(rig.gateway, ['calls', 'cdr_waiting']);
    const lines = (await readFile(join(folder, 'cdr.ndjson'), 'utf8')).trimEnd().split('\n');
    const [cdr, ...others] = lines.map((line) => JSON.parse(line) as Cdr);
    assert.deepEqual(others, []);
    assert.equal(cdr?.termination.code, 'call.completed');
    assert.equal(cdr.route, 'pbx domain');
    assert.equal(cdr.attempts.length, 1);
    const events = rig.gateway.lines.map(({ event }) => event);
    assert.equal(events.filter((event) => event === 'call.challenged').length, 1);
    assert.equal(events.filter((event) => event === 'call.ended').length, 1);
  });

  it('carry nothing to the PBX that the browser forges, whatever the method', async () => {
    answersAll();
    const answered = await rig.ask('INVITE', colleague, [typed, ...forged], sdp(7000));
    assert.equal(answered.status, 200);
    const { browser } = rig;
    acknowledge(browser, answered);
    const again = inDialog(browser, 'INVITE', answered, { sdp: sdp(7004), headers: forged });
    const changed = await browser.transact(again);
    assert.equal(changed.status, 200);
    acknowledge(browser, changed);
    const info = inDialog(browser, 'INFO', answered, { headers: forged });
    assert.equal((await browser.transact(info)).status, 200);
    const bye = inDialog(browser, 'BYE', answered, { headers: forged });
    assert.equal((await browser.transact(bye)).status, 200);
    for (const [method, ...headers] of [
      ['MESSAGE', 'Content-Type: text/plain'],
      ['PUBLISH', 'Event: presence', 'Content-Type: application/pidf+xml'],
      ['SUBSCRIBE', 'Event: presence', 'Content-Type: text/plain'],
    ] as const) {
      const asked = await rig.ask(method, colleague, [...headers, ...forged], 'text');
      assert.equal(asked.status, 200, method);
    }
    assert.equal((await browser.register({ headers: forged })).status, 200);
    const came = rig.pbx.peer.seen.filter((message): message is SipRequest & typeof message => {
      return message.kind === 'request';
    });
    const methods = new Set(came.map(({ method }) => method));
    for (const method of ['REGISTER', 'INVITE', 'ACK', 'INFO', 'BYE', 'MESSAGE', 'PUBLISH', 'SUBSCRIBE']) {
      assert.ok(methods.has(method), method);
    }
    for (const request of came) {
      assert.ok(!request.text.includes('boss'), request.text);
      assert.match(request.headers.get('from') ?? '', /^<sip:1001@pbx\.example>;tag=/);
    }
  });

  it('say nothing in From but the extension, or nobody', async () => {
    answersAll();
    for (const uri of [
      `sip:${extension}@${pbxDomain};cause=302?X-Account=boss`,
      'sip:boss@anonymous.invalid',
    ]) {
      const headers = [`From: "Boss" <${uri}>;tag=t`, 'Content-Type: text/plain'];
      await rig.ask('MESSAGE', colleague, headers, 'text');
    }
    const [, own, , nobody] = rig.pbx.seen('MESSAGE');
    assert.match(own?.headers.get('from') ?? '', /^<sip:1001@pbx\.example>;tag=/);
    assert.match(nobody?.headers.get('from') ?? '', /^"?Anonymous"? <sip:anonymous@anonymous\.invalid>;tag=/);
  });

  it('end with the expiry that the PBX has granted: then the browser neither calls nor is called', async () => {
    const { pbx, browser, gateway } = rig;
    pbx.grantsSeconds = 1;
    assert.match(
      (await browser.register({ expires: 300 })).headers.get('contact') ?? '',
      /;expires=1(?:;|$)/,
    );
    const to = pbx.binding ?? '';
    await idle(gateway, ['bindings', 'pbxContacts']);
    assert.equal((await rig.ask('INVITE', colleague, [typed], sdp(7000))).status, 403);
    pbx.peer.send(pbx.requestText('INVITE', { to, callId: 'expired', headers: [typed], body: sdp(7002) }));
    assert.equal((await pbx.peer.status(480)).callId, 'expired');
  });

  it('of somebody else than the extension are refused', async () => {
    const headers = [`From: <sip:1002@${pbxDomain}>;tag=t`, typed];
    const refused = await rig.ask('INVITE', colleague, headers, sdp(7000));
    assert.equal(refused.status, 403);
    assert.equal(rig.pbx.seen('INVITE').length, 0);
  });

  it('a browser cannot challenge its PBX', async () => {
    const { pbx, browser } = rig;
    const since = browser.received.length;
    const headers = ['Content-Type: text/plain'];
    pbx.peer.send(pbx.requestText('MESSAGE', { callId: 'fished', headers, body: 'x' }));
    const message = await nextRequest(browser, 'MESSAGE', since);
    const challenge = ['WWW-Authenticate', 'Digest realm="the office", nonce="n"'] as const;
    answer(browser, message, 401, { headers: [challenge] });
    const refused = await pbx.peer.status(403, 'MESSAGE');
    assert.equal(refused.headers.has('www-authenticate'), false);
  });
});
