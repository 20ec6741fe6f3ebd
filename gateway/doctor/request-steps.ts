import { toFailure } from '../../sip/failure.js';
import type { TrunkStack } from '../../sip/trunk/srf.js';
import type { Trunk, TrunkHost } from '../trunk/trunk.js';
import { adviceOnError, adviceOnStatus } from './advice.js';
import type { Finding } from './finding.js';
import type { WireNotes } from './wire-notes.js';

const withinMs = 8_000;

/** Asks the host with OPTIONS, as trunks are watched (RFC 3261 §11). Any answer but 408 and 503 shows that it is alive. */
export async function examineOptions(
  stack: TrunkStack,
  trunk: Trunk,
  host: TrunkHost,
  wire: WireNotes,
): Promise<Finding> {
  const { auth } = trunk;
  const target = { requestUri: host.uri, nextHop: host.uri, ...(auth === undefined ? {} : { auth }) };
  const question = { method: 'OPTIONS', hasPassword: auth !== undefined } as const;
  try {
    const { status, reason } = await stack.options(target, withinMs);
    const says = `OPTIONS is answered ${status} ${reason}`;
    const found = { step: 'options', says, details: wire.take() } as const;
    if (status < 300) return { ...found, result: 'ok' };
    if (status === 503 || status === 408)
      return { ...found, result: 'failed', ...adviceOnStatus(status, question) };
    if (auth !== undefined && (status === 401 || status === 407)) {
      return { ...found, result: 'warn', ...adviceOnStatus(status, question) };
    }
    return { ...found, result: 'ok', says: `${says}: it is alive` };
  } catch (thrown) {
    const { detail, reason } = toFailure(thrown);
    const why = detail ?? reason;
    return {
      step: 'options',
      result: 'failed',
      says: why.startsWith('no answer') ? why : `OPTIONS did not arrive: ${why}`,
      details: wire.take(),
      ...adviceOnError({ code: /\bE[A-Z]{4,}\b/.exec(why)?.[0], message: why }),
    };
  }
}
