import assert from 'node:assert/strict';
import { once } from 'node:events';
import { tagOf } from '../../sip/message/index.js';
import { EngineLab, quickTimers, requestText } from '../support/engine-lab.js';
import { FakeClock } from '../support/fake-clock.js';
import type { UdpPeer } from '../support/sip-peer.js';
import type { SrfApp, SrfDialog, SrfRequest, SrfResponse } from '../support/srf-app.js';

const marginMs = 64 * quickTimers.t1Ms;

describe('engine: subscriptions that nobody refreshes', () => {
  let clock: FakeClock;
  let lab: EngineLab;
  let app: SrfApp;
  let peer: UdpPeer;

  beforeEach(async () => {
    clock = new FakeClock();
    lab = await EngineLab.start({ clock });
    app = await lab.app();
    peer = await lab.udpPeer();
  });

  afterEach(() => lab.close());

  const dialogs = (): number | undefined => lab.engine.sizes()['dialogs'];

  /** The dialog is there until `ms` have passed, and the application hears of its end. */
  const endsAfter = async (ms: number, dialog: SrfDialog): Promise<void> => {
    const destroyed = once(dialog, 'destroy') as Promise<[SrfRequest, string]>;
    clock.advance(ms - 1);
    assert.equal(dialogs(), 1);
    clock.advance(1);
    assert.equal(dialogs(), 0);
    const [, reason] = await destroyed;
    assert.equal(reason, 'Subscription expired');
    clock.advance(2 * marginMs);
    await lab.idle();
  };

  describe('as notifier', () => {
    let dialog: SrfDialog;
    let toTag: string;
    let answer: (request: SrfRequest, response: SrfResponse) => void;

    const subscribe = (cseq: number, expires: string, tag?: string): void =>
      peer.send(
        requestText(peer, {
          method: 'SUBSCRIBE',
          port: lab.udpPort,
          callId: 'sub',
          cseq,
          headers: ['Event: presence', `Expires: ${expires}`],
          ...(tag === undefined ? {} : { toTag: tag }),
        }),
      );

    const establish = async (expires: string, headers: Record<string, string>): Promise<void> => {
      const made = new Promise<SrfDialog>((resolve, reject) => {
        app.use('subscribe', (request, response) => {
          app.createUAS(request, response, { headers }).then(resolve, reject);
        });
      });
      await new Promise((resolve) => setTimeout(resolve, 30));
      subscribe(1, expires);
      toTag = tagOf((await peer.status(202)).to) ?? '';
      dialog = await made;
      dialog.on('subscribe', (request: SrfRequest, response: SrfResponse) => answer(request, response));
    };

    it('ends the dialog 64·T1 after the time that the application has granted', async () => {
      await establish('600', { Expires: '60' });
      await endsAfter(60_000 + marginMs, dialog);
      subscribe(2, '60', toTag);
      await peer.status(481, 'SUBSCRIBE');
    });

    it('takes the time that was asked for when the application says none', async () => {
      await establish('120', {});
      await endsAfter(120_000 + marginMs, dialog);
    });

    it('counts anew from a refresh that is accepted, and not from one that is refused', async () => {
      await establish('60', { Expires: '60' });
      clock.advance(50_000);
      answer = (_request, response) => response.send(200, { headers: { Expires: '60' } });
      subscribe(2, '60', toTag);
      await peer.status(200, 'SUBSCRIBE');
      clock.advance(50_000);
      answer = (_request, response) => response.send(423);
      subscribe(3, '60', toTag);
      await peer.status(423, 'SUBSCRIBE');
      await endsAfter(10_000 + marginMs, dialog);
    });

    it('waits 64·T1 for the last NOTIFY of a subscription that its peer gives up', async () => {
      await establish('60', { Expires: '60' });
      subscribe(2, '0', toTag);
      await peer.status(202, 'SUBSCRIBE');
      await endsAfter(marginMs, dialog);
    });

    it('shortens it by what a NOTIFY of the application says', async () => {
      await establish('600', { Expires: '600' });
      const notified = dialog.request({
        method: 'NOTIFY',
        headers: { Event: 'Presence', 'Subscription-State': 'active;expires=5' },
      });
      peer.respond(await peer.request('NOTIFY'), 200, 'OK');
      await notified;
      await endsAfter(5_000 + marginMs, dialog);
    });
  });

  describe('as subscriber', () => {
    let dialog: SrfDialog;
    let toTag: string;
    let callId: string;

    const establish = async (headers: readonly string[]): Promise<void> => {
      const call = app.createUAC(`sip:bob@127.0.0.1:${peer.port};transport=udp`, {
        method: 'SUBSCRIBE',
        headers: { Event: 'presence', Expires: '300' },
      });
      const request = await peer.request('SUBSCRIBE');
      callId = request.callId;
      toTag = tagOf(request.from) ?? '';
      peer.respond(request, 200, 'OK', {
        headers: [...headers, `Contact: <sip:bob@127.0.0.1:${peer.port}>`],
      });
      dialog = await call;
    };

    const notify = async (cseq: number, event: string, state: string): Promise<void> => {
      peer.send(
        requestText(peer, {
          method: 'NOTIFY',
          port: lab.udpPort,
          callId,
          fromTag: 'peer',
          toTag,
          cseq,
          headers: [`Event: ${event}`, `Subscription-State: ${state}`],
        }),
      );
      await peer.status(200, 'NOTIFY');
    };

    it('ends the dialog 64·T1 after the time that the notifier has granted', async () => {
      await establish(['Expires: 30']);
      await endsAfter(30_000 + marginMs, dialog);
    });

    it('takes the time that was asked for when the notifier says none', async () => {
      await establish([]);
      await endsAfter(300_000 + marginMs, dialog);
    });

    it('counts anew from its own refresh, and from a NOTIFY that says how long', async () => {
      await establish(['Expires: 30']);
      clock.advance(20_000);
      const refreshed = dialog.request({
        method: 'SUBSCRIBE',
        headers: { Event: 'presence', Expires: '300' },
      });
      peer.respond(await peer.request('SUBSCRIBE'), 200, 'OK', { headers: ['Expires: 40'] });
      await refreshed;
      clock.advance(35_000);
      await notify(1, 'presence', 'active;expires=50');
      clock.advance(20_000);
      await notify(2, 'presence', 'pending');
      await endsAfter(30_000 + marginMs, dialog);
    });

    it('keeps the dialog while another of its subscriptions lasts (RFC 6665 §4.5.2)', async () => {
      await establish(['Expires: 30']);
      await notify(1, 'dialog;id=2', 'active;expires=100');
      await endsAfter(100_000 + marginMs, dialog);
    });
  });
});
