import { SIPExtension, UserAgent, type Invitation } from 'sip.js';
import type { PageConfig } from '../../../gateway/contract/page-config.js';
import { descriptionHandlerFactory } from '../call/description-handler.js';
import type { LeftPage } from '../call/left-call.js';
import { SocketTransport, type SocketOptions } from './socket-transport.js';

export interface AgentOptions {
  readonly page: PageConfig;
  readonly user: string;
  readonly password: string;
  readonly instanceId: string;
  /** The contact to be reached at, when an earlier page has calls there; a random one when absent. */
  readonly contact?: LeftPage['contact'] | undefined;
  readonly iceServers: () => RTCIceServer[];
  readonly openMicrophone: () => Promise<MediaStream>;
  readonly connected: () => void;
  readonly disconnected: (error: Error | undefined) => void;
  readonly invited: (invitation: Invitation) => void;
}

/** The server decides how long a phone rings; this is only the library's safety net. */
const noAnswerTimeoutSeconds = 180;
const connectTimeoutMs = 6_000;

/** The URL of the server's WebSocket, on the host that served the page. */
export function websocketUrl(path: string, location: Location): string {
  return `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}${path}`;
}

function peerConnectionConfiguration(iceServers: RTCIceServer[]): RTCConfiguration {
  return {
    bundlePolicy: 'max-bundle',
    rtcpMuxPolicy: 'require',
    // Without this the library asks a public STUN server.
    iceServers,
  };
}

/** sip.js's user agent with the defaults that suit a softphone behind webtrunk. Throws when the user is not a URI user. */
export function createUserAgent(options: AgentOptions): { agent: UserAgent; transport: SocketTransport } {
  const uri = UserAgent.makeURI(`sip:${options.user}@${options.page.domain}`);
  if (uri === undefined) throw new TypeError('not a user name');
  const transportOptions: SocketOptions = {
    server: websocketUrl(options.page.websocketPath, window.location),
    connectTimeoutMs,
  };
  const agent = new UserAgent({
    uri,
    authorizationUsername: options.user,
    authorizationPassword: options.password,
    instanceId: options.instanceId,
    ...(options.contact === undefined
      ? {}
      : { contactName: options.contact.name, viaHost: options.contact.host }),
    transportConstructor: SocketTransport,
    transportOptions,
    sessionDescriptionHandlerFactory: descriptionHandlerFactory({
      directMedia: options.page.directMedia === true,
      peerConnection: () => peerConnectionConfiguration(options.iceServers()),
      openMicrophone: options.openMicrophone,
    }),
    sipExtension100rel: SIPExtension.Supported,
    // A busy phone must be able to answer 486 without having rung.
    sendInitialProvisionalResponse: false,
    noAnswerTimeout: noAnswerTimeoutSeconds,
    userAgentString: 'webtrunk phone',
    logBuiltinEnabled: false,
    logConfiguration: false,
    delegate: {
      onConnect: options.connected,
      onDisconnect: (error) => options.disconnected(error),
      onInvite: options.invited,
    },
  });
  if (!(agent.transport instanceof SocketTransport)) throw new TypeError('the transport is not ours');
  return { agent, transport: agent.transport };
}
