import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { EngineLab, requestText } from '../support/engine-lab.js';
import { sdp } from '../support/sip-peer.js';
import type { SrfDialog } from '../support/srf-app.js';

describe('engine with several listen addresses', () => {
  let lab: EngineLab;

  beforeEach(async () => {
    lab = await EngineLab.start({
      listen: [
        { transport: 'udp', address: '127.0.0.1', port: 0 },
        { transport: 'udp', address: '127.0.0.2', port: 0 },
        { transport: 'tcp', address: '127.0.0.1', port: 0 },
      ],
    });
  });

  afterEach(() => lab.close());

  const portOn = (address: string): number =>
    lab.engine.local.find((at) => at.transport === 'udp' && at.address === address)?.port ?? 0;

  it('stays on the address that a caller has called', async () => {
    const app = await lab.app();
    const dialogs: SrfDialog[] = [];
    app.invite((request, response) => {
      void app.createUAS(request, response, { localSdp: sdp(8000) }).then((dialog) => dialogs.push(dialog));
    });
    const socket = createSocket('udp4');
    lab.owned({ close: () => new Promise((resolve) => socket.close(() => resolve())) });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const peer = { port: socket.address().port, transport: 'UDP' as const };
    const engine = portOn('127.0.0.2');
    const parts = { port: engine, callId: 'second', cseq: 1 };
    const received = async (start: string): Promise<{ text: string; from: AddressInfo }> => {
      for (;;) {
        const [bytes, from] = (await once(socket, 'message')) as [Buffer, AddressInfo];
        if (bytes.toString().startsWith(start)) return { text: bytes.toString(), from };
      }
    };
    const answered = received('SIP/2.0 200');
    socket.send(requestText(peer, { ...parts, method: 'INVITE', body: sdp(9000) }), engine, '127.0.0.2');
    const { text, from } = await answered;
    assert.equal(from.address, '127.0.0.2');
    assert.match(text, new RegExp(`\r\nContact: <sip:127\\.0\\.0\\.2:${engine}>`));
    const toTag = /\r\nTo: [^\r]*;tag=([^;\r]+)/.exec(text)?.[1] ?? '';
    const bye = received('BYE ');
    socket.send(requestText(peer, { ...parts, method: 'ACK', toTag }), engine, '127.0.0.2');
    while (dialogs.length === 0) await new Promise((resolve) => setImmediate(resolve));
    void dialogs[0]?.destroy();
    const ending = await bye;
    assert.equal(ending.from.address, '127.0.0.2');
    assert.match(ending.text, new RegExp(`\r\nVia: SIP/2\\.0/UDP 127\\.0\\.0\\.2:${engine};`));
  });

  it('calls from the address that the peer is reached from', async () => {
    const app = await lab.app();
    const peer = await lab.udpPeer();
    const calling = app.createUAC(`sip:bob@127.0.0.1:${peer.port};transport=udp`, { localSdp: sdp(7000) });
    const invite = await peer.request('INVITE');
    assert.match(invite.headers.get('via') ?? '', new RegExp(`UDP 127\\.0\\.0\\.1:${portOn('127.0.0.1')};`));
    peer.respond(invite, 486, 'Busy Here');
    await assert.rejects(calling);
  });
});
