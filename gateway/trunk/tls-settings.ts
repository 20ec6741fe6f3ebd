import type { TlsPeer, TlsSettings } from '../../sip/engine/transport/tls-trust.js';
import { parseUri } from '../../sip/message/index.js';
import type { SipTlsConfig, TrunkConfig } from '../config/config.js';

/** What the engine needs to know of the configuration for TLS. */
export function tlsSettingsOf(tls: SipTlsConfig, trunks: readonly TrunkConfig[]): TlsSettings {
  return {
    cert: tls.cert,
    key: tls.key.reveal(),
    ...(tls.clientCa === undefined ? {} : { clientCa: tls.clientCa }),
    peers: trunks.flatMap(peersOf),
  };
}

function peersOf({ hosts, tls }: TrunkConfig): readonly TlsPeer[] {
  if (tls === undefined) return [];
  const { ca, fingerprint, serverName, certificate } = tls;
  const common = {
    ...(ca === undefined ? {} : { ca }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(certificate === undefined
      ? {}
      : { certificate: { cert: certificate.cert, key: certificate.key.reveal() } }),
  };
  return hosts.flatMap(({ uri }) => {
    const parsed = parseUri(uri);
    return parsed?.scheme === 'sip' || parsed?.scheme === 'sips' ? [{ host: parsed.host, ...common }] : [];
  });
}
