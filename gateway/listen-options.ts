import type { Config } from './config/config.js';
import { tlsSettingsOf } from './trunk/tls-settings.js';
import type { SipEngineOptions } from './trunk/trunk-side.js';

/** What the SIP engine is started or reached with. */
export function engineOptions({ sip, trunks }: Config): SipEngineOptions {
  if (sip.engine === 'drachtio') return { ...sip, secret: sip.secret.reveal() };
  return { ...sip, tls: sip.tls === undefined ? undefined : tlsSettingsOf(sip.tls, trunks) };
}

/** Where browsers are waited for. */
export function listeners({ listen: { http, https } }: Config) {
  const plain = http === undefined ? [] : [http];
  if (https === undefined) return plain;
  const { address, port, cert, key } = https;
  return [...plain, { address, port, tls: { cert, key: key.reveal() } }];
}
