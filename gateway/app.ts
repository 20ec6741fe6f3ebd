import { systemClock, type Clock } from '../sip/clock.js';
import { failure, type SipFailure } from '../sip/failure.js';
import type { IncomingCall, OutOfDialogRequest } from '../sip/leg.js';
import type { Log } from '../sip/log.js';
import { newId } from '../sip/message/index.js';
import type { MediaEngine } from '../sip/media/media-engine.js';
import { createPassthroughEngine } from '../sip/media/passthrough.js';
import type { TrunkSource } from '../sip/trunk/srf.js';
import { MemoryCredentialStore } from './auth/credential-store.js';
import { CallAdmission } from './call-admission.js';
import { CallEntry } from './call-entry.js';
import { CallController } from './call/call-controller.js';
import type { Router } from './call/ports.js';
import { CdrWriter } from './cdr/cdr-writer.js';
import type { Inspection } from './api/inspection.js';
import type { Config } from './config/config.js';
import { diffConfig, withLiveChanges, type ConfigChange } from './config/diff.js';
import { createCredentials } from './create-credentials.js';
import { createMedia } from './create-media.js';
import { createTokenOptions } from './create-token-auth.js';
import { drainFailure } from './drain-failure.js';
import { Drain, type DrainTimes } from './drain.js';
import { createDecider, createRouter } from './create-router.js';
import { edgeLimitsOf } from './edge-limits.js';
import { edgeOptions } from './edge-options.js';
import { createEdge, type Edge } from './edge/edge.js';
import type { PageHandler } from './edge/http-server.js';
import { EndpointTable } from './endpoint/endpoint-table.js';
import { FraudGuard } from './fraud/fraud-guard.js';
import { guardedRouter, noteEnded } from './fraud/guarded-router.js';
import { createInspection } from './inspection.js';
import { engineOptions } from './listen-options.js';
import { startEchoPhone, type EchoPhone } from './quick-start/echo-phone.js';
import { PbxDomains } from './pbx-domain/pbx-domains.js';
import { SharedState } from './shared-state.js';
import { prefixed } from './sizes.js';
import { uriHost } from './uri-parts.js';
import type { Events } from './telemetry/events.js';
import { tlsSettingsOf } from './trunk/tls-settings.js';
import { openTrunkSide, type TrunkSide } from './trunk/trunk-side.js';
import { TrunksInForce, withDeadHosts } from './trunks-in-force.js';
import type { TrunkTable } from './trunk/trunk-table.js';
import type { TrunkStatus } from './trunk/trunk-upkeep.js';

/** What the application is given beside its configuration. */
export interface AppSurroundings {
  readonly log: Log;
  readonly events: Events;
  /** Serves the pages of the softphone. */
  readonly pages: PageHandler;
  readonly clock?: Clock;
}

/** Longer than any carrier lets a phone ring, and than any call that somebody still talks in. */
const callLimits = { maxRingMs: 180_000, maxDurationMs: 12 * 3_600_000 };

