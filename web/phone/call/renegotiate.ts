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

function once(session: Session, hold: boolean): Promise<Renegotiation> {
  const sessionDescriptionHandlerOptions: Web.SessionDescriptionHandlerOptions = { hold };
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

/** Offers the session's media anew, on hold or not, and tries again when both sides did so at once. Never throws. */
export async function renegotiate(
  session: Session,
  hold: boolean,
  ownsCallId: boolean,
): Promise<Renegotiation> {
  let result = await once(session, hold);
  for (let attempt = 1; attempt < attempts && !result.ok && result.status === requestPending; attempt += 1) {
    await new Promise((resolve) => setTimeout(resolve, glareDelayMs(ownsCallId)));
    result = await once(session, hold);
  }
  return result;
}
