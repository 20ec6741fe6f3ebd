import { ClientTransaction, UserAgentCore, type Body, type URI } from 'sip.js/lib/core/index.js';
import type {
  OutgoingRequestMessage,
  OutgoingRequestMessageOptions,
} from 'sip.js/lib/core/messages/outgoing-request-message.js';
import type { Clock } from '../clock.js';
import type { Log } from '../log.js';
import { newBranch } from '../message/index.js';
import type { EndpointTransport } from './endpoint-transport.js';
import { OutgoingRequest } from './outgoing-request.js';
import { QuietLoggerFactory } from './quiet-loggers.js';
import { RecentAnswers } from './recent-answers.js';
import { WireUri } from './wire-uri.js';

/** Sent-by of our Via and host of our Contact: the browser's answers come back on its flow (RFC 7118 §5). */
const ownHost = 'webtrunk.invalid';

// sip.js draws branches from ten million values of Math.random; RFC 3261 §8.1.1.7 wants them unique in space and time.
Reflect.set(ClientTransaction, 'makeId', (request: OutgoingRequestMessage): string => {
  return request.method === 'CANCEL' && request.branch !== undefined ? request.branch : newBranch();
});

/** sip.js's core for one endpoint: the tables of its transactions and dialogs. */
export class EndpointUserAgent extends UserAgentCore {
  /** Contact header value of ours; in-dialog requests of the browser carry its URI. */
  readonly contact: string;
  readonly answers: RecentAnswers;

  /** @param token - user part of the Contact */
  constructor(
    token: string,
    private readonly flow: EndpointTransport,
    private readonly log: Log,
    clock: Clock,
  ) {
    const uri = new WireUri(`sip:${token}@${ownHost};transport=ws`);
    super({
      aor: uri,
      contact: { pubGruu: undefined, tempGruu: undefined, uri, toString: () => uri.nameAddr },
      displayName: '',
      loggerFactory: new QuietLoggerFactory(log),
      hackViaTcp: false,
      routeSet: [],
      sipjsId: '',
      supportedOptionTags: [],
      supportedOptionTagsResponse: [],
      userAgentHeaderFieldValue: undefined,
      viaForceRport: false,
      viaHost: ownHost,
      authenticationFactory: () => undefined,
      transportAccessor: () => flow,
    });
    this.contact = uri.nameAddr;
    this.answers = new RecentAnswers(clock);
  }

  /** Too much waits for the browser's next flow: a request would only wait in vain. */
  get isFull(): boolean {
    return this.flow.isFull;
  }

  override makeOutgoingRequestMessage(
    method: string,
    target: URI,
    from: URI,
    to: URI,
    options: OutgoingRequestMessageOptions,
    extraHeaders?: string[],
    body?: Body,
  ): OutgoingRequest {
    return new OutgoingRequest(
      method,
      target,
      from,
      to,
      { ...options, viaHost: ownHost },
      extraHeaders,
      body,
    );
  }

  /** Disposes of every dialog and transaction, one by one, so that one that throws spares the others. */
  override dispose(): void {
    const all = [
      ...this.dialogs.values(),
      ...this.userAgentClients.values(),
      ...this.userAgentServers.values(),
    ];
    for (const each of all) {
      try {
        each.dispose();
      } catch (err) {
        this.log.error({ err }, 'A SIP transaction or dialog could not be disposed of');
      }
    }
    this.dialogs.clear();
    this.userAgentClients.clear();
    this.userAgentServers.clear();
  }
}
