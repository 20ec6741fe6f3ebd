import { once } from 'node:events';
import { sdp } from '../sip-peer.js';
import type { SrfDialog } from '../srf-app.js';
import type { Take, TakenCall } from './flow-lab.js';
import type { Script } from './script.js';

/** Answers a call of SIPp's, and gives the dialog to `use` before anything can happen to it. */
export const answer = <Result>(
  { app, request, response }: TakenCall,
  use: (dialog: SrfDialog) => Promise<Result>,
  headers = {},
): Promise<Result> =>
  new Promise((resolve, reject) => {
    app.createUAS(request, response, { localSdp: sdp(8000), headers }, (error, dialog) => {
      if (error === null) resolve(use(dialog));
      else reject(error);
    });
  });

/** Answers and sees the caller hang up. */
export const answers: Take = (call) => answer(call, (dialog) => once(dialog, 'destroy'));

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
export const answered = (caller: Script): Script => caller.gets(200).sends('ACK', 1);
