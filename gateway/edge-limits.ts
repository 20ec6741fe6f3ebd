import type { Config } from './config/config.js';
import { defaultEdgeLimits, type EdgeLimits } from './edge/edge.js';

/** The limits of the browser side. */
export function edgeLimitsOf({ websocket, limits }: Config): EdgeLimits {
  return {
    ...defaultEdgeLimits,
    maxMessageBytes: websocket.maxMessageBytes,
    maxFlowsPerAddress: limits.connectionsPerIp,
    messagesPerSecond: limits.messagesPerSecond,
    messageBurst: limits.messagesPerSecond * 4,
    registerFailuresPerMinute: limits.registerFailuresPerMinute,
    failingUsersPerAddress: limits.failingUsersPerIp,
    maxFlows: limits.connections ?? defaultEdgeLimits.maxFlows,
    maxUnauthenticated: limits.unauthenticated,
    maxUnauthenticatedPerAddress: limits.unauthenticatedPerIp,
    connectsPerMinute: limits.connectsPerMinute,
    httpRequestsPerMinute: limits.httpRequestsPerMinute,
    authenticateWithinMs: limits.authenticateWithinMs ?? defaultEdgeLimits.authenticateWithinMs,
    requestWithinMs: limits.requestWithinMs ?? defaultEdgeLimits.requestWithinMs,
    addressMessagesPerSecond: limits.addressMessagesPerSecond,
    userMessagesPerSecond: limits.userMessagesPerSecond,
    registersPerMinute: limits.registersPerMinute,
  };
}
