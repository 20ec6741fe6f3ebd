/** The header that proxies in front write the client's address into. */
export type ProxyHeader = 'x-forwarded-for' | 'forwarded';

export interface TrustedProxies {
  /** IP addresses and CIDR blocks; empty: nobody is believed. */
  readonly addresses: readonly string[];
  readonly header: ProxyHeader;
}
