import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { tagOf } from '../../sip/message/index.js';
import type { MessageTrace, TransactionTrace } from '../../sip/trace.js';
import { EngineLab, requestText } from '../support/engine-lab.js';
import { sdp, type UdpPeer } from '../support/sip-peer.js';
import type { SrfApp, SrfDialog, SrfRequest } from '../support/srf-app.js';

const torture = '/work/shared/rfc4475';

describe('engine: requests from strangers', () => {
  let lab: EngineLab;
  let peer: UdpPeer;

  beforeEach(async () => {
    lab = await EngineLab.start();
    peer = await lab.udpPeer();
  });

  afterEach(() => lab.close());

  const parts = (method: string, callId = `c-${method}`) => ({ method, port: lab.udpPort, callId, cseq: 1 });

  /** An application that takes these methods, with what it was given. */
  const taking = async (...methods: string[]): Promise<{ app: SrfApp; requests: SrfRequest[] }> => {
    const app = await lab.app();
    const requests: SrfRequest[] = [];
    for (const method of methods) {
      app.use(method, (request, response) => {
        requests.push(request);
        response.send(200);
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
    return { app, requests };
  };

  for (const method of ['OPTIONS', 'INVITE', 'REGISTER', 'REFER']) {
    it(`answers ${method} with 503 and Retry-After when there is no application`, async () => {
      peer.send(requestText(peer, parts(method)));
      const refused = await peer.status(503);
      assert.equal(refused.headers.get('retry-after'), '5');
      assert.notEqual(tagOf(refused.to), undefined);
      assert.deepEqual(
        Object.values(lab.engine.sizes()).filter((size) => size > 0),
        [],
      );
    });
  }

  it('gives a repeated refusal the same To tag without keeping state', async () => {
    const text = requestText(peer, parts('INVITE'));
    peer.send(text);
    const first = await peer.status(503);
    peer.send(text);
    assert.equal((await peer.status(503)).text, first.text);
  });

  it('gives requests outside dialogs to the application that takes them, once', async () => {
    const methods = ['options', 'message', 'register', 'publish', 'notify', 'info', 'refer'];
    const { requests } = await taking(...methods);
    for (const method of methods) {
      const text = requestText(peer, { ...parts(method.toUpperCase()), branch: `z9hG4bK${method}` });
      peer.send(text);
      const ok = await peer.status(200, method.toUpperCase());
      peer.send(text);
      assert.equal((await peer.status(200, method.toUpperCase())).text, ok.text);
    }
    assert.deepEqual(
      requests.map(({ method }) => method.toLowerCase()),
      methods,
    );
    const [request] = requests;
    assert.equal(request?.source_address, '127.0.0.1');
    assert.equal(request?.source_port, peer.port);
    assert.equal(request?.protocol, 'udp');
    assert.equal(request?.receivedOn, `127.0.0.1:${lab.udpPort}`);
    await lab.idle();
  });

  for (const method of ['BYE', 'UPDATE', 'PRACK']) {
    it(`answers ${method} outside a dialog with 481`, async () => {
      await taking('invite');
      peer.send(requestText(peer, parts(method)));
      await peer.status(481);
    });
  }

  for (const method of ['INVITE', 'INFO', 'OPTIONS', 'FOO']) {
    it(`answers ${method} with the To tag of no dialog with 481`, async () => {
      await taking('invite', 'info', 'options');
      peer.send(requestText(peer, { ...parts(method), toTag: 'zz' }));
      await peer.status(481);
    });
  }

  it('drops an ACK that belongs to nothing and answers a CANCEL that does with 481', async () => {
    await taking('invite');
    peer.send(requestText(peer, { ...parts('ACK'), toTag: 'zz' }));
    peer.send(requestText(peer, parts('CANCEL')));
    const answer = await peer.next();
    assert.equal(answer.kind === 'response' && answer.status, 481);
    assert.equal(answer.cseq.method, 'CANCEL');
  });

  it('answers a method that nobody knows with 501', async () => {
    await taking('invite');
    peer.send(requestText(peer, parts('FOO')));
    await peer.status(501);
  });

  it('answers the same request over another path with 482', async () => {
    const app = await lab.app();
    let invites = 0;
    app.invite((_request, response) => {
      invites += 1;
      response.send(180);
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    peer.send(requestText(peer, { ...parts('INVITE'), branch: 'z9hG4bKpath1' }));
    await peer.status(180);
    peer.send(requestText(peer, { ...parts('INVITE'), branch: 'z9hG4bKpath2' }));
    await peer.status(482);
    assert.equal(invites, 1);
  });

  for (const [what, edit, status] of [
    ['no hops left', (text: string) => text.replace('Max-Forwards: 70', 'Max-Forwards: 0'), 483],
    [
      'a Max-Forwards that is no number',
      (text: string) => text.replace('Max-Forwards: 70', 'Max-Forwards: x'),
      400,
    ],
    ['another method in CSeq', (text: string) => text.replace('CSeq: 1 INVITE', 'CSeq: 1 OPTIONS'), 400],
    ['no Contact', (text: string) => text.replace(/Contact: [^\r]*\r\n/, ''), 400],
    ['an unknown Request-URI scheme', (text: string) => text.replace(/^INVITE sip:/, 'INVITE foo:'), 416],
    [
      'a body shorter than it says',
      (text: string) => text.replace(/Content-Length: \d+/, 'Content-Length: 9999'),
      400,
    ],
    ['a line without a colon', (text: string) => text.replace('CSeq:', 'nonsense\r\nCSeq:'), 400],
    ['another version', (text: string) => text.replace(' SIP/2.0\r\n', ' SIP/7.0\r\n'), 505],
  ] as const) {
    it(`answers an INVITE with ${what} with ${status} and does not bother the application`, async () => {
      const { requests } = await taking('invite');
      peer.send(edit(requestText(peer, { ...parts('INVITE'), body: sdp(6000) })));
      await peer.status(status);
      assert.equal(requests.length, 0);
    });
  }

  it('matches requests of RFC 2543 clients, whose branch says nothing', async () => {
    const { requests } = await taking('options');
    const text = requestText(peer, { ...parts('OPTIONS'), branch: '1' });
    peer.send(text);
    await peer.status(200);
    peer.send(text);
    await peer.status(200);
    peer.send(requestText(peer, { ...parts('OPTIONS', 'other'), branch: '1' }));
    await peer.status(200);
    assert.equal(requests.length, 2);
  });

  it('answers CRLF CRLF on a stream with CRLF, and several messages in one segment', async () => {
    const { requests } = await taking('options');
    const stream = await lab.tcpPeer(true);
    stream.send('\r\n\r\n');
    await new Promise<void>((resolve) => {
      const poll = setInterval(() => {
        if (stream.raw.length === 0) return;
        clearInterval(poll);
        resolve();
      }, 5);
    });
    assert.equal(Buffer.concat(stream.raw).toString(), '\r\n');
    const texts = [1, 2, 3].map((cseq) =>
      requestText(stream, { method: 'OPTIONS', port: lab.tcpPort, callId: `tcp${cseq}`, cseq }),
    );
    const joined = Buffer.from(`\r\n${texts.join('')}`);
    stream.send(joined.subarray(0, 100));
    stream.send(joined.subarray(100));
    for (const cseq of [1, 2, 3]) assert.equal((await stream.status(200)).callId, `tcp${cseq}`);
    assert.equal(requests.length, 3);
    assert.equal(lab.engine.sizes()['connections'], 1);
    await lab.idle();
  });

  it('answers 400 and closes when a stream loses its framing', async () => {
    await taking('options');
    const stream = await lab.tcpPeer(true);
    stream.send(
      requestText(stream, { method: 'OPTIONS', port: lab.tcpPort, callId: 'noframe', cseq: 1 }).replace(
        /Content-Length: \d+\r\n/,
        '',
      ),
    );
    await stream.status(400);
    await new Promise<void>((resolve) => {
      const poll = setInterval(() => {
        if (stream.isConnected) return;
        clearInterval(poll);
        resolve();
      }, 5);
    });
    assert.equal(lab.engine.sizes()['connections'], 0);
  });

  it('opens a new connection for a response when the old one is gone', async () => {
    const app = await lab.app();
    const answering = new Promise<() => void>((resolve) => {
      app.use('message', (_request, response) => resolve(() => response.send(200)));
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    const stream = await lab.tcpPeer(true);
    stream.send(requestText(stream, { method: 'MESSAGE', port: lab.tcpPort, callId: 'reconnect', cseq: 1 }));
    const answer = await answering;
    stream.hangUp();
    await new Promise((resolve) => setTimeout(resolve, 50));
    answer();
    assert.equal((await stream.status(200)).callId, 'reconnect');
    await lab.idle();
  });

  it('reaches the remote target over a new connection when that of the dialog is gone', async () => {
    const app = await lab.app();
    const established = new Promise<SrfDialog>((resolve, reject) => {
      app.invite((request, response) => {
        app.createUAS(request, response, { localSdp: sdp(8000) }).then(resolve, reject);
      });
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    const stream = await lab.tcpPeer(true);
    const call = { port: lab.tcpPort, callId: 'tcpgone' };
    stream.send(requestText(stream, { ...call, method: 'INVITE', cseq: 1, body: sdp(6000) }));
    const toTag = tagOf((await stream.status(200)).to) ?? '';
    stream.send(requestText(stream, { ...call, method: 'ACK', cseq: 1, toTag }));
    const dialog = await established;
    await once(dialog, 'ack');
    stream.hangUp();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const done = dialog.destroy();
    stream.respond(await stream.request('BYE'), 200, 'OK');
    await done;
    await lab.idle();
  });

  it('publishes messages and transaction states to those who listen', async () => {
    const messages: MessageTrace[] = [];
    const states: TransactionTrace[] = [];
    const onMessage = (message: unknown): void => void messages.push(message as MessageTrace);
    const onState = (state: unknown): void => void states.push(state as TransactionTrace);
    subscribe('webtrunk:message', onMessage);
    subscribe('webtrunk:transaction', onState);
    try {
      await taking('options');
      peer.send(requestText(peer, parts('OPTIONS')));
      await peer.status(200);
    } finally {
      unsubscribe('webtrunk:message', onMessage);
      unsubscribe('webtrunk:transaction', onState);
    }
    const remote = `127.0.0.1:${peer.port}`;
    assert.deepEqual(
      messages.map(({ direction, transport, remote: to }) => [direction, transport, to]),
      [
        ['in', 'udp', remote],
        ['out', 'udp', remote],
      ],
    );
    assert.deepEqual(
      states.map(({ side, method, from, to }) => [side, method, from, to]),
      [['server', 'OPTIONS', 'trying', 'completed']],
    );
  });

  it('answers every message of RFC 4475 or drops it, and lives on', async function () {
    if (!existsSync(torture)) this.skip();
    const { requests } = await taking('options', 'invite', 'register', 'message');
    const names = readdirSync(torture).filter((name) => name.endsWith('.dat'));
    assert.ok(names.length >= 40);
    const counted = { ...lab.engine.counters };
    for (const name of names) peer.send(readFileSync(`${torture}/${name}`));
    const before = requests.length;
    peer.send(requestText(peer, parts('OPTIONS', 'alive')));
    await peer.next((message) => message.callId === 'alive');
    assert.ok(requests.length >= before);
    assert.ok(lab.engine.counters.malformed > counted.malformed);
    assert.ok(lab.engine.counters.strayResponses > counted.strayResponses);
    assert.ok(lab.engine.counters.refused > counted.refused);
  });
});

describe('engine: addresses', () => {
  it('tells peers the external address', async () => {
    const lab = await EngineLab.start({ externalAddress: '203.0.113.5' });
    try {
      const app = await lab.app();
      const peer = await lab.udpPeer();
      const call = app.createUAC(`sip:bob@127.0.0.1:${peer.port};transport=udp`, {
        localSdp: sdp(7000),
        callingNumber: '1',
      });
      const invite = await peer.request('INVITE');
      assert.equal(invite.topVia.host, '203.0.113.5');
      assert.equal(invite.headers.get('contact'), `<sip:1@203.0.113.5:${lab.udpPort}>`);
      peer.respond(invite, 486, 'Busy Here');
      await assert.rejects(call);
      assert.match(lab.engine.local.map(({ address }) => address).join(), /^127\.0\.0\.1,127\.0\.0\.1$/);
    } finally {
      await lab.close();
    }
  });

  it('names the address that a peer reaches when it listens on all', async () => {
    const lab = await EngineLab.start({ listen: [{ transport: 'udp', address: '0.0.0.0', port: 0 }] });
    try {
      const app = await lab.app();
      const peer = await lab.udpPeer();
      const call = app.createUAC(`sip:bob@127.0.0.1:${peer.port}`, { localSdp: sdp(7000) });
      const invite = await peer.request('INVITE');
      assert.equal(invite.headers.get('contact'), `<sip:127.0.0.1:${lab.udpPort}>`);
      peer.respond(invite, 486, 'Busy Here');
      await assert.rejects(call);
      const refused = new Promise<Error | null>((resolve) =>
        app.request(`sip:x@127.0.0.1:${lab.udpPort}`, { method: 'OPTIONS' }, resolve),
      );
      assert.equal((await refused)?.message, 'can not send request to myself');
    } finally {
      await lab.close();
    }
  });

  it('speaks IPv6', async function () {
    const lab = await EngineLab.start({
      listen: [
        { transport: 'udp', address: '127.0.0.1', port: 0 },
        { transport: 'tcp', address: '::1', port: 0 },
      ],
    }).catch(() => this.skip());
    const { createServer } = await import('node:net');
    const server = createServer();
    try {
      const app = await lab.app();
      await new Promise<void>((resolve) => server.listen(0, '::1', resolve));
      const bound = server.address();
      const port = bound === null || typeof bound === 'string' ? 0 : bound.port;
      const received = new Promise<string>((resolve) => {
        server.on('connection', (socket) => {
          socket.on('error', () => undefined);
          socket.once('data', (chunk: Buffer) => {
            resolve(chunk.toString());
            socket.destroy();
          });
        });
      });
      app.request(`sip:bob@[::1]:${port};transport=tcp`, { method: 'OPTIONS' }, () => undefined);
      const text = await received;
      assert.match(
        text,
        new RegExp(
          `^OPTIONS sip:bob@\\[::1\\]:${port};transport=tcp SIP/2\\.0\r\nVia: SIP/2\\.0/TCP \\[::1\\]:${lab.tcpPort};branch=`,
        ),
      );
    } finally {
      server.close();
      await lab.close();
    }
  });

  it('leaves nothing open when an address cannot be listened on', async () => {
    const lab = await EngineLab.start();
    try {
      await assert.rejects(
        EngineLab.start({
          listen: [
            { transport: 'udp', address: '127.0.0.1', port: 0 },
            { transport: 'tcp', address: '127.0.0.1', port: lab.tcpPort },
          ],
        }),
        { code: 'EADDRINUSE' },
      );
    } finally {
      await lab.close();
    }
  });

  it('ends its calls when it is closed', async () => {
    const lab = await EngineLab.start();
    const app = await lab.app();
    const peer = await lab.udpPeer();
    const call = app.createUAC(`sip:bob@127.0.0.1:${peer.port};transport=udp`, { localSdp: sdp(7000) });
    peer.respond(await peer.request('INVITE'), 200, 'OK', { body: sdp(9000) });
    await call;
    await peer.request('ACK');
    await lab.engine.close();
    await peer.request('BYE');
    assert.deepEqual(
      Object.values(lab.engine.sizes()).filter((size) => size > 0),
      [],
    );
    app.on('error', () => undefined);
    await lab.close();
  });
});
