import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import type { TlsPeer as Trusted, TlsSettings } from '../../sip/engine/transport/tls-trust.js';
import { EngineLab, requestText } from '../support/engine-lab.js';
import { sdp } from '../support/sip-peer.js';
import type { SrfApp, SrfDialog } from '../support/srf-app.js';
import { makeTestAuthority, type TestAuthority, type TestCertificate } from '../support/test-certificate.js';
import { TlsPeer, type TlsPeerOptions } from '../support/tls-peer.js';

const listen = [
  { transport: 'udp', address: '127.0.0.1', port: 0 },
  { transport: 'tls', address: '127.0.0.1', port: 0 },
] as const;

const fingerprintOf = ({ cert }: TestCertificate): string => new X509Certificate(cert).fingerprint256;

describe('engine over TLS', () => {
  let authority: TestAuthority;
  let own: TestCertificate;
  let lab: EngineLab;
  let app: SrfApp;

  before(function () {
    const made = makeTestAuthority();
    if (made === undefined) return this.skip();
    authority = made;
    own = authority.issue('DNS:localhost', 'IP:127.0.0.1');
  });

  const start = async (peers: readonly Trusted[] = [], settings: Partial<TlsSettings> = {}) => {
    lab = await EngineLab.start({ listen, tls: { ...own, ...settings, peers } });
    app = await lab.app();
  };

  afterEach(() => lab.close());

  const open = async (options: TlsPeerOptions): Promise<TlsPeer> => lab.owned(await TlsPeer.open(options));

  const call = (host: string, peer: TlsPeer, scheme = 'sip'): Promise<SrfDialog> =>
    app.createUAC(`${scheme}:bob@${host}:${peer.port};transport=tls`, { localSdp: sdp(7000) });

  const answer = async (peer: TlsPeer, calling: Promise<SrfDialog>) => {
    const invite = await peer.request('INVITE');
    peer.respond(invite, 200, 'OK', { body: sdp(9000) });
    const dialog = await calling;
    await peer.request('ACK');
    return { invite, dialog };
  };

  const hangUp = async (peer: TlsPeer, dialog: SrfDialog): Promise<void> => {
    const done = dialog.destroy();
    peer.respond(await peer.request('BYE'), 200, 'OK');
    await done;
  };

  const refused = async (calling: Promise<unknown>, why: RegExp): Promise<void> => {
    await assert.rejects(calling, (error: { status: number; res: { get(name: string): string } }) => {
      assert.equal(error.status, 503);
      assert.match(error.res.get('Reason'), why);
      return true;
    });
  };

  it('calls a peer whose certificate an authority of the trunk has signed for the host of the URI', async () => {
    await start([{ host: 'localhost', ca: authority.ca }]);
    const peer = await open(authority.issue('DNS:localhost'));
    const { invite, dialog } = await answer(peer, call('localhost', peer));
    const contact = `<sip:127.0.0.1:${lab.tlsPort};transport=tls>`;
    assert.match(invite.headers.get('via') ?? '', new RegExp(`^SIP/2.0/TLS 127.0.0.1:${lab.tlsPort};`));
    assert.equal(invite.headers.get('contact'), contact);
    assert.deepEqual(peer.serverNames, ['localhost']);
    await hangUp(peer, dialog);
    assert.equal(peer.connections, 1);
    await lab.idle();
  });

  it('says nothing to a peer whose certificate no known authority has signed', async () => {
    await start();
    const peer = await open(authority.issue('DNS:localhost'));
    await refused(call('localhost', peer), /unable to (verify|get)/);
    assert.deepEqual(peer.seen, []);
  });

  it('says nothing to a peer whose certificate is for another name', async () => {
    await start([{ host: 'localhost', ca: authority.ca }]);
    const peer = await open(authority.issue('DNS:other.example.com'));
    await refused(call('localhost', peer), /Hostname\/IP does not match/);
    assert.deepEqual(peer.seen, []);
  });

  it('takes a certificate that names the SIP domain by a URI', async () => {
    await start([{ host: 'localhost', ca: authority.ca, serverName: 'carrier.example' }]);
    const peer = await open(authority.issue('URI:sip:carrier.example'));
    const { dialog } = await answer(peer, call('localhost', peer));
    assert.deepEqual(peer.serverNames, ['carrier.example']);
    await hangUp(peer, dialog);
  });

  it('takes a certificate by its fingerprint alone', async () => {
    const certificate = authority.issue('DNS:pbx');
    await start([{ host: '127.0.0.1', fingerprint: fingerprintOf(certificate) }]);
    const peer = await open(certificate);
    const { dialog } = await answer(peer, call('127.0.0.1', peer));
    await hangUp(peer, dialog);
  });

  it('says nothing to a peer with another fingerprint', async () => {
    await start([{ host: '127.0.0.1', fingerprint: fingerprintOf(authority.issue('DNS:pbx')) }]);
    const peer = await open(authority.issue('DNS:pbx'));
    await refused(call('127.0.0.1', peer), /another fingerprint/);
    assert.deepEqual(peer.seen, []);
  });

  it('shows its certificate to a peer that asks for one, and the one of the trunk when there is one', async () => {
    const certificate = authority.issue('DNS:trunk-client');
    await start([
      { host: 'localhost', ca: authority.ca },
      { host: '127.0.0.1', ca: authority.ca, certificate },
    ]);
    const peer = await open({ ...authority.issue('DNS:localhost', 'IP:127.0.0.1'), clientCa: authority.ca });
    await hangUp(peer, (await answer(peer, call('localhost', peer))).dialog);
    await hangUp(peer, (await answer(peer, call('127.0.0.1', peer))).dialog);
    assert.match(peer.shown[0] ?? '', /DNS:localhost/);
    assert.match(peer.shown[1] ?? '', /DNS:trunk-client/);
  });

  it('shares no connection between two names of one address', async () => {
    await start([
      { host: 'localhost', ca: authority.ca },
      { host: '127.0.0.1', ca: authority.ca },
    ]);
    const peer = await open(authority.issue('DNS:localhost'));
    const { dialog } = await answer(peer, call('localhost', peer));
    await refused(call('127.0.0.1', peer), /IP does not match/);
    await hangUp(peer, dialog);
  });

  it('answers a sips: call with a sips: Contact, and sends one', async () => {
    await start([{ host: 'localhost', ca: authority.ca }]);
    const peer = await open(authority.issue('DNS:localhost'));
    const calling = app.createUAC(`sips:bob@localhost:${peer.port}`, { localSdp: sdp(7000) });
    const { invite, dialog } = await answer(peer, calling);
    assert.equal(invite.headers.get('contact'), `<sips:127.0.0.1:${lab.tlsPort}>`);
    await hangUp(peer, dialog);
    app.invite((request, response) => void app.createUAS(request, response, { localSdp: sdp(8000) }));
    await peer.connect(lab.tlsPort, authority.ca);
    const uri = `sips:svc@127.0.0.1:${lab.tlsPort}`;
    const parts = { method: 'INVITE', port: lab.tlsPort, callId: 'sips', cseq: 1, uri, body: sdp(9000) };
    peer.send(requestText(peer, parts));
    const ok = await peer.status(200, 'INVITE');
    assert.equal(ok.headers.get('contact'), `<sips:127.0.0.1:${lab.tlsPort}>`);
  });

  it('takes calls, and sends requests in their dialogs over the same connection', async () => {
    await start();
    const peer = await open(own);
    await peer.connect(lab.tlsPort, authority.ca);
    const answered = new Promise<SrfDialog>((resolve) =>
      app.invite((request, response) => {
        assert.equal(request.protocol, 'tls');
        void app.createUAS(request, response, { localSdp: sdp(8000) }).then(resolve);
      }),
    );
    const parts = { port: lab.tlsPort, callId: 'in', cseq: 1, body: sdp(9000) };
    peer.send(requestText(peer, { ...parts, method: 'INVITE' }));
    const ok = await peer.status(200);
    const toTag = /;tag=([^;]+)/.exec(ok.headers.get('to') ?? '')?.[1] ?? '';
    peer.send(requestText(peer, { ...parts, method: 'ACK', body: '', toTag }));
    await hangUp(peer, await answered);
    assert.equal(peer.connections, 0);
  });

  it('lets nobody in without a certificate of its client authority, when it has one', async () => {
    await start([], { clientCa: authority.ca });
    const peer = await open(own);
    await peer.connect(lab.tlsPort, authority.ca).catch(() => undefined);
    await peer.hungUp();
    await peer.connect(lab.tlsPort, authority.ca, authority.issue('DNS:pbx'));
    peer.send(requestText(peer, { method: 'OPTIONS', port: lab.tlsPort, callId: 'mutual', cseq: 1 }));
    await peer.status(503);
    assert.equal(peer.seen.length, 1);
  });

  it('renews its certificate without dropping connections', async () => {
    await start();
    const peer = await open(own);
    assert.equal(await peer.connect(lab.tlsPort, authority.ca), fingerprintOf(own));
    const renewed = authority.issue('DNS:localhost', 'IP:127.0.0.1');
    lab.engine.renewTls(renewed);
    peer.send(requestText(peer, { method: 'OPTIONS', port: lab.tlsPort, callId: 'before', cseq: 1 }));
    await peer.status(503);
    const later = await open(own);
    assert.equal(await later.connect(lab.tlsPort, authority.ca), fingerprintOf(renewed));
  });

  it('keeps its certificate when the new one cannot be used', async () => {
    await start();
    const { cert } = authority.issue('DNS:localhost');
    assert.throws(() => lab.engine.renewTls({ cert, key: own.key }));
    const peer = await open(own);
    assert.equal(await peer.connect(lab.tlsPort, authority.ca), fingerprintOf(own));
  });
});
