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
});

export type PageConfig = z.infer<typeof pageConfigSchema>;

/** Path of the page configuration on the listener that serves the pages. */
export const pageConfigPath = '/config.json';
