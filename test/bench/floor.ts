import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { WebSocketServer, type WebSocket } from 'ws';

/**
 * The floor: what the same messages cost on the same library when nobody looks at them. A WebSocket that has said
 * `PAIR name` is joined to the other one of that name and all it sends is passed on; any other gets its messages back.
 * Started as `floor.js HTTP_PORT [HTTPS_PORT CERT KEY]`.
 */
const pairs = new Map<string, WebSocket>();
const settings = { maxPayload: 65_536, perMessageDeflate: false, handleProtocols: () => 'sip' } as const;

function accept(socket: WebSocket): void {
  let peer: WebSocket | undefined;
  socket.on('error', () => socket.terminate());
  socket.on('message', (data: Buffer, isBinary) => {
    if (peer !== undefined) {
      peer.send(data, { binary: isBinary });
      return;
    }
    if (data.length > 64 || !data.toString('latin1').startsWith('PAIR ')) {
      socket.send(data, { binary: isBinary });
      return;
    }
    const name = data.toString('latin1');
    const other = pairs.get(name);
    if (other === undefined) pairs.set(name, socket);
    else {
      pairs.delete(name);
      peer = other;
      other.emit('paired', socket);
    }
  });
  socket.once('paired', (other: WebSocket) => {
    peer = other;
    for (const side of [socket, other]) side.send('PAIRED');
  });
}

const [httpPort = '0', httpsPort, cert, key] = process.argv.slice(2);
const http = createHttpServer((_request, response) => response.writeHead(200).end());
new WebSocketServer({ server: http, ...settings }).on('connection', accept);
http.listen(Number(httpPort), '127.0.0.1', 4_096);
if (httpsPort !== undefined && cert !== undefined && key !== undefined) {
  const https = createHttpsServer({ cert: readFileSync(cert), key: readFileSync(key) });
  new WebSocketServer({ server: https, ...settings }).on('connection', accept);
  https.listen(Number(httpsPort), '127.0.0.1', 4_096);
}
process.on('SIGTERM', () => process.exit(0));
