import { MemoryCredentialStore } from './auth/credential-store.js';
import type { Config, DomainConfig } from './config/config.js';

/** The credentials of all domains. */
export function createCredentials({ domains }: Config): MemoryCredentialStore {
  const credentials = new MemoryCredentialStore();
  for (const domain of domains) addUsers(credentials, domain);
  return credentials;
}

function addUsers(credentials: MemoryCredentialStore, { name: domain, users, htdigest }: DomainConfig): void {
  if (htdigest !== undefined) credentials.addHtdigest(htdigest.reveal(), domain);
  for (const { name: user, password, displayName } of users) {
    const shown = displayName === undefined ? {} : { displayName };
    credentials.addUser({ user, domain, password: password.reveal(), ...shown });
  }
}
