import type { AbuseScenario } from './abuse-scenario.js';
import { frameAbuse } from './frame-abuse.js';
import { identityAbuse } from './identity-abuse.js';
import { otherDoors } from './other-doors.js';
import { requestAbuse } from './request-abuse.js';
import { signInAbuse } from './sign-in-abuse.js';
import { socketAbuse } from './socket-abuse.js';

/** Every way to harm a gateway that is tried. */
export const abuseScenarios: readonly AbuseScenario[] = [
  ...signInAbuse,
  ...requestAbuse,
  ...socketAbuse,
  ...frameAbuse,
  ...identityAbuse,
  ...otherDoors,
];