/** The composition root: makes every part, knows who needs whom, starts and stops them in order. */
export class App {
  readonly #credentials = new MemoryCredentialStore();
  readonly #shared: SharedState;
  readonly #endpoints: EndpointTable;
  readonly #anchoredMedia: MediaEngine;
  readonly #browserMedia: MediaEngine;
  readonly #clock: Clock;
  #controller: CallController | undefined;
  #cdr: CdrWriter | undefined;
  #trunkSide: TrunkSide | undefined;
  #trunks: TrunksInForce | undefined;
  #pbx: PbxDomains | undefined;
  readonly #admission: CallAdmission;
  readonly #fraud: FraudGuard;
  #echoPhone: EchoPhone | undefined;
  #edge: Edge | undefined;
  readonly #entry = new CallEntry({
    controller: () => this.#controller,
    trunks: () => this.#trunks?.table,
    pbx: () => this.#pbx,
  });
  #decider: Awaited<ReturnType<typeof createDecider>>;
  readonly #drain: Drain;
  #closing: Promise<void> | undefined;

  /** Starts everything. Rejects, with nothing left open, when a part cannot start. */
  static async start(config: Config, surroundings: AppSurroundings): Promise<App> {
    const app = new App(config, surroundings);
    try {
      await app.#start();
    } catch (cause) {
      await app.close();
      throw cause;
    }
    return app;
  }

  private constructor(
    private inForce: Config,
    private readonly around: AppSurroundings,
  ) {
    const config = inForce;
    const { events, log } = around;
    const clock = around.clock ?? systemClock;
    this.#clock = clock;
    this.#shared = new SharedState(config, {
      clock,
      events,
      expired: (binding) => {
        const { aor, endpointId, contactUri } = binding;
        this.#pbx?.expired(binding);
        events.unregistered({ aor, endpointId, contactUri, cause: 'expired' });
      },
    });
    this.#endpoints = new EndpointTable({
      graceMs: config.websocket.resumeGraceMs,
      location: this.#shared.location,
      events,
      log,
      clock,
      hooks: {
        incomingCall: (endpoint, call) => this.#entry.fromBrowser(endpoint, call),
        request: (endpoint, request) => {
          if (this.#pbx?.fromBrowser(endpoint, request) !== true) request.refuse(notServed());
        },
      },
      resumed: ({ id }) => this.#controller?.table.browserIsBack(id),
      removed: (endpoint) => this.#pbx?.removed(endpoint),
    });
    this.#admission = new CallAdmission({
      trunks: () => this.#trunks?.table,
      userLimits: () => this.inForce.limits.user,
      invitesPerMinute: () => this.inForce.limits.invitesPerMinute,
      clock,
    });
    this.#fraud = new FraudGuard(() => this.inForce.limits.fraud, clock);
    this.#anchoredMedia = createMedia(config, events, log, clock);
    this.#browserMedia = createPassthroughEngine(config.ice);
    this.#credentials.replaceBy(createCredentials(config));
    this.#drain = new Drain(
      {
        signOut: async () => this.#trunks?.upkeeps.signOut(),
        closeDoor: () => this.#edge?.drain(),
        lastCall: async () => this.#controller?.drain(),
      },
      clock,
    );
  }

  /** Where it listens, with real ports. */
  get addresses(): Readonly<Record<'pages' | 'sip', readonly string[]>> {
    const pages = (this.#edge?.servers ?? []).map(
      ({ secure, address, port }) => `${secure ? 'https' : 'http'}://${uriHost(address)}:${port}`,
    );
    const sip = (this.#trunkSide?.local ?? []).map(
      ({ transport, address, port }) => `${transport}:${uriHost(address)}:${port}`,
    );
    return { pages, sip };
  }

  /** True when new calls can be taken from both sides. */
  get ready(): boolean {
    if (this.#drain.begun || this.#edge === undefined) return false;
    return this.#trunkSide?.stack.connected === true && this.#anchoredMedia.isReady !== false;
  }

  /** What the admin server shows. */
  get inspection(): Inspection {
    return createInspection({
      ready: () => this.ready,
      sizes: () => this.inspect(),
      flows: () => this.#edge?.flows,
      endpoints: this.#endpoints,
      location: this.#shared.location,
      calls: () => this.#controller?.table,
      trunks: this.config.trunks,
      trunkStatus: (name) => this.trunkStatuses.get(name),
    });
  }

  /** The size of every table; all but the standing ones are zero when nothing goes on. */
  inspect(): Readonly<Record<string, number>> {
    return {
      calls: this.#controller?.table.size ?? 0,
      media_sessions: this.#anchoredMedia.size,
      direct_media_sessions: this.#browserMedia.size,
      bindings: this.#shared.location.size,
      cdr_waiting: this.#cdr?.waiting ?? 0,
      trunk_channels: this.#trunks?.upkeeps.channelsInUse ?? 0,
      ...this.#admission.sizes(),
      fraud_users: this.#fraud.size,
      ...this.#edge?.sizes(),
      ...this.#endpoints.sizes(),
      ...this.#pbx?.sizes(),
      ...this.#trunkSide?.sizes(),
      ...this.#shared.sizes(),
      ...prefixed('echo', this.#echoPhone?.sizes() ?? {}),
    };
  }

  /** SIP messages that the embedded engine did not serve, since the start, by cause. */
  unserved(): Readonly<Record<string, number>> {
    return this.#trunkSide?.unserved() ?? {};
  }

  /** How each trunk is, by name. */
  get trunkStatuses(): ReadonlyMap<string, TrunkStatus> {
    return this.#trunks?.upkeeps.statuses ?? new Map();
  }

  /** The configuration that is in force. */
  get config(): Config {
    return this.inForce;
  }

  /**
   * Takes over what can be changed while calls are up, and says what has changed; calls that are up keep what they began
   * with. Rejects, with everything as it was, when a certificate cannot be used.
   */
  async reload(next: Config): Promise<readonly ConfigChange[]> {
    const changes = diffConfig(this.inForce, next);
    const merged = withLiveChanges(this.inForce, next);
    const trunks = this.#trunks;
    if (trunks === undefined || this.#drain.begun) throw failure('gateway.draining');
    this.#renewCertificates(merged);
    await trunks.renew(merged);
    this.#credentials.replaceBy(createCredentials(merged));
    this.#edge?.renewLimits(edgeLimitsOf(merged));
    const { callsPerEndpoint } = merged.limits;
    this.#controller?.renew({ router: this.#createRouter(merged, trunks.table), callsPerEndpoint });
    this.inForce = merged;
    return changes;
  }

  #renewCertificates({ listen: { https }, sip, trunks }: Config): void {
    if (https !== undefined) this.#edge?.renew({ cert: https.cert, key: https.key.reveal() });
    if (sip.engine === 'embedded' && sip.tls !== undefined && this.#trunkSide?.hasTls === true)
      this.#trunkSide.renewTls(tlsSettingsOf(sip.tls, trunks));
  }

  /** Takes nothing new; resolves when the last call has ended, at the latest when the times of `drain:` are over. */
  drain(times: DrainTimes = this.inForce.drain): Promise<void> {
    this.#shared.stopClaiming();
    return this.#drain.begin(times);
  }

  /** Ends every call on both sides, then closes everything. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #start(): Promise<void> {
    const { config, around } = this;
    const { events, log } = around;
    const clock = this.#clock;
    this.#cdr = await CdrWriter.open({ config: config.cdr, events, clock });
    if (config.echoPhone !== undefined) {
      this.#echoPhone = await startEchoPhone({ ...config.echoPhone, log, clock });
    }
    this.#trunkSide = await openTrunkSide(engineOptions(config), this.#trunkListener(), events, log, clock);
    this.#decider = await createDecider(config, events, clock);
    const trunkEvents = withDeadHosts(events, (trunk, host) => this.#pbx?.hostDown(trunk, host));
    this.#trunks = await TrunksInForce.create(config, this.#trunkSide, trunkEvents, clock);
    this.#pbx = this.#createPbxDomains(this.#trunkSide);
    this.#controller = this.#createController(this.#trunks.table);
    await this.#shared.begin({
      endpoints: this.#endpoints,
      controller: this.#controller,
      trunkSide: this.#trunkSide,
      holdChannel: (trunk) => this.#trunks?.table.holdOutgoing(trunk),
      record: (cdr) => this.#cdr?.write(cdr),
      config: () => this.config,
    });
    this.#edge = await this.#createEdge();
    // Our addresses are bound: no other process of this gateway is left, and we have what it has left.
    void this.#shared.settled.then(async () =>
      this.#anchoredMedia.cleanUp?.(await this.#shared.mediaElsewhere()),
    );
    await this.#trunkSide.takeOverDialogs(this.#shared.dialogsElsewhere());
    this.#trunks.upkeeps.open();
  }

  #trunkListener() {
    return {
      incomingCall: (call: IncomingCall, source: TrunkSource) => this.#entry.fromTrunk(call, source),
      request: (request: OutOfDialogRequest, { address }: TrunkSource) => {
        if (this.#pbx?.fromPbx(request, address) !== true) request.refuse(notServed());
      },
      isKnown: (address: string) => this.#trunks?.table.identify(address) !== undefined,
      takesNoCalls: () => (this.#drain.begun ? drainFailure() : undefined),
      engineUp: () => {
        this.#trunks?.upkeeps.engineUp();
        this.#shared.engineUp();
      },
      engineLost: () => undefined,
    };
  }

  #createController(trunks: TrunkTable): CallController {
    const { config, around } = this;
    const router = this.#createRouter(config, trunks);
    return new CallController(
      {
        callsPerEndpoint: config.limits.callsPerEndpoint,
        admit: (source, urgent) => this.#admission.admit(source, urgent),
        newCallId: () => newId('c_'),
        record: (cdr) => {
          this.#shared.callEnded(cdr.callId);
          noteEnded(this.#fraud, cdr);
          this.#cdr?.write(cdr);
        },
        recordRefused: (cdr, source) => {
          if (this.#admission.mayRecordRefused(source)) this.#cdr?.write(cdr);
        },
      },
      {
        router,
        anchoredMedia: this.#anchoredMedia,
        browserMedia: config.media.browserToBrowser === 'direct' ? this.#browserMedia : this.#anchoredMedia,
        newLegId: () => newId('l_'),
        limits: callLimits,
        clock: this.#clock,
        events: around.events,
        defect: (error) => around.events.defect({ source: 'other', error }),
        changed: (call) => this.#shared.changed(call),
      },
    );
  }

  #createRouter(config: Config, trunks: TrunkTable): Router {
    const routes = createRouter(config, {
      trunks,
      credentials: this.#credentials,
      location: this.#shared.location,
      endpoints: this.#endpoints,
      clock: this.#clock,
      decider: this.#decider,
    });
    const router = guardedRouter(routes, this.#fraud);
    return this.#pbx?.router(router, trunks) ?? router;
  }

  #createPbxDomains({ stack }: TrunkSide): PbxDomains {
    const { events, log } = this.around;
    return new PbxDomains({
      stack,
      location: this.#shared.location,
      endpoints: this.#endpoints,
      clock: this.#clock,
      log,
      events,
      domains: () => this.inForce.domains,
      trunks: () => this.#trunks?.table,
    });
  }

  async #createEdge(): Promise<Edge> {
    return createEdge(
      edgeOptions(this.config, {
        ...this.around,
        clock: this.#clock,
        credentials: this.#credentials,
        location: this.#shared.location,
        endpoints: this.#endpoints,
        pbx: this.#pbx?.registrar,
        ice: () => this.inForce.ice,
        tokens: await createTokenOptions(this.config, this.around.events, this.#clock),
      }),
    );
  }

  async #close(): Promise<void> {
    this.#shared.stopTakingOver();
    this.#drain.end();
    this.#edge?.drain();
    await this.#controller?.cutAll(failure('gateway.draining'));
    await this.#edge?.close();
    this.#endpoints.close();
    this.#pbx?.close();
    this.#admission.close();
    this.#fraud.close();
    await this.#trunks?.close();
    await this.#trunkSide?.close();
    await this.#echoPhone?.close();
    await this.#anchoredMedia.close();
    await this.#browserMedia.close();
    await this.#shared.close();
    await this.#cdr?.close();
  }
}

/** To a request outside any dialog that belongs to no PBX's user (RFC 3261 §8.2.1). */
function notServed(): SipFailure {
  return failure('message.method_not_allowed', {
    headers: [['Allow', 'INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, PRACK']],
  });
}
