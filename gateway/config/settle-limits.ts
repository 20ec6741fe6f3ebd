import type { LimitsConfig } from './config.js';
import type { ConfigFile } from './schema.js';
import { settleCallLimits } from './settle-upkeep.js';
import { parseDurationMs } from './units.js';

/** Limits as the program wants them. */
export function settleLimits(limits: ConfigFile['limits']): LimitsConfig {
  const { fraud } = limits;
  return {
    connectionsPerIp: limits.connections_per_ip,
    messagesPerSecond: limits.messages_per_second,
    registerFailuresPerMinute: limits.register_failures_per_minute,
    callsPerEndpoint: limits.calls_per_endpoint,
    connections: limits.connections,
    unauthenticated: limits.unauthenticated,
    unauthenticatedPerIp: limits.unauthenticated_per_ip,
    connectsPerMinute: limits.connects_per_minute,
    httpRequestsPerMinute: limits.http_requests_per_minute,
    authenticateWithinMs: parseDurationMs(limits.authenticate_within),
    requestWithinMs: parseDurationMs(limits.request_within),
    addressMessagesPerSecond: limits.address_messages_per_second,
    userMessagesPerSecond: limits.user_messages_per_second,
    failingUsersPerIp: limits.failing_users_per_ip,
    registersPerMinute: limits.registers_per_minute,
    invitesPerMinute: limits.invites_per_minute,
    attemptTimeoutMs: parseDurationMs(limits.attempt_timeout) ?? 0,
    progressTimeoutMs: parseDurationMs(limits.progress_timeout) ?? 0,
    user: settleCallLimits(limits.user),
    fraud: fraud && {
      country: fraud.country,
      international: fraud.international,
      allow: fraud.allow,
      deny: fraud.deny,
      newDestinationsPerHour: fraud.new_destinations_per_hour,
      minutesPerDay: fraud.minutes_per_day,
    },
  };
}
