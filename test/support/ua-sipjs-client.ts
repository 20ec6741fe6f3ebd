import { WebSocket } from 'ws';
import {
  Inviter,
  Registerer,
  SessionState,
  SIPExtension,
  UserAgent,
  type Invitation,
  type Session,
  type SessionDescriptionHandler,
  type SessionDescriptionHandlerFactory,
} from 'sip.js/lib/api/index.js';
import { Journal } from './journal.js';
import { sdpA, sdpB } from './scripted-browser.js';

/** sip.js's own UserAgent over a real WebSocket, with SDP that is made up: nothing but signalling is tried. */

class MadeUpSdp implements SessionDescriptionHandler {
  readonly remote: string[] = [];
  #offered = false;

  constructor(readonly hold: () => boolean) {}

  close(): void {
    // Nothing is open.
  }

  getDescription(): Promise<{ body: string; contentType: string }> {
    const body = this.#offered ? sdpB : sdpA;
    this.#offered = false;
    return Promise.resolve({
      body: this.hold() ? body.replace('t=0 0', 't=0 0\r\na=sendonly') : body,
      contentType: 'application/sdp',
    });
  }

  hasDescription(contentType: string): boolean {
    return contentType === 'application/sdp';
  }

  setDescription(sdp: string): Promise<void> {
    this.remote.push(sdp);
    this.#offered = true;
    return Promise.resolve();
  }

  sendDtmf(): boolean {
    return false;
  }
}

export interface SipJsOptions {
  readonly reliable?: boolean;
}

export class SipJsClient {
  readonly agent: UserAgent;
  readonly invitations = new Journal<Invitation>();
  readonly infos = new Journal<string>();
  readonly messages = new Journal<string>();
  readonly disconnects = new Journal<true>();
  holding = false;

  private constructor(user: string, url: string, options: SipJsOptions) {
    Object.assign(globalThis, { WebSocket });
    const uri = UserAgent.makeURI(`sip:${user}@localhost`);
    if (uri === undefined) throw new Error('unreadable URI');
    const factory: SessionDescriptionHandlerFactory = () => new MadeUpSdp(() => this.holding);
    this.agent = new UserAgent({
      uri,
      transportOptions: { server: url },
      logBuiltinEnabled: false,
      sessionDescriptionHandlerFactory: factory,
      sipExtension100rel: options.reliable === true ? SIPExtension.Supported : SIPExtension.Unsupported,
      delegate: {
        onInvite: (invitation) => {
          invitation.delegate = this.#sessionDelegate();
          this.invitations.add(invitation);
        },
        onDisconnect: () => this.disconnects.add(true),
        onMessage: (message) => {
          this.messages.add(message.request.body);
          void message.accept();
        },
      },
    });
  }

  /** Connects and registers. */
  static async start(user: string, url: string, options: SipJsOptions = {}): Promise<SipJsClient> {
    const client = new SipJsClient(user, url, options);
    await client.agent.start();
    await client.register();
    return client;
  }

  async register(): Promise<void> {
    const registerer = new Registerer(this.agent);
    await new Promise<void>((resolve) => {
      void registerer.register({ requestDelegate: { onAccept: () => resolve() } });
    });
  }

  /** Calls `sip:bob@localhost`. */
  call(options: { earlyMedia?: boolean; withoutSdp?: boolean } = {}): Inviter {
    const target = UserAgent.makeURI('sip:bob@localhost');
    if (target === undefined) throw new Error('unreadable URI');
    const inviter = new Inviter(this.agent, target, {
      earlyMedia: options.earlyMedia === true,
      inviteWithoutSdp: options.withoutSdp === true,
    });
    inviter.delegate = this.#sessionDelegate();
    return inviter;
  }

  async stop(): Promise<void> {
    await this.agent.stop();
  }

  #sessionDelegate(): NonNullable<Session['delegate']> {
    return {
      onInfo: (info) => {
        this.infos.add(info.request.body);
        void info.accept();
      },
    };
  }
}

/** Resolves when the session is in that state. */
export function reaches(session: Session, state: SessionState): Promise<void> {
  if (session.state === state) return Promise.resolve();
  return new Promise((resolve) => {
    session.stateChange.addListener((next) => {
      if (next === state) resolve();
    });
  });
}

export { SessionState };
