import type { Clock, Timer } from '../../sip/clock.js';
import { toFailure } from '../../sip/failure.js';
import type { HeaderList, HeaderView, InDialogRequest, InDialogResponse, Party } from '../../sip/leg.js';
import type { Log } from '../../sip/log.js';
import { parseNameAddrList, serializeUri } from '../../sip/message/index.js';
import type { IncomingSubscription, SubscriptionLeg } from '../../sip/subscription.js';
import type { TrunkStack } from '../../sip/trunk/srf.js';
import type { TrunkSubscription } from '../../sip/trunk/trunk-subscription.js';
import type { HostsForUser } from '../trunk/trunk-table.js';
import { firstAnswer } from './first-answer.js';
import {
  contentOf,
  headersAnswered,
  headersBack,
  headersToBrowser,
  headersToPbx,
  statusToPbx,
} from './pass-on.js';

export interface PbxSubscriptionSurroundings {
  readonly stack: Pick<TrunkStack, 'subscription'>;
  readonly clock: Clock;
  readonly log: Log;
  /** The subscription is over and holds nothing any more. */
  ended(subscription: PbxSubscription): void;
}

export interface PbxSubscriber {
  /** `e_…` */
  readonly endpointId: string;
  /** What From says. */
  readonly asker: Party;
}

/** How long after its expiry a subscription may still be refreshed or say goodbye: 64·T1. */
const marginMs = 32_000;
const defaultExpiresSeconds = 3_600;
const maxExpiresSeconds = 7 * 24 * 3_600;
/** NOTIFYs that may come before the 2xx to the SUBSCRIBE (RFC 6665 §4.1.2.4). */
const mostEarly = 8;

/**
 * A subscription of a browser at its PBX (MWI, presence, BLF): SUBSCRIBEs pass one way, NOTIFYs the other, between the dialogs
 * of both sides. Ends with the last NOTIFY, with its expiry, or with either side.
 */
export class PbxSubscription {
  #browser: SubscriptionLeg | undefined;
  #pbx: TrunkSubscription | undefined;
  #early: InDialogRequest[] = [];
  #timer: Timer | undefined;
  #isOver = false;

  constructor(
    private readonly subscriber: PbxSubscriber,
    private readonly request: IncomingSubscription,
    private readonly around: PbxSubscriptionSurroundings,
  ) {}

