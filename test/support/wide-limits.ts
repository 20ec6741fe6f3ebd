/**
 * The `limits` of a configuration file for gateways that are loaded by many phones of one address: none is ever reached.
 */
export const wideLimits = [
  'connections_per_ip: 100000',
  'connections: 1000000',
  'unauthenticated: 1000000',
  'unauthenticated_per_ip: 100000',
  'connects_per_minute: 1000000',
  'http_requests_per_minute: 1000000',
  'messages_per_second: 10000',
  'address_messages_per_second: 1000000',
  'user_messages_per_second: 1000000',
  'register_failures_per_minute: 10000',
  'failing_users_per_ip: 100000',
  'registers_per_minute: 100000',
  'invites_per_minute: 100000',
  'calls_per_endpoint: 100',
].join(', ');
