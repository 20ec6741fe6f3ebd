/** A phone made of JsSIP in a page, with one call at a time. */
export interface JsSipPhone {
  /** Calls; resolves once the call is established, rejects with the cause when it fails. */
  call(target: string): Promise<void>;
  /** Resolves with the user part of whoever calls. */
  incoming(): Promise<string>;
  /** Answers the call that came in; resolves once it is established. */
  answer(): Promise<void>;
  hangUp(): void;
  /** Puts the call on hold, or takes it back; resolves with the other side's consent. */
  setHeld(held: boolean): Promise<void>;
  /** Resolves when the call has ended. */
  ended(): Promise<void>;
  stop(): void;
}

export interface JsSipAccount {
  /** Of the WebSocket. */
  readonly url: string;
  readonly uri: string;
  readonly password: string;
}

/** What is used of JsSIP, which is there as `globalThis.JsSIP`. */
interface Session {
  readonly connection: RTCPeerConnection | null;
  readonly remote_identity: { readonly uri: { readonly user: string } };
  on(event: string, listener: (data: { peerconnection: RTCPeerConnection; cause: string }) => void): void;
  answer(options: object): void;
  terminate(): void;
  hold(options: object, done: () => void): boolean;
  unhold(options: object, done: () => void): boolean;
}

interface Agent {
  on(event: string, listener: (data: { originator: string; session: Session; cause: string }) => void): void;
  start(): void;
  stop(): void;
  call(target: string, options: object): Session;
}

interface JsSipLibrary {
  readonly UA: new (options: object) => Agent;
  readonly WebSocketInterface: new (url: string) => object;
}

/** Runs in a page: `globalThis.jssipPhone` is registered from now on, and plays what it hears in the page's audio element. */
export async function beginJsSipPhone({ url, uri, password }: JsSipAccount): Promise<void> {
  const page = globalThis as unknown as { readonly JsSIP: JsSipLibrary; jssipPhone: JsSipPhone };
  const { UA, WebSocketInterface } = page.JsSIP;
  const media = { mediaConstraints: { audio: true, video: false } };
  // As often as webtrunk's own phone tries again in a call; by default JsSIP waits for up to 30 s, as long as webtrunk does.
  const recovery = { connection_recovery_min_interval: 1, connection_recovery_max_interval: 2 };
  const agent = new UA({ sockets: [new WebSocketInterface(url)], uri, password, ...recovery });
  const play = (connection: RTCPeerConnection): void => {
    connection.addEventListener('track', ({ streams }) => {
      const player = document.querySelector('audio');
      if (player !== null) player.srcObject = streams[0] ?? null;
    });
  };
  const happens = (session: Session, event: string): Promise<void> =>
    new Promise((resolve, reject) => {
      session.on(event, () => resolve());
      session.on('failed', ({ cause }) => reject(new Error(cause)));
    });
  let current: Session | undefined;
  let ended = Promise.resolve();
  const take = (session: Session): void => {
    current = session;
    ended = new Promise((resolve) => {
      for (const event of ['ended', 'failed']) session.on(event, () => resolve());
    });
  };
  let arrived: (session: Session) => void = () => undefined;
  let arrival = new Promise<Session>((resolve) => (arrived = resolve));
  agent.on('newRTCSession', ({ originator, session }) => {
    if (originator !== 'remote') return;
    session.on('peerconnection', ({ peerconnection }) => play(peerconnection));
    take(session);
    arrived(session);
  });
  page.jssipPhone = {
    call(target) {
      const session = agent.call(target, media);
      if (session.connection !== null) play(session.connection);
      take(session);
      return happens(session, 'confirmed');
    },
    async incoming() {
      const session = await arrival;
      arrival = new Promise((resolve) => (arrived = resolve));
      return session.remote_identity.uri.user;
    },
    answer() {
      if (current === undefined) throw new Error('nobody calls');
      const established = happens(current, 'confirmed');
      current.answer(media);
      return established;
    },
    hangUp: () => current?.terminate(),
    setHeld: (held) =>
      new Promise((resolve, reject) => {
        const begun = held ? current?.hold({}, resolve) : current?.unhold({}, resolve);
        if (begun !== true) reject(new Error('not now'));
      }),
    ended: () => ended,
    stop: () => agent.stop(),
  };
  await new Promise<void>((resolve, reject) => {
    agent.on('registered', () => resolve());
    agent.on('registrationFailed', ({ cause }) => reject(new Error(cause)));
    agent.start();
  });
}