  /** Passes the SUBSCRIBE on and answers it; to be called once. Never rejects. */
  async start(hosts: HostsForUser): Promise<void> {
    const { request } = this;
    try {
      const send = (nextHop: string): Promise<InDialogResponse> => this.#subscribe(nextHop);
      const answer = await firstAnswer({ ...hosts, clock: this.around.clock, isRepeatable: true, send });
      const { status, reason, headers } = answer;
      if (status >= 200 && status < 300 && !this.#isOver) return this.#accept(answer);
      request.respond(status < 400 ? 480 : status, reason, headersBack(headers));
    } catch (thrown) {
      request.refuse(toFailure(thrown));
    }
    this.end();
  }

  /** Forgets both dialogs without a word. Idempotent. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    for (const notify of this.#early.splice(0)) gone(notify);
    this.#browser?.close();
    this.#pbx?.close();
    this.around.ended(this);
  }

  #subscribe(nextHop: string): Promise<InDialogResponse> {
    const { requestUri, headers } = this.request;
    const listener = {
      request: (notify: InDialogRequest) => this.#fromPbx(notify),
      lost: () => this.#pbxLost(),
    };
    this.#pbx?.close();
    this.#pbx = this.around.stack.subscription({ requestUri, nextHop }, listener);
    const content = contentOf(this.request);
    return this.#pbx.subscribe({
      from: this.subscriber.asker,
      to: { uri: requestUri },
      headers: headersToPbx(headers),
      ...(content === undefined ? {} : { content }),
    });
  }

  #accept({ status, reason, headers }: InDialogResponse): void {
    const { request } = this;
    const listener = {
      request: (subscribe: InDialogRequest) => this.#fromBrowser(subscribe),
      lost: () => this.#browserLost(),
    };
    // What the browser signs in this dialog is the URI that the PBX will see (RFC 3261 §22.4).
    const contact = contactIn(headers) ?? request.requestUri;
    this.#browser = request.accept({ status, reason, headers: headersBack(headers) }, contact, listener);
    if (this.#browser === undefined) return this.#browserLost();
    this.#lasts(headers.get('Expires') ?? request.headers.get('Expires'));
    for (const notify of this.#early.splice(0)) this.#fromPbx(notify);
  }

  #lasts(expires: string | undefined): void {
    const seconds = /^\d{1,10}$/.test(expires ?? '') ? Number(expires) : defaultExpiresSeconds;
    this.#timer?.cancel();
    const delayMs = Math.min(seconds, maxExpiresSeconds) * 1_000 + marginMs;
    this.#timer = this.around.clock.after(delayMs, () => this.end());
  }

  #fromPbx(notify: InDialogRequest): void {
    if (this.#isOver) return gone(notify);
    if (notify.method !== 'NOTIFY') return notify.respond(405, 'Method Not Allowed', [['Allow', 'NOTIFY']]);
    if (this.#browser === undefined) {
      if (this.#early.length >= mostEarly) return notify.respond(500, 'Server Internal Error');
      this.#early.push(notify);
      return;
    }
    const state = notify.headers.get('Subscription-State') ?? '';
    const isLast = /^\s*terminated/i.test(state);
    const [, seconds] = /;\s*expires\s*=\s*(\d{1,10})/i.exec(state) ?? [];
    if (seconds !== undefined) this.#lasts(seconds);
    this.#browser.request('NOTIFY', contentOf(notify), headersToBrowser(notify.headers)).then(
      ({ status, reason, headers }) => {
        notify.respond(statusToPbx(status), reason, headersAnswered(headers));
        if (isLast || status === 481) this.end();
      },
      () => {
        gone(notify);
        this.end();
      },
    );
  }

  #fromBrowser(request: InDialogRequest): void {
    const pbx = this.#pbx;
    if (pbx === undefined || this.#isOver) return gone(request);
    if (request.method !== 'SUBSCRIBE') {
      return request.respond(405, 'Method Not Allowed', [['Allow', 'SUBSCRIBE']]);
    }
    pbx.request('SUBSCRIBE', contentOf(request), headersToPbx(request.headers)).then(
      ({ status, reason, headers }) => {
        if (status < 300) this.#lasts(headers.get('Expires') ?? request.headers.get('Expires'));
        request.respond(status, reason, headersBack(headers));
        if (status === 481) this.end();
      },
      (thrown: unknown) => {
        const { status, reason, headers } = toFailure(thrown);
        request.respond(status, reason, headers);
        if (status === 481 || status === 408) this.end();
      },
    );
  }

  /** Tells the PBX that nobody listens any more; it knows the dialog and rarely asks for a password in it. */
  #browserLost(): void {
    const pbx = this.#pbx;
    if (this.#isOver || pbx === undefined) return this.end();
    this.#timer?.cancel();
    this.#isOver = true;
    const headers: HeaderList = [...eventOf(this.request.headers), ['Expires', '0']];
    pbx
      .request('SUBSCRIBE', undefined, headers)
      .catch((thrown: unknown) => {
        const { message: why } = toFailure(thrown);
        this.around.log.debug(
          { endpointId: this.subscriber.endpointId, why },
          'a subscription was not given up',
        );
      })
      .finally(() => {
        pbx.close();
        this.around.ended(this);
      })
      .catch(() => undefined);
  }

  /** RFC 6665 §4.1.3: `deactivated` asks the browser to subscribe anew at once. */
  #pbxLost(): void {
    const browser = this.#browser;
    const headers: HeaderList = [
      ...eventOf(this.request.headers),
      ['Subscription-State', 'terminated;reason=deactivated'],
    ];
    browser?.request('NOTIFY', undefined, headers).catch(() => undefined);
    if (browser === undefined) this.request.respond(503, 'Service Unavailable');
    this.end();
  }
}

function gone(request: InDialogRequest): void {
  request.respond(481, 'Call/Transaction Does Not Exist');
}

function eventOf(headers: HeaderView): HeaderList {
  const event = headers.get('Event');
  return event === undefined ? [] : [['Event', event]];
}

function contactIn(headers: HeaderView): string | undefined {
  const contact = parseNameAddrList(headers.getAll('Contact'))?.[0];
  return contact === undefined || contact.uri.scheme === 'other' ? undefined : serializeUri(contact.uri);
}
