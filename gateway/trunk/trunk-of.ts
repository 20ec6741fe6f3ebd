import type { TrunkConfig } from '../config/config.js';
import type { Trunk } from './trunk.js';

/** A trunk of the configuration, with its password in the clear. */
export function trunkOf(trunk: TrunkConfig): Trunk {
  const { auth } = trunk;
  return {
    ...trunk,
    auth: auth === undefined ? undefined : { ...auth, password: auth.password.reveal() },
  };
}
