import { isIPv6 } from 'node:net';
import type { Clock } from '../../sip/clock.js';
import { failure, toFailure } from '../../sip/failure.js';
import type { IncomingCall } from '../../sip/leg.js';
import type { Log } from '../../sip/log.js';
import { parseUri } from '../../sip/message/index.js';
import { openTrunkSide } from '../trunk/trunk-side.js';
import { EchoCall } from './echo-call.js';
import { RtpEcho } from './rtp-echo.js';

/** More calls at a time are refused. */
const maxCalls = 100;

export interface EchoPhoneOptions {
  /** The number that echoes. */
  readonly number: string;
  /** Loopback address for SIP and RTP. */
  readonly address: string;
  /** UDP port for SIP; 0 for any free one. */
  readonly port: number;
  readonly log: Log;
  readonly clock: Clock;
}

/** A little PBX in this process with one extension. */
export interface EchoPhone {
  /** `sip:600@127.0.0.1:port;transport=udp` */
  readonly uri: string;
  /** Entries of every table, zero when nobody calls. */
  sizes(): Record<string, number>;
  /** Ends the calls and frees all ports. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts the echo number: a SIP engine and a trunk stack of its own, so that a call to it takes a real hop (SIP over UDP,
 * RTP). Rejects when no port can be listened on.
 */
export async function startEchoPhone(options: EchoPhoneOptions): Promise<EchoPhone> {
  const { number, address, port, log, clock } = options;
  const calls = new Set<EchoCall>();
  const side = await openTrunkSide(
    {
      engine: 'embedded',
      listen: [{ transport: 'udp', address, port }],
      externalAddress: undefined,
      tls: undefined,
      nameServers: undefined,
      strangers: 'refuse',
    },
    {
      incomingCall: (call) => {
        takeCall(call, calls, options);
      },
      request: (request) => request.respond(405, '', [['Allow', 'INVITE, ACK, CANCEL, BYE, OPTIONS']]),
      engineLost: () => undefined,
      isKnown: () => true,
    },
    {
      engineUp: ignore,
      engineDown: ignore,
      strangerTurnedAway: ignore,
      trunkRequestRefused: ignore,
      strangerPersists: ignore,
      leftDialog: ignore,
      dialogJournalFailed: ignore,
      engineFrameRefused: ignore,
    },
    log,
    clock,
  );
  const host = isIPv6(address) ? `[${address}]` : address;
  return {
    uri: `sip:${number}@${host}:${side.local[0]?.port ?? 0};transport=udp`,
    sizes: () => ({ calls: calls.size, ...side.sizes() }),
    close: async () => {
      for (const call of calls) call.hangUp();
      await side.close();
    },
  };
}

/** Answers a call to the echo number; refuses any other. */
function takeCall(call: IncomingCall, calls: Set<EchoCall>, options: EchoPhoneOptions): void {
  const { number, address, log } = options;
  const { leg } = call;
  const uri = parseUri(call.requestUri);
  const called = uri?.scheme === 'sip' || uri?.scheme === 'sips' ? uri.user : undefined;
  const nobody = { reoffer: ignore, request: ignore, ended: ignore };
  leg.listen(nobody);
  if (called !== number) return leg.reject(failure('route.user_unknown'));
  if (calls.size >= maxCalls) return leg.reject(failure('gateway.overload'));
  let gone = false;
  leg.listen({ ...nobody, ended: () => (gone = true) });
  RtpEcho.open(address).then(
    (echo) => {
      if (gone) return echo.close();
      const echoCall = new EchoCall(call, echo, address, log, (ended) => calls.delete(ended));
      calls.add(echoCall);
      leg.listen(echoCall);
      return echoCall.pickUp();
    },
    (thrown: unknown) => leg.reject(failure('media.no_ports', { cause: toFailure(thrown) })),
  );
}

function ignore(): void {}
