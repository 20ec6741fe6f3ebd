import { Workspace } from '../bench/target.js';
import { AbuseGateway } from '../support/abuse/abuse-gateway.js';
import { AbuseLoad, type LoadOrder } from './abuse-load.js';
import type { AbuseRig } from './abuse-run.js';

/** A gateway and good phones that have signed in to it, until `close`. */
export interface OpenAbuseRig extends AbuseRig {
  /** Stops everything; resolves with what is wrong with the end, empty when nothing is. Idempotent. */
  close(): Promise<string>;
}

export async function openAbuseRig(order: LoadOrder, patienceSeconds: number): Promise<OpenAbuseRig> {
  const workspace = new Workspace();
  const load = await AbuseLoad.open(order);
  try {
    const gateway = await AbuseGateway.start(workspace, { pbxPort: load.pbxPort, patienceSeconds });
    const { wsUrl, sipPort } = gateway.doors;
    let closing: Promise<string> | undefined;
    const close = async (): Promise<string> => {
      await load.close();
      const code = await gateway.stop();
      workspace.remove();
      return code === 0 ? '' : `the gateway ended with ${code}`;
    };
    await load.signIn(wsUrl, sipPort).catch(async (cause: unknown) => {
      await close();
      throw cause;
    });
    return { gateway, load, close: () => (closing ??= close()) };
  } catch (cause) {
    await load.close().catch(() => undefined);
    workspace.remove();
    throw cause;
  }
}
