import type { Scenario } from '../scenario.js';
import { callsFromTheNetwork } from './calls-from-the-network.js';
import { callsOfTheApplication } from './calls-of-the-application.js';
import { callsThatComeToNothing } from './calls-that-come-to-nothing.js';
import { otherRequests } from './other-requests.js';

export const scenarios: readonly Scenario[] = [
  ...callsFromTheNetwork,
  ...callsOfTheApplication,
  ...callsThatComeToNothing,
  ...otherRequests,
];
