import { once } from 'node:events';
import { sdp } from '../sip-peer.js';
import type { SrfDialog } from '../srf-app.js';
import type { Take, TakenCall } from './flow-lab.js';
import { settle } from './in-dialog-flows.js';
import type { Script } from './script.js';

/** Answers a call of SIPp's. */
export const answer = ({ app, request, response }: TakenCall, headers = {}): Promise<SrfDialog> =>
  app.createUAS(request, response, { localSdp: sdp(8000), headers });

/** Answers and sees the caller hang up. */
export const answers: Take = async (call) => void (await once(await answer(call), 'destroy'));

/** Rings, answers, and sees the caller hang up. */
export const rings: Take = async (call) => {
  call.response.send(180);
  await answers(call);
};

/** Refuses the call. */
export const refuses =
  (status: number, headers: Record<string, string> = {}): Take =>
  ({ response }) => {
    response.send(status, { headers });
    return Promise.resolve();
  };

/** The caller's part from 200 to ACK. */
export const answered = (caller: Script): Script => settle(caller.gets(200).sends('ACK', 1));
