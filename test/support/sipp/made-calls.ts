import assert from 'node:assert/strict';
import { once } from 'node:events';
import { sdp } from '../sip-peer.js';
import { statusOf, type SrfApp, type SrfDialog } from '../srf-app.js';
import type { Make } from './flow-lab.js';
import { sippSdp, type Script } from './script.js';

export const answer = { body: sippSdp(6000) };

export const answered = (callee: Script, headers: readonly string[] = []): Script =>
  callee
    .takes('INVITE')
    .answers('INVITE', 100)
    .answers('INVITE', 180)
    .answers('INVITE', 200, { ...answer, headers })
    .takes('ACK');

export const hungUp = (callee: Script): Script => callee.takes('BYE').answers('BYE', 200);

/** Calls; the dialog is there before its ACK is sent. */
export const call = (app: SrfApp, uri: string, options: object = {}): Promise<SrfDialog> =>
  app.createUAC(uri, { localSdp: sdp(7000), ...options });

/** Calls and hangs up. */
export const calls: Make = async (app, uri) => (await call(app, uri)).destroy();

/** Calls with these options and sees the callee hang up. */
export const isHungUp =
  (options: object = {}) =>
  async (app: SrfApp, uri: string): Promise<unknown> =>
    once(await call(app, uri, options), 'destroy');

/** A call that is refused. */
export const isRefused =
  (status: number, options: object = {}): Make =>
  (app, uri) =>
    assert.rejects(call(app, uri, options), (error) => statusOf(error) === status);
