import type { Clock } from '../../sip/clock.js';
import { toFailure } from '../../sip/failure.js';
import type { TrunkStack } from '../../sip/trunk/srf.js';
import { TrunkRegistration } from '../../sip/trunk/trunk-registration.js';
import type { Trunk, TrunkHost } from '../trunk/trunk.js';
import { registrationAccountOf } from '../trunk/trunk-upkeep.js';
import { adviceOnStatus } from './advice.js';
import type { Finding } from './finding.js';
import type { WireNotes } from './wire-notes.js';

const withinMs = 8_000;
/** Short: the binding is removed at once. */
const expiresSeconds = 60;
const question = { method: 'REGISTER', hasPassword: true } as const;

/** Signs in at the host as the trunk does, and out again; a binding that the gateway has is not touched. */
export async function examineRegistration(
  stack: TrunkStack,
  trunk: Trunk,
  host: TrunkHost,
  wire: WireNotes,
  clock: Clock,
): Promise<Finding | undefined> {
  const account = registrationAccountOf(trunk);
  if (trunk.register === undefined || account === undefined) return undefined;
  const registration = new TrunkRegistration(stack, account, clock);
  try {
    const { status, reason, refusedBecause } = await registration.register(
      host.uri,
      expiresSeconds,
      withinMs,
    );
    const says = `REGISTER of ${account.aor} is answered ${status} ${reason}`;
    if (status < 300) {
      await registration.register(host.uri, 0, withinMs);
      return { step: 'register', result: 'ok', says, details: wire.take() };
    }
    const found = { step: 'register', result: 'failed', says, details: wire.take() } as const;
    if (refusedBecause !== undefined) {
      const change = 'Correct auth: { username, password, realm } of this trunk.';
      return { ...found, cause: `The carrier does not take them: ${refusedBecause}.`, change };
    }
    if (status === 423) {
      return {
        ...found,
        result: 'warn',
        cause: 'It wants longer bindings.',
        change: 'None: webtrunk obeys.',
      };
    }
    return { ...found, ...adviceOnStatus(status, question) };
  } catch (thrown) {
    const { detail, reason } = toFailure(thrown);
    const says = `no answer to REGISTER: ${detail ?? reason}`;
    return {
      step: 'register',
      result: 'failed',
      says,
      details: wire.take(),
      ...adviceOnStatus(408, question),
    };
  }
}
