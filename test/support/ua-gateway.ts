import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { systemClock } from '../../sip/clock.js';
import type { CalleeLeg, IncomingCall, Invitation, LegListener, OutOfDialogRequest } from '../../sip/leg.js';
import { silentLog } from '../../sip/log.js';
import { parseMessage, respond, serializeText, type SipMessage } from '../../sip/message/index.js';
import { contactUri } from '../../sip/ua/message-adapter.js';
import { EndpointCore } from '../../sip/ua/endpoint-core.js';
import { Journal } from './journal.js';
import { LegNotes, unique } from './scripted-browser.js';

/** A WebSocket server that gives each path an EndpointCore and nothing else: `/alice` is alice, REGISTER gets 200. */
export class UaGateway {
  readonly #http: Server = createServer();
  readonly #sockets = new WebSocketServer({ server: this.#http, handleProtocols: () => 'sip' });
  readonly #endpoints = new Map<string, UaEndpoint>();

  static async start(): Promise<UaGateway> {
    const gateway = new UaGateway();
    gateway.#sockets.on('connection', (socket, request) => {
      gateway.endpoint((request.url ?? '/').slice(1)).attach(socket);
    });
    await new Promise<void>((resolve) => gateway.#http.listen(0, '127.0.0.1', resolve));
    return gateway;
  }

  endpoint(user: string): UaEndpoint {
    const known = this.#endpoints.get(user);
    if (known !== undefined) return known;
    const endpoint = new UaEndpoint(user);
    this.#endpoints.set(user, endpoint);
    return endpoint;
  }

  url(user: string): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}/${user}`;
  }

  async close(): Promise<void> {
    for (const endpoint of this.#endpoints.values()) endpoint.close();
    this.#sockets.close();
    await new Promise((resolve) => this.#http.close(resolve));
  }
}

export class UaEndpoint {
  readonly core: EndpointCore;
  readonly calls = new Journal<IncomingCall>();
  readonly requests = new Journal<OutOfDialogRequest>();
  /** Messages of the client. */
  readonly heard = new Journal<SipMessage>();
  /** Messages of ours, sent or not. */
  readonly said = new Journal<string>();
  /** How each incoming call is listened to. */
  notes = new LegNotes();
  listener: LegListener = this.notes;
  #socket: WebSocket | undefined;
  #contact = '';

  constructor(readonly user: string) {
    this.core = new EndpointCore({
      id: `e_${user}`,
      aor: `sip:${user}@localhost`,
      transport: 'WS',
      send: (text) => {
        this.said.add(text);
        if (this.#socket?.readyState !== 1) return false;
        this.#socket.send(text);
        return true;
      },
      listener: {
        incomingCall: (call) => {
          call.leg.listen(this.listener);
          this.calls.add(call);
        },
        request: (request) => this.requests.add(request),
      },
      log: silentLog,
      clock: systemClock,
    });
  }

  attach(socket: WebSocket): void {
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('message', (data) => this.#receive(data as Buffer));
    this.core.resume();
  }

  /** The socket breaks without a goodbye. */
  cut(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.terminate();
  }

  /** Calls the client, which must have registered. */
  invite(sdp: string | undefined, headers: Invitation['headers'] = []): { leg: CalleeLeg; notes: LegNotes } {
    assert.notEqual(this.#contact, '', `${this.user} has not registered`);
    const notes = new LegNotes();
    const invitation = {
      legId: unique('l_'),
      sdp,
      from: { uri: 'sip:caller@localhost', displayName: 'The Caller' },
      to: { uri: `sip:${this.user}@localhost` },
      headers,
    };
    return { leg: this.core.invite(this.#contact, invitation, notes), notes };
  }

  /** The next message of the client with that method or status. */
  next(what: string | number): Promise<SipMessage> {
    return this.heard.next((each) => (each.kind === 'request' ? each.method : each.status) === what);
  }

  close(): void {
    this.core.dispose();
    this.#socket?.terminate();
  }

  #receive(data: Buffer): void {
    const message = parseMessage(data, { framing: 'websocket' });
    if (message.kind === 'failure') {
      if (data.toString().trim() !== '') throw message.failure;
      return;
    }
    if (message.kind === 'request' && message.method === 'REGISTER') {
      this.#contact = contactUri(message.headers) ?? '';
      const contact = message.headers.get('contact') ?? '';
      this.#socket?.send(
        serializeText(respond(message, 200, { headers: [['Contact', `${contact};expires=600`]] })),
      );
      this.core.resume();
    } else {
      this.core.receive(message);
    }
    this.heard.add(message);
  }
}
