import assert from 'node:assert/strict';
import type { Location } from '../../../gateway/location/location.js';
import { MemoryLocation } from '../../../gateway/location/memory-location.js';
import { Registrar, type RegisterResult } from '../../../gateway/registrar/registrar.js';
import { createRequest, parseNameAddr, type SipResponse } from '../../../sip/message/index.js';
import { FakeClock } from '../../support/fake-clock.js';

const aor = 'sip:alice@localhost';
const instance = '+sip.instance="<urn:uuid:1>"';

interface Asked {
  readonly contacts?: readonly string[];
  readonly expires?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly headers?: readonly (readonly [string, string])[];
  readonly endpointId?: string;
}

describe('Registrar', () => {
  let clock: FakeClock;
  let location: MemoryLocation;
  let registrar: Registrar;
  let seen: string[];
  let cseq: number;

  const limits = {
    minExpiresSeconds: 60,
    maxExpiresSeconds: 3_600,
    defaultExpiresSeconds: 600,
    maxBindingsPerAor: 3,
  };

  const make = (of: Location): Registrar =>
    new Registrar({
      location: of,
      clock,
      limits,
      flowTimerSeconds: 50,
      events: {
        registered: ({ contactUri, refreshed }) =>
          seen.push(`${refreshed ? 'refreshed' : 'registered'} ${contactUri}`),
        unregistered: ({ contactUri, cause }) => seen.push(`unregistered ${contactUri} ${cause}`),
      },
    });

  beforeEach(() => {
    clock = new FakeClock();
    location = new MemoryLocation({ clock, expired: () => undefined });
    seen = [];
    cseq = 0;
    registrar = make(location);
  });

  afterEach(() => location.close());

  const ask = (asked: Asked): ReturnType<Registrar['register']> => {
    const {
      contacts = ['<sip:a@1.invalid>'],
      expires,
      callId = 'x',
      endpointId = 'e_1',
      headers = [],
    } = asked;
    cseq = asked.cseq ?? cseq + 1;
    const request = createRequest({
      method: 'REGISTER',
      requestUri: 'sip:localhost',
      headers: [
        ['Via', 'SIP/2.0/WS x.invalid;branch=z9hG4bK1'],
        ['From', `<${aor}>;tag=1`],
        ['To', `<${aor}>`],
        ['Call-ID', callId],
        ['CSeq', `${cseq} REGISTER`],
        ...contacts.map((contact) => ['Contact', contact] as const),
        ...(expires === undefined ? [] : [['Expires', expires] as const]),
        ...headers,
      ],
    });
    return registrar.register(request, { aor, endpointId, flowId: 'f_1' });
  };

  const register = (asked: Asked = {}): SipResponse => {
    const result = ask(asked);
    assert.ok(!(result instanceof Promise), 'a location in memory needs no promise');
    return result.response;
  };

  /** URI and expiry of each Contact of a response. */
  const listed = (response: SipResponse): string[] =>
    response.headers.getAll('contact').map((value) => {
      const uri = /<([^>]+)>/.exec(value)?.[1] ?? '';
      return `${uri} ${parseNameAddr(value)?.params.get('expires') ?? ''}`;
    });

  it('lists every binding with its own expiry (§10.3 step 8)', () => {
    register({ contacts: ['<sip:a@1.invalid>;expires=100;q=0.5', '<sip:b@2.invalid>'], expires: '200' });
    clock.advance(10_000);
    const response = register({ contacts: [] });
    assert.deepEqual(listed(response), ['sip:a@1.invalid 90', 'sip:b@2.invalid 190']);
    assert.match(response.headers.get('contact') ?? '', /;q=0\.5$/);
    assert.equal(response.headers.get('date'), new Date(clock.nowMs()).toUTCString());
  });

  it('takes the contact expiry before the header, the header before its default', () => {
    assert.deepEqual(listed(register({ contacts: ['<sip:a@1.invalid>;expires=61'], expires: '62' })), [
      'sip:a@1.invalid 61',
    ]);
    assert.deepEqual(listed(register({ expires: '62' })), ['sip:a@1.invalid 62']);
    assert.deepEqual(listed(register()), ['sip:a@1.invalid 600']);
  });

  it('shortens what is too long and takes what it cannot read for an hour', () => {
    for (const expires of ['4294967295', '99999999999999999999', 'soon', '3601']) {
      assert.deepEqual(listed(register({ expires })), ['sip:a@1.invalid 3600'], expires);
    }
  });

  it('answers 423 with Min-Expires and changes nothing when one contact asks for too little', () => {
    const response = register({ contacts: ['<sip:a@1.invalid>', '<sip:b@2.invalid>;expires=59'] });
    assert.equal(response.status, 423);
    assert.equal(response.headers.get('min-expires'), '60');
    assert.equal(location.size, 0);
    assert.equal(register({ expires: '60' }).status, 200);
  });

  it('removes one binding with expires=0 and leaves the others', () => {
    register({ contacts: ['<sip:a@1.invalid>', '<sip:b@2.invalid>'] });
    assert.deepEqual(listed(register({ contacts: ['<sip:a@1.invalid>;expires=0'] })), [
      'sip:b@2.invalid 600',
    ]);
    assert.deepEqual(seen.slice(2), ['unregistered sip:a@1.invalid client']);
  });

  it('removes all for a lone Contact: * with Expires: 0, and refuses any other star', () => {
    register({ contacts: ['<sip:a@1.invalid>', '<sip:b@2.invalid>'] });
    assert.equal(register({ contacts: ['*'] }).status, 400);
    assert.equal(register({ contacts: ['*'], expires: '1' }).status, 400);
    assert.equal(register({ contacts: ['*', '<sip:a@1.invalid>'], expires: '0' }).status, 400);
    assert.equal(location.size, 2);
    const response = register({ contacts: ['*'], expires: '0', callId: 'another' });
    assert.equal(response.status, 200);
    assert.equal(location.size, 0);
  });

  it('answers 500 to a REGISTER that another of the same Call-ID has overtaken, and changes nothing', () => {
    register({ cseq: 5 });
    assert.equal(register({ cseq: 5, expires: '60' }).status, 500);
    assert.equal(register({ cseq: 4, contacts: ['<sip:a@1.invalid>;expires=0'] }).status, 500);
    assert.equal(register({ cseq: 4, contacts: ['*'], expires: '0' }).status, 500);
    assert.equal(register({ cseq: 4, contacts: ['<sip:new@9.invalid>', '<sip:a@1.invalid>'] }).status, 500);
    assert.equal(location.size, 1);
    assert.equal(register({ cseq: 1, callId: 'restarted' }).status, 200);
    assert.equal(register({ cseq: 2, callId: 'restarted' }).status, 200);
    assert.equal(location.size, 1);
  });

  it('knows a contact in another spelling (§19.1.4)', () => {
    register({ contacts: ['<sip:%61@1.INVALID;transport=ws>'] });
    register({ contacts: ['<sip:a@1.invalid;transport=WS>'] });
    assert.equal(location.size, 1);
    register({ contacts: ['<sip:a@1.invalid;transport=tcp>'] });
    assert.equal(location.size, 2);
  });

  it('replaces the binding of the same instance and reg-id, whatever its contact (RFC 5626 §6)', () => {
    register({ contacts: [`<sip:a@1.invalid>;reg-id=1;${instance}`] });
    register({ contacts: [`<sip:b@2.invalid>;reg-id=2;${instance}`], callId: 'y' });
    assert.equal(location.size, 2);
    const response = register({ contacts: [`<sip:c@3.invalid>;reg-id=1;${instance}`], callId: 'z' });
    assert.deepEqual(listed(response), ['sip:b@2.invalid 600', 'sip:c@3.invalid 600']);
    assert.match(response.headers.getAll('contact')[1] ?? '', /;\+sip\.instance="<urn:uuid:1>";reg-id=1$/);
  });

  it('replaces the binding of a reloaded page that shows its instance without reg-id', () => {
    register({ contacts: [`<sip:a@1.invalid>;${instance}`] });
    register({ contacts: [`<sip:b@2.invalid>;${instance}`], callId: 'y' });
    assert.deepEqual(
      location.find(aor).map(({ contactUri }) => contactUri),
      ['sip:b@2.invalid'],
    );
  });

  it('keeps two contacts of one instance that come in the same request', () => {
    register({ contacts: [`<sip:a@1.invalid>;${instance}`, `<sip:a@1.invalid;transport=tcp>;${instance}`] });
    assert.equal(location.size, 2);
  });

  it('answers 403 to one binding too many but refreshes those there are', () => {
    const contacts = [1, 2, 3].map((n) => `<sip:a@${n}.invalid>`);
    register({ contacts });
    assert.equal(register({ contacts: ['<sip:a@4.invalid>'] }).status, 403);
    assert.equal(location.size, 3);
    assert.equal(register({ contacts }).status, 200);
    assert.equal(register({ contacts: ['<sip:a@1.invalid>;expires=0', '<sip:a@4.invalid>'] }).status, 200);
  });

  it('refuses contacts that no browser is reached by, and instance-ids that would break the header', () => {
    for (const contact of [
      '<tel:+15551230000>',
      '<http://a.example>',
      '<sip:a@1.invalid>;+sip.instance="no brackets"',
      '<sip:a@1.invalid>;+sip.instance="<a\\"b>"',
      '<sip:a@1.invalid>;+sip.instance',
    ]) {
      assert.equal(register({ contacts: [contact] }).status, 400, contact);
    }
    assert.equal(location.size, 0);
  });

  it('keeps Path and gives it back (RFC 3327)', () => {
    const headers = [['Path', '<sip:p1.invalid;lr>,<sip:p2.invalid;lr>']] as const;
    const response = register({ headers });
    assert.deepEqual(response.headers.getAll('path'), ['<sip:p1.invalid;lr>', '<sip:p2.invalid;lr>']);
    assert.deepEqual(location.find(aor)[0]?.path, ['<sip:p1.invalid;lr>', '<sip:p2.invalid;lr>']);
  });

  it('tells Flow-Timer to clients that support outbound, and no others', () => {
    assert.equal(register().headers.has('flow-timer'), false);
    const response = register({ headers: [['Supported', 'path, outbound']] });
    assert.equal(response.headers.get('flow-timer'), '50');
    assert.equal(response.headers.has('require'), false);
    const contacts = [`<sip:a@1.invalid>;reg-id=1;${instance}`];
    assert.equal(register({ contacts, headers: [['k', 'outbound']] }).headers.get('require'), 'outbound');
  });

  it('requires outbound of those alone who have used it, whatever others of the same user do (RFC 5626 §6)', () => {
    const headers = [['Supported', 'path, outbound']] as const;
    const outbound = [`<sip:a@1.invalid>;reg-id=1;${instance}`];
    const plain = { contacts: ['<sip:b@2.invalid>'], callId: 'y', endpointId: 'e_2', headers };
    assert.equal(register({ contacts: outbound, headers }).headers.get('require'), 'outbound');
    assert.equal(register(plain).headers.has('require'), false);
    assert.equal(register({ ...plain, contacts: [] }).headers.has('require'), false);
    assert.equal(register({ contacts: outbound, headers }).headers.get('require'), 'outbound');
  });

  it('takes no notice of a reg-id without an instance-id (RFC 5626 §6)', () => {
    const headers = [['Supported', 'path, outbound']] as const;
    const response = register({ contacts: ['<sip:a@1.invalid>;reg-id=1'], headers });
    assert.equal(response.headers.get('contact'), '<sip:a@1.invalid>;expires=600');
    assert.equal(response.headers.has('require'), false);
    assert.equal(location.find(aor)[0]?.regId, undefined);
  });

  it('says which registrations are new and which were refreshed', () => {
    register();
    register();
    assert.deepEqual(seen, ['registered sip:a@1.invalid', 'refreshed sip:a@1.invalid']);
  });

  it('tells whether the endpoint is bound', () => {
    const bound = (asked: Asked): boolean => (ask(asked) as RegisterResult).bound;
    assert.equal(bound({}), true);
    assert.equal(bound({ contacts: [], endpointId: 'e_2' }), false);
    assert.equal(bound({ contacts: ['<sip:a@1.invalid>;expires=0'] }), false);
  });

  it('waits for a location that answers later', async () => {
    registrar = make({
      size: 0,
      close: () => undefined,
      find: (of) => Promise.resolve(location.find(of)),
      update: async (of, edit) => location.update(of, edit),
    });
    const result = await ask({});
    assert.equal(result.response.status, 200);
    assert.deepEqual(seen, ['registered sip:a@1.invalid']);
  });
});
