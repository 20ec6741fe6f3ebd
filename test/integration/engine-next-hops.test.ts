import assert from 'node:assert/strict';
import { EngineLab } from '../support/engine-lab.js';
import { a, DnsServer, naptr, srv } from '../support/dns-server.js';
import { freePort } from '../support/free-port.js';
import { sdp, TcpPeer, type SipPeer, type UdpPeer } from '../support/sip-peer.js';
import { statusOf, type SrfApp, type SrfDialog } from '../support/srf-app.js';

/** Enough for the INVITE to be larger than 1,300 bytes. */
const large = { Subject: 'x'.repeat(1200) };

describe('engine: the next hop', () => {
  let dns: DnsServer;
  let lab: EngineLab;
  let app: SrfApp;

  beforeEach(async () => {
    dns = await DnsServer.open();
    lab = await EngineLab.start({ nameServers: [dns.address] });
    lab.owned(dns);
    app = await lab.app();
  });

  afterEach(() => lab.close());

  const call = (uri: string, headers = {}): Promise<SrfDialog> =>
    app.createUAC(uri, { localSdp: sdp(7000), headers });

  const answer = async (
    peer: SipPeer,
    calling: Promise<SrfDialog>,
    headers?: string[],
  ): Promise<SrfDialog> => {
    const contact = headers === undefined ? {} : { headers };
    peer.respond(await peer.request('INVITE'), 200, 'OK', { body: sdp(9000), ...contact });
    const dialog = await calling;
    await peer.request('ACK');
    return dialog;
  };

  const hangUp = async (peer: SipPeer, dialog: SrfDialog): Promise<void> => {
    const done = dialog.destroy();
    peer.respond(await peer.request('BYE'), 200, 'OK');
    await done;
  };

  const udpPeers = async (): Promise<readonly [SipPeer, SipPeer]> => [
    await lab.udpPeer(),
    await lab.udpPeer(),
  ];

  describe('by DNS', () => {
    it('takes the transport that NAPTR prefers, and the server that SRV names', async () => {
      const peer = await lab.tcpPeer(false);
      dns.add(
        naptr('carrier.test', 'SIP+D2U', '_sip._udp.carrier.test', 20),
        naptr('carrier.test', 'SIP+D2T', '_sip._tcp.carrier.test', 10),
        srv('_sip._tcp.carrier.test', 'one.carrier.test', peer.port),
        a('one.carrier.test'),
      );
      const dialog = await answer(peer, call('sip:bob@carrier.test'));
      assert.equal(dns.questions[0], 'NAPTR carrier.test');
      await hangUp(peer, dialog);
    });

    it('asks SRV for each of its transports when there is no NAPTR', async () => {
      const peer = await lab.tcpPeer(false);
      dns.add(srv('_sip._tcp.carrier.test', 'one.carrier.test', peer.port), a('one.carrier.test'));
      await hangUp(peer, await answer(peer, call('sip:bob@carrier.test')));
      assert.deepEqual(dns.questions.slice(1, 3).sort(), [
        'SRV _sip._tcp.carrier.test',
        'SRV _sip._udp.carrier.test',
      ]);
    });

    it('asks for the address alone when the URI names a port', async () => {
      const peer = await lab.udpPeer();
      dns.add(a('pbx.test'));
      await hangUp(peer, await answer(peer, call(`sip:bob@pbx.test:${peer.port}`)));
      assert.deepEqual([...new Set(dns.questions)].sort(), ['A pbx.test', 'AAAA pbx.test']);
    });

    it('sends to maddr', async () => {
      const peer = await lab.udpPeer();
      await hangUp(peer, await answer(peer, call(`sip:bob@nowhere.test:${peer.port};maddr=127.0.0.1`)));
      assert.deepEqual(dns.questions, []);
    });

    it('answers 503 for a name without address, and remembers that', async () => {
      const calling = (): Promise<unknown> => call('sip:bob@nowhere.test:5060');
      await assert.rejects(calling, { status: 503, reason: 'DNS Error' });
      await assert.rejects(calling, { status: 503, reason: 'DNS Error' });
      assert.equal(dns.questions.filter((question) => question === 'A nowhere.test').length, 1);
    });

    it('shares its calls out by priority and weight', async () => {
      const [backup, one] = await udpPeers();
      const other = await lab.udpPeer();
      dns.add(
        srv('_sip._udp.carrier.test', 'a.carrier.test', backup.port, 20, 0),
        srv('_sip._udp.carrier.test', 'a.carrier.test', one.port, 10, 75),
        srv('_sip._udp.carrier.test', 'a.carrier.test', other.port, 10, 25),
        a('a.carrier.test'),
      );
      const refuse = (peer: SipPeer): void => {
        peer.onMessage = (message) => {
          if (message.kind === 'request' && message.method === 'INVITE') peer.respond(message, 486, 'Busy');
        };
      };
      for (const peer of [backup, one, other]) refuse(peer);
      const calls = Array.from({ length: 200 }, () => call('sip:bob@carrier.test;transport=udp'));
      await Promise.allSettled(calls);
      const got = (peer: SipPeer): number =>
        new Set(peer.seen.filter((message) => message.text.startsWith('INVITE')).map(({ callId }) => callId))
          .size;
      assert.equal(got(backup), 0);
      assert.equal(got(one) + got(other), 200);
      assert.ok(got(one) > 120 && got(one) < 180, `${got(one)} of 200 at weight 75 of 100`);
    });
  });

  describe('fails over', () => {
    const twoServers = (first: number, second: number, transport: string): string => {
      dns.add(
        srv(`_sip._${transport}.pair.test`, 'host.pair.test', first, 1),
        srv(`_sip._${transport}.pair.test`, 'host.pair.test', second, 2),
        a('host.pair.test'),
      );
      return `sip:bob@pair.test;transport=${transport}`;
    };

    it('when a connection is refused', async () => {
      const peer = await lab.tcpPeer(false);
      const uri = twoServers(await freePort(), peer.port, 'tcp');
      await hangUp(peer, await answer(peer, call(uri)));
      await lab.idle();
    });

    it('when a server is out of service, with another branch and the same Call-ID', async () => {
      const [first, second] = await udpPeers();
      const calling = call(twoServers(first.port, second.port, 'udp'));
      const refused = await first.request('INVITE');
      first.respond(refused, 503, 'Service Unavailable');
      const invite = await second.request('INVITE');
      assert.equal(invite.callId, refused.callId);
      assert.equal(invite.headers.get('from'), refused.headers.get('from'));
      assert.notEqual(invite.topVia.params.get('branch'), refused.topVia.params.get('branch'));
      second.respond(invite, 200, 'OK', { body: sdp(9000) });
      await hangUp(second, await calling);
      await first.request('ACK');
      await lab.idle();
    });

    it('tells the application of the last refusal when all are out of service', async () => {
      const [first, second] = await udpPeers();
      const calling = call(twoServers(first.port, second.port, 'udp'));
      first.respond(await first.request('INVITE'), 503, 'Service Unavailable');
      second.respond(await second.request('INVITE'), 503, 'Second Out Of Service');
      await assert.rejects(calling, { status: 503, reason: 'Second Out Of Service' });
    });

    it('not when a server refuses the call itself', async () => {
      const [first, second] = await udpPeers();
      const calling = call(twoServers(first.port, second.port, 'udp'));
      first.respond(await first.request('INVITE'), 486, 'Busy Here');
      await assert.rejects(calling, (error) => statusOf(error) === 486);
      assert.deepEqual(second.seen, []);
    });

    it('not once a phone rings', async () => {
      const [first, second] = await udpPeers();
      const calling = call(twoServers(first.port, second.port, 'udp'));
      const invite = await first.request('INVITE');
      first.respond(invite, 180, 'Ringing');
      first.respond(invite, 503, 'Service Unavailable');
      await assert.rejects(calling, (error) => statusOf(error) === 503);
      assert.deepEqual(second.seen, []);
    });

    it('when a server is silent, and goes to the living one at once the next time', async () => {
      const [first, second] = await udpPeers();
      const uri = twoServers(first.port, second.port, 'udp');
      await hangUp(second, await answer(second, call(uri)));
      const before = first.seen.length;
      assert.ok(before > 1, 'repeated before it is given up');
      await hangUp(second, await answer(second, call(uri)));
      assert.equal(first.seen.length, before);
      await lab.idle();
    });

    it('cancels a silent server that rings after all', async () => {
      const [first, second] = await udpPeers();
      const calling = call(twoServers(first.port, second.port, 'udp'));
      const late = await first.request('INVITE');
      const dialog = await answer(second, calling);
      first.respond(late, 180, 'Ringing');
      const cancel = await first.request('CANCEL');
      first.respond(cancel, 200, 'OK');
      first.respond(late, 487, 'Request Terminated');
      await first.request('ACK');
      await hangUp(second, dialog);
      await lab.idle();
    });

    it('ends the call of a silent server that answers after all', async () => {
      const [first, second] = await udpPeers();
      const calling = call(twoServers(first.port, second.port, 'udp'));
      const late = await first.request('INVITE');
      const dialog = await answer(second, calling);
      first.respond(late, 200, 'OK', { body: sdp(9002), toTag: 'late' });
      await first.request('ACK');
      first.respond(await first.request('BYE'), 200, 'OK');
      await hangUp(second, dialog);
      await lab.idle();
    });

    it('with OPTIONS too', async () => {
      const [first, second] = await udpPeers();
      const uri = twoServers(first.port, second.port, 'udp');
      const status = new Promise<number>((resolve, reject) => {
        app.request(uri, { method: 'OPTIONS' }, (error, request) => {
          if (error !== null) return reject(error);
          request.on('response', (response: { status: number }) => resolve(response.status));
        });
      });
      second.respond(await second.request('OPTIONS'), 200, 'OK');
      assert.equal(await status, 200);
      assert.ok(first.seen.length > 0);
    });

    it('inside a dialog, when a proxy on its route is gone', async () => {
      const [first, second] = await udpPeers();
      dns.add(
        srv('_sip._udp.proxy.test', 'host.proxy.test', first.port, 1),
        srv('_sip._udp.proxy.test', 'host.proxy.test', second.port, 2),
        a('host.proxy.test'),
      );
      const calling = call(`sip:bob@127.0.0.1:${first.port};transport=udp`);
      const route = ['Record-Route: <sip:proxy.test;transport=udp;lr>', 'Contact: <sip:bob@192.0.2.1>'];
      const dialog = await answer(first, calling, route);
      const done = dialog.request({ method: 'INFO' });
      const info = await second.request('INFO');
      second.respond(info, 200, 'OK');
      await done;
      assert.equal(info.headers.get('route'), '<sip:proxy.test;transport=udp;lr>');
      await hangUp(second, dialog);
    });
  });

  describe('of a request that is larger than 1,300 bytes', () => {
    /** A UDP and a TCP peer on one port. */
    const twin = async (): Promise<{ udp: UdpPeer; tcp: TcpPeer }> => {
      for (let attempt = 0; attempt < 20; attempt += 1) {
        const udp = await lab.udpPeer();
        const tcp = await TcpPeer.open(undefined, udp.port).catch(() => undefined);
        if (tcp !== undefined) return { udp, tcp: lab.owned(tcp) };
      }
      throw new Error('no port that is free for both');
    };

    it('is over TCP', async () => {
      const { udp, tcp } = await twin();
      const calling = call(`sip:bob@127.0.0.1:${udp.port};transport=udp`, large);
      const invite = await tcp.request('INVITE');
      assert.match(invite.headers.get('via') ?? '', /^SIP\/2\.0\/TCP /);
      assert.match(invite.headers.get('contact') ?? '', /;transport=tcp>/);
      tcp.respond(invite, 200, 'OK', { body: sdp(9000) });
      await hangUp(tcp, await calling);
      assert.deepEqual(udp.seen, []);
    });

    it('is over UDP when the peer refuses TCP, the next time without asking', async () => {
      const peer = await lab.udpPeer();
      const uri = `sip:bob@127.0.0.1:${peer.port};transport=udp`;
      await hangUp(peer, await answer(peer, call(uri, large)));
      await hangUp(peer, await answer(peer, call(uri, large)));
      const [invite] = peer.seen;
      assert.match(invite?.headers.get('via') ?? '', /^SIP\/2\.0\/UDP /);
    });

    it('stays over UDP when it is smaller', async () => {
      const { udp, tcp } = await twin();
      await hangUp(udp, await answer(udp, call(`sip:bob@127.0.0.1:${udp.port};transport=udp`)));
      assert.deepEqual(tcp.seen, []);
    });
  });
});
