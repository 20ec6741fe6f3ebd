import type { Session, Web } from 'sip.js';

/** How a re-INVITE ended. */
export type Renegotiation =
  { readonly ok: true } | { readonly ok: false; readonly status: number; readonly reason: string };

const requestPending = 491;
const attempts = 3;

/** RFC 3261 §14.1: who owns the Call-ID waits 2.1–4 s before another try, the other side 0–2 s. */
function glareDelayMs(ownsCallId: boolean): number {
  return ownsCallId ? 2_100 + Math.random() * 1_900 : Math.random() * 2_000;
}

/** What to offer: on hold or not, and whether over a new network path (ICE restart, RFC 8445 §9). */
export interface Offer {
  readonly hold: boolean;
  readonly iceRestart?: boolean;
}

function once(session: Session, { hold, iceRestart = false }: Offer): Promise<Renegotiation> {
  const sessionDescriptionHandlerOptions: Web.SessionDescriptionHandlerOptions = {
    hold,
    offerOptions: { iceRestart },
  };
  return new Promise((resolve) => {
    session
      .invite({
        sessionDescriptionHandlerOptions,
        requestDelegate: {
          onAccept: () => resolve({ ok: true }),
          onReject: ({ message }) => {
            resolve({ ok: false, status: message.statusCode ?? 500, reason: message.reasonPhrase ?? '' });
          },
        },
      })
      .catch((error: unknown) => {
        resolve({ ok: false, status: 500, reason: error instanceof Error ? error.message : String(error) });
      });
  });
}

/** Offers the session's media anew, and tries again when both sides did so at once. Never throws. */
export async function renegotiate(
  session: Session,
  offer: Offer,
  ownsCallId: boolean,
): Promise<Renegotiation> {
  let result = await once(session, offer);
  for (let attempt = 1; attempt < attempts && !result.ok && result.status === requestPending; attempt += 1) {
    await new Promise((resolve) => setTimeout(resolve, glareDelayMs(ownsCallId)));
    result = await once(session, offer);
  }
  // The library answers the other side's later offers with these options too.
  session.sessionDescriptionHandlerOptionsReInvite = holdOnly(
    result.ok || offer.iceRestart === true ? offer.hold : !offer.hold,
  );
  return result;
}

function holdOnly(hold: boolean): Web.SessionDescriptionHandlerOptions {
  return { hold };
}
