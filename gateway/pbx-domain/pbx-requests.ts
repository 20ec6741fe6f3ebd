import type { Clock } from '../../sip/clock.js';
import { failure, toFailure } from '../../sip/failure.js';
import type { InDialogResponse, OutOfDialogRequest, Party } from '../../sip/leg.js';
import type { Log } from '../../sip/log.js';
import { isSubscription, type IncomingSubscription } from '../../sip/subscription.js';
import type { TrunkStack } from '../../sip/trunk/srf.js';
import type { Endpoint } from '../endpoint/endpoint.js';
import {
  askerOf,
  contentOf,
  headersAnswered,
  headersBack,
  headersToBrowser,
  headersToPbx,
  statusBack,
  statusToPbx,
} from './pass-on.js';
import type { HostsForUser } from '../trunk/trunk-table.js';
import { firstAnswer } from './first-answer.js';
import type { PbxContact } from './pbx-contacts.js';
import { PbxSubscription } from './pbx-subscription.js';

export interface PbxRequestsOptions {
  readonly stack: Pick<TrunkStack, 'request' | 'subscription'>;
  readonly clock: Clock;
  readonly log: Log;
  /** The hosts of a trunk, for that user. */
  hostsFor(trunk: string, aor: string): HostsForUser;
  findEndpoint(endpointId: string): Pick<Endpoint, 'request'> | undefined;
}

/** Requests of one endpoint that may wait for the PBX at once. */
const mostPending = 32;
/** A busy lamp field has some dozens of lamps. */
const mostSubscriptions = 128;
const fromBrowserMethods: ReadonlySet<string> = new Set(['MESSAGE', 'PUBLISH', 'SUBSCRIBE']);
const fromPbxMethods: ReadonlySet<string> = new Set(['MESSAGE', 'NOTIFY']);

/** Passes requests outside calls between browsers and their PBX: MESSAGE, presence, MWI and BLF. */
export class PbxRequests {
  /** Requests under way, by endpoint; removed by their answer. */
  readonly #pending = new Map<string, number>();
  /** By endpoint; a subscription takes itself out when it ends. */
  readonly #subscriptions = new Map<string, Set<PbxSubscription>>();

  constructor(private readonly options: PbxRequestsOptions) {}

  sizes(): Record<'pbxRequests' | 'pbxSubscriptions', number> {
    const total = (counts: Iterable<number>): number => [...counts].reduce((sum, count) => sum + count, 0);
    return {
      pbxRequests: total(this.#pending.values()),
      pbxSubscriptions: total([...this.#subscriptions.values()].map(({ size }) => size)),
    };
  }

  /** Passes a request of a registered browser on, with its own Request-URI and credentials; answers it. */
  fromBrowser({ endpointId, trunk, aor }: PbxContact, request: OutOfDialogRequest): void {
    if (!fromBrowserMethods.has(request.method)) return notAllowed(request, fromBrowserMethods);
    const hosts = this.options.hostsFor(trunk, aor);
    const asker = askerOf(request.from, aor);
    if (isSubscription(request)) return this.#subscribe({ endpointId, asker }, request, hosts);
    const waiting = this.#pending.get(endpointId) ?? 0;
    if (waiting >= mostPending) return request.refuse(failure('limit.rate'));
    this.#pending.set(endpointId, waiting + 1);
    const { method, requestUri, headers } = request;
    const content = contentOf(request);
    const { stack, clock } = this.options;
    const send = (nextHop: string): Promise<InDialogResponse> =>
      stack.request(
        method,
        { requestUri, nextHop },
        {
          from: asker,
          to: { uri: requestUri },
          headers: headersToPbx(headers),
          ...(content === undefined ? {} : { content }),
        },
      );
    firstAnswer({ ...hosts, clock, isRepeatable: false, send })
      .then(
        (answer) => request.respond(statusBack(answer.status), answer.reason, headersBack(answer.headers)),
        (thrown: unknown) => request.refuse(toFailure(thrown)),
      )
      .finally(() => this.#answered(endpointId))
      .catch(() => undefined);
  }

  /** Passes a request of the PBX on to the browser that its Request-URI stands for; answers it. */
  fromPbx({ endpointId, contactUri }: PbxContact, request: OutOfDialogRequest): void {
    if (!fromPbxMethods.has(request.method)) return notAllowed(request, fromPbxMethods);
    const endpoint = this.options.findEndpoint(endpointId);
    if (endpoint === undefined) return request.refuse(failure('route.user_offline'));
    const { method, from, to, headers } = request;
    const content = contentOf(request);
    const message = {
      from,
      to,
      headers: headersToBrowser(headers),
      ...(content === undefined ? {} : { content }),
    };
    endpoint.request(method, contactUri, message).then(
      ({ status, reason, headers: told }) =>
        request.respond(statusToPbx(status), reason, headersAnswered(told)),
      (thrown: unknown) => request.refuse(toFailure(thrown)),
    );
  }

  /** Forgets every subscription. */
  close(): void {
    for (const subscriptions of [...this.#subscriptions.values()]) {
      for (const subscription of [...subscriptions]) subscription.end();
    }
  }

  #subscribe(
    { endpointId, asker }: { readonly endpointId: string; readonly asker: Party },
    request: IncomingSubscription,
    hosts: HostsForUser,
  ): void {
    const known = this.#subscriptions.get(endpointId) ?? new Set<PbxSubscription>();
    if (known.size >= mostSubscriptions) return request.refuse(failure('limit.subscriptions'));
    this.#subscriptions.set(endpointId, known);
    const { stack, clock, log } = this.options;
    const ended = (over: PbxSubscription): void => {
      known.delete(over);
      if (known.size === 0) this.#subscriptions.delete(endpointId);
    };
    const subscription = new PbxSubscription({ endpointId, asker }, request, { stack, clock, log, ended });
    known.add(subscription);
    void subscription.start(hosts);
  }

  #answered(endpointId: string): void {
    const left = (this.#pending.get(endpointId) ?? 1) - 1;
    if (left === 0) this.#pending.delete(endpointId);
    else this.#pending.set(endpointId, left);
  }
}

function notAllowed(request: OutOfDialogRequest, methods: ReadonlySet<string>): void {
  const allow = ['INVITE', 'OPTIONS', ...methods].join(', ');
  request.refuse(failure('message.method_not_allowed', { headers: [['Allow', allow]] }));
}
