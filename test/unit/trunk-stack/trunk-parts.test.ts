import assert from 'node:assert/strict';
import { BackOff } from '../../../sip/trunk/back-off.js';
import { EngineAddresses } from '../../../sip/trunk/engine-addresses.js';
import { notSent } from '../../../sip/trunk/engine-failure.js';
import { SdpBooks } from '../../../sip/trunk/sdp-books.js';
import { sdp } from '../../support/sip-peer.js';

describe('back-off', () => {
  it('doubles from 200 ms to 10 s, with half of it left to chance', () => {
    const backOff = new BackOff();
    for (const base of [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]) {
      const wait = backOff.next();
      assert.ok(wait >= base / 2 && wait <= base, `${wait} of ${base}`);
    }
    backOff.reset();
    assert.ok(backOff.next() <= 200);
    backOff.slowDown();
    assert.ok(backOff.next() >= 5000);
  });
});

describe('addresses of the engine', () => {
  const announced = 'ws/203.0.113.5:5072,tcp/203.0.113.5:5070,udp/203.0.113.5:5070,udp/203.0.113.5:5090';
  const bound = 'ws/10.0.0.5:5072,tcp/10.0.0.5:5070,udp/10.0.0.5:5070,udp/10.0.0.5:5090';

  it('tell the announced one for that which a request came in by', () => {
    const addresses = new EngineAddresses(announced, bound);
    assert.equal(addresses.contactFor('udp', '10.0.0.5:5090'), '<sip:203.0.113.5:5090>');
    assert.equal(addresses.contactFor('tcp', '10.0.0.5:5070'), '<sip:203.0.113.5:5070;transport=tcp>');
  });

  it('tell any of the transport when the local one is not listed, and none without the transport', () => {
    const addresses = new EngineAddresses(announced, bound);
    assert.equal(addresses.contactFor('udp', '0.0.0.0:1'), '<sip:203.0.113.5:5070>');
    assert.equal(addresses.contactFor('udp', undefined), '<sip:203.0.113.5:5070>');
    assert.equal(addresses.contactFor('tls', undefined), undefined);
    assert.equal(new EngineAddresses().contactFor('udp', undefined), undefined);
  });

  it('stand in Path, unless the engine writes there what the peer sees', () => {
    const addresses = new EngineAddresses(announced, bound);
    assert.equal(addresses.pathFor('x', 'tcp'), '<sip:x@203.0.113.5:5070;transport=tcp;lr>');
    const embedded = new EngineAddresses(announced, bound, true);
    assert.equal(embedded.pathFor('x', 'udp'), '<sip:x@localhost;lr>');
  });
});

describe('descriptions of a dialog', () => {
  it('answer an offer that repeats the last one with what we sent last', () => {
    const books = new SdpBooks(sdp(8000), sdp(6000));
    assert.equal(books.answerToSame(sdp(6000)), sdp(8000));
    books.note(sdp(8002), undefined);
    assert.equal(books.answerToSame(sdp(6000)), sdp(8002));
    books.note(undefined, sdp(6002));
    assert.equal(books.answerToSame(sdp(6000)), undefined);
    assert.equal(books.answerToSame(sdp(6002)), sdp(8002));
  });

  it('have no answer while a side is on hold, or nothing is known', () => {
    const held = sdp(6000).replace('sendrecv', 'sendonly');
    assert.equal(new SdpBooks(sdp(8000), held).answerToSame(held), undefined);
    assert.equal(new SdpBooks(held, sdp(6000)).answerToSame(sdp(6000)), undefined);
    assert.equal(new SdpBooks(undefined, sdp(6000)).answerToSame(sdp(6000)), undefined);
    assert.equal(new SdpBooks(sdp(8000), undefined).answerToSame(undefined), undefined);
  });
});

describe('what the engine did not send', () => {
  it('is named after the reason', () => {
    const refused = (code: string) => Object.assign(new Error('because'), { code });
    assert.equal(notSent(refused('ENODIALOG')).code, 'dialog.unknown');
    assert.equal(notSent(refused('EDRACHTIO')).code, 'trunk.unreachable');
    assert.equal(notSent(refused('ERR_ASSERTION')).code, 'trunk.engine_away');
    assert.equal(notSent('text').detail, 'text');
  });
});
