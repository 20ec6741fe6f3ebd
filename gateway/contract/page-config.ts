import { z } from 'zod';

/** One STUN or TURN server, as `RTCIceServer` wants it. */
const iceServerSchema = z.object({
  urls: z.array(z.string().regex(/^(stun|stuns|turn|turns):/, 'expected a stun: or turn: URL')).min(1),
  username: z.string().optional(),
  credential: z.string().optional(),
});

/**
 * What `GET /config.json` tells a page before anyone has signed in. Everybody who can load the page can read it: a TURN
 * credential in it must be short-lived.
 */
export const pageConfigSchema = z.object({
  /** The domain that users belong to: `alice` signs in as `sip:alice@<domain>`. */
  domain: z.string().min(1),
  /** Where the page opens its WebSocket, on the host and port that served it: `/ws`. */
  websocketPath: z.string().startsWith('/'),
  iceServers: z.array(iceServerSchema),
  /** Media of some calls goes from browser to browser: those need each other's candidates. */
  directMedia: z.boolean().optional(),
  /** Whoever has signed in gets more of them from `GET /api/ice-servers`. */
  moreIceServers: z.boolean().optional(),
  /** People sign in with a token; undefined: with a password. */
  token: z
    .object({
      /** The claim of the token that names the user. */
      aorClaim: z.string().min(1),
      /** Where one gets a token. */
      loginUrl: z.url().optional(),
    })
    .optional(),
});

/** What `GET /api/ice-servers` answers. */
export const iceServersSchema = z.object({
  iceServers: z.array(iceServerSchema),
  /** How long they can be used, in seconds from now. */
  ttlSeconds: z.number().positive(),
});

export type IceServersAnswer = z.infer<typeof iceServersSchema>;

/** Path of the ICE servers of whoever has signed in, on the same listener. */
export const iceServersPath = '/api/ice-servers';

/** Header of the 200 to REGISTER with the ticket for it. */
export const ticketHeader = 'X-Webtrunk-Ticket';

export type PageConfig = z.infer<typeof pageConfigSchema>;

/** Path of the page configuration on the listener that serves the pages. */
export const pageConfigPath = '/config.json';
