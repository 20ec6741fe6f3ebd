import assert from 'node:assert/strict';
import { OverloadGate } from '../../../gateway/edge/overload-gate.js';
import { silentLog } from '../../../sip/log.js';
import { createRequest, type SipRequest } from '../../../sip/message/index.js';
import { LateClock } from '../../support/late-clock.js';

function request(method: string, user = 'alice'): SipRequest {
  const headers = [
    ['Via', 'SIP/2.0/WS x.invalid;branch=z9hG4bK1'],
    ['From', `<sip:${user}@localhost>;tag=1`],
    ['To', `<sip:${user}@localhost>`],
    ['Call-ID', '1'],
    ['CSeq', `1 ${method}`],
  ] as const;
  return createRequest({ method, requestUri: 'sip:localhost', headers });
}

describe('the gate for overload at the browser side', () => {
  const stranger = { endpoint: undefined };
  let clock: LateClock;
  let gate: OverloadGate;
  let calling: Set<string>;

  beforeEach(() => {
    clock = new LateClock();
    calling = new Set();
    gate = new OverloadGate({ clock, log: silentLog, callingAors: () => calling });
  });
  afterEach(() => gate.close());

  const overload = (): void => clock.tick(3, 700);

  it('takes everything while the event loop is on time', () => {
    clock.tick(100, 0);
    for (const method of ['INVITE', 'REGISTER', 'MESSAGE'])
      assert.equal(gate.refusal(stranger, request(method)), undefined);
  });

  it('refuses new calls and sign-ins with 503 and Retry-After while it is late, and nothing else', () => {
    overload();
    for (const method of ['INVITE', 'REGISTER']) {
      const refused = gate.refusal(stranger, request(method));
      assert.equal(refused?.status, 503, method);
      assert.match(JSON.stringify(refused.headers), /Retry-After/);
    }
    for (const method of ['MESSAGE', 'OPTIONS', 'CANCEL'])
      assert.equal(gate.refusal(stranger, request(method)), undefined, method);
  });

  it('lets whoever has a call come back to it', () => {
    calling.add('sip:alice@localhost');
    overload();
    assert.equal(gate.refusal(stranger, request('REGISTER')), undefined);
    assert.equal(gate.refusal(stranger, request('REGISTER', 'bob'))?.code, 'gateway.overload');
  });

  it('takes everything again once the event loop has caught up', () => {
    overload();
    clock.tick(20, 0);
    assert.equal(gate.refusal(stranger, request('INVITE')), undefined);
  });
});
