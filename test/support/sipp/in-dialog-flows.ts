import assert from 'node:assert/strict';
import { sdp } from '../sip-peer.js';
import type { SrfApp, SrfDialog, SrfRequest, SrfResponse } from '../srf-app.js';
import { longHeaders, sippSdp, type Pattern, type Script } from './script.js';

const branch = 'z9hG4bK-re-[pid]-[call_number]';
const offer = { body: sippSdp(6002) };
const elsewhere = { body: sippSdp(6004) };

const keepAlive = { ...offer, headers: ['Supported: timer', 'Session-Expires: 90;refresher=uac'] };
const keptAlive = { headers: ['Require: timer', 'Session-Expires: 90;refresher=uac'] };
const refresh: readonly Pattern[] = [['Session-Expires', '90;refresher=uac']];
const expired: readonly Pattern[] = [['Reason', 'Session timer expired']];

/** A call that was answered, as the application has it. */
export interface AnsweredCall {
  readonly app: SrfApp;
  readonly dialog: SrfDialog;
  /** The ACK is there or was sent, or what came after it. */
  readonly acknowledged: Promise<unknown>;
  readonly destroyed: Promise<unknown>;
}

/** Something that happens in a call that was answered, whoever called. */
export interface InDialogFlow {
  readonly name: string;
  /** SIPp's part, after the ACK. It has used CSeq numbers below 10. */
  play(script: Script): unknown;
  /** The application's part. */
  act(call: AnsweredCall): Promise<unknown>;
  /** There is a session timer of 90 s, 1.2 s by the clock here, and this side is to refresh it (RFC 4028). */
  readonly refresher?: 'SIPp' | 'application';
  /** It ends the call; else SIPp does, with CSeq 20. */
  readonly endsCall?: boolean;
  /** Something is lost and must be repeated, as streams need not. */
  readonly only?: 'udp';
  readonly needsTime?: boolean;
}

/** SIPp hangs up. */
export function bye(sipp: Script, cseq = 20): Script {
  return sipp.sends('BYE', cseq).gets(200, 'BYE');
}

/** The next request of SIPp's that drachtio-srf tells as this event. */
function asked(dialog: SrfDialog, event: string): Promise<{ request: SrfRequest; response: SrfResponse }> {
  return new Promise((resolve) => {
    dialog.once(event, (request: SrfRequest, response: SrfResponse) => resolve({ request, response }));
  });
}

/** A request of the application's, and its final status. */
async function request(call: AnsweredCall, method: string, status: number): Promise<SrfResponse> {
  await call.acknowledged;
  const response = await call.dialog.request({ method, body: sdp(8004) });
  assert.equal(response.status, status);
  return response;
}

/** Sends a re-INVITE and CANCEL right after it. */
async function takeBack({ app, dialog, acknowledged }: AnsweredCall): Promise<void> {
  await acknowledged;
  const options = { method: 'INVITE', stackDialogId: dialog.id, body: sdp(8004) };
  const status = await new Promise((resolve, reject) => {
    app.request(dialog.remote.uri, options, (error, sent) => {
      if (error !== null) return reject(error);
      sent.on('response', (response: SrfResponse, ack: () => void) => {
        if (response.status < 200) return;
        ack();
        resolve(response.status);
      });
      sent.cancel({}, () => undefined);
    });
  });
  assert.equal(status, 487);
}

async function hangUp(call: AnsweredCall): Promise<void> {
  await call.acknowledged;
  await call.dialog.destroy();
}

export const inDialogFlows: readonly InDialogFlow[] = [
  {
    name: 'SIPp hangs up',
    play: (sipp) => bye(sipp),
    act: ({ destroyed }) => destroyed,
    endsCall: true,
  },
  {
    name: 'SIPp hangs up, and the 200 is lost',
    play: (sipp) =>
      sipp.sends('BYE', 20, { branch }).gets(200, 'BYE').sends('BYE', 20, { branch }).gets(200, 'BYE'),
    act: ({ destroyed }) => destroyed,
    endsCall: true,
    only: 'udp',
  },
  {
    name: 'the application hangs up',
    play: (sipp) => sipp.takes('BYE').answers('BYE', 200),
    act: hangUp,
    endsCall: true,
  },
  {
    name: 'the application hangs up, and BYE is lost',
    play: (sipp) => sipp.takes('BYE').takes('BYE').answers('BYE', 200),
    act: hangUp,
    endsCall: true,
    only: 'udp',
    needsTime: true,
  },
  {
    name: 'both hang up at once',
    play: (sipp) => sipp.takes('BYE').sends('BYE', 20).gets(200, 'BYE').answers('BYE', 200),
    act: hangUp,
    endsCall: true,
  },
  {
    name: 'SIPp offers anew',
    play: (sipp) => sipp.sends('INVITE', 10, offer).gets(100).gets(200).sends('ACK', 10),
    act: async ({ dialog }) => {
      const { request, response } = await asked(dialog, 'modify');
      assert.match(request.body, /m=audio 6002/);
      response.send(200, { body: sdp(8002) });
    },
  },
  {
    name: 'SIPp offers anew, and the 200 is lost',
    play: (sipp) => sipp.sends('INVITE', 10, offer).gets(100).gets(200).gets(200).sends('ACK', 10),
    act: async ({ dialog }) => {
      const { response } = await asked(dialog, 'modify');
      response.send(200, { body: sdp(8002) });
    },
    needsTime: true,
  },
  {
    name: 'SIPp wants an offer',
    play: (sipp) => sipp.sends('INVITE', 10).gets(100).gets(200).sends('ACK', 10, offer),
    act: async ({ dialog, destroyed }) => {
      const { response } = await asked(dialog, 'modify');
      response.send(200, { body: sdp(8002) });
      await destroyed;
      assert.match(dialog.remote.sdp, /m=audio 6002/);
    },
  },
  {
    name: 'SIPp offers anew and is refused',
    play: (sipp) =>
      sipp
        .sends('INVITE', 10, { ...offer, branch })
        .gets(100)
        .gets(488)
        .sends('ACK', 10, { branch }),
    act: async ({ dialog }) => {
      const { response } = await asked(dialog, 'modify');
      response.send(488);
    },
  },
  {
    name: 'SIPp takes its new offer back',
    play: (sipp) =>
      sipp
        .sends('INVITE', 10, { ...offer, branch })
        .gets(100)
        .sends('CANCEL', 10, { branch })
        .gets(200, 'CANCEL')
        .gets(487)
        .sends('ACK', 10, { branch }),
    act: ({ dialog }) =>
      new Promise((resolve) => {
        dialog.once('modify', (request: SrfRequest) => request.once('cancel', resolve));
      }),
  },
  {
    name: 'the application offers anew',
    play: (sipp) => sipp.takes('INVITE', [], 're').answers('re', 100).answers('re', 200, offer).takes('ACK'),
    act: (call) => request(call, 'INVITE', 200),
  },
  {
    name: 'the application offers anew, and its INVITE is lost',
    play: (sipp) =>
      sipp.takes('INVITE', [], 're').takes('INVITE', [], 're').answers('re', 200, offer).takes('ACK'),
    act: (call) => request(call, 'INVITE', 200),
    only: 'udp',
    needsTime: true,
  },
  {
    name: 'the application offers anew, and its ACK is lost',
    play: (sipp) =>
      sipp
        .takes('INVITE', [], 're')
        .answers('re', 200, offer)
        .takes('ACK')
        .answers('re', 200, offer)
        .takes('ACK', [['CSeq', ' ACK$']]),
    act: (call) => request(call, 'INVITE', 200),
  },
  {
    name: 'the application offers anew, at length',
    play: (sipp) =>
      sipp
        .takes('INVITE', [['X-Long-39', 'x{180}']], 're')
        .answers('re', 200, offer)
        .takes('ACK'),
    act: async ({ acknowledged, dialog }) => {
      await acknowledged;
      const { status } = await dialog.request({
        method: 'INVITE',
        body: sdp(8004),
        headers: { ...longHeaders },
      });
      assert.equal(status, 200);
    },
  },
  {
    name: 'the application offers anew and is refused',
    play: (sipp) => sipp.takes('INVITE', [], 're').answers('re', 488).takes('ACK'),
    act: (call) => request(call, 'INVITE', 488),
  },
  {
    name: 'the application takes its new offer back',
    play: (sipp) =>
      sipp
        .takes('INVITE', [], 're')
        .answers('re', 100)
        .takes('CANCEL')
        .answers('CANCEL', 200)
        .answers('re', 487)
        .takes('ACK'),
    act: takeBack,
  },
  {
    name: 'both offer anew at once',
    play: (sipp) =>
      sipp
        .takes('INVITE', [], 're')
        .sends('INVITE', 10, { ...offer, branch })
        .gets(491)
        .sends('ACK', 10, { branch })
        .answers('re', 491)
        .takes('ACK'),
    act: (call) => request(call, 'INVITE', 491),
  },
  {
    name: 'SIPp updates the session',
    play: (sipp) =>
      sipp.sends('UPDATE', 10, offer).gets(200, 'UPDATE', [['Content-Type', 'application/sdp']]),
    act: async ({ dialog }) => {
      const { request, response } = await asked(dialog, 'update');
      assert.match(request.body, /m=audio 6002/);
      response.send(200, { body: sdp(8002) });
    },
  },
  {
    name: 'the application updates the session',
    play: (sipp) => sipp.takes('UPDATE').answers('UPDATE', 200, elsewhere),
    act: async (call) => assert.match((await request(call, 'UPDATE', 200)).body, /m=audio 6004/),
  },
  {
    name: 'the application updates the session, and UPDATE is lost',
    play: (sipp) => sipp.takes('UPDATE').takes('UPDATE').answers('UPDATE', 200, elsewhere),
    act: (call) => request(call, 'UPDATE', 200),
    only: 'udp',
    needsTime: true,
  },
  {
    name: 'SIPp refreshes the session by re-INVITE',
    play: (sipp) =>
      sipp.pause(800).sends('INVITE', 10, keepAlive).gets(100).gets(200).sends('ACK', 10).pause(800),
    act: ({ acknowledged }) => acknowledged,
    refresher: 'SIPp',
    needsTime: true,
  },
  {
    name: 'SIPp refreshes the session by UPDATE',
    play: (sipp) =>
      sipp.pause(800).sends('UPDATE', 10, { headers: keepAlive.headers }).gets(200, 'UPDATE').pause(800),
    act: ({ acknowledged }) => acknowledged,
    refresher: 'SIPp',
    needsTime: true,
  },
  {
    name: 'SIPp wants a session interval that is too brief',
    play: (sipp) =>
      sipp
        .sends('UPDATE', 10, { headers: ['Supported: timer', 'Session-Expires: 60;refresher=uac'] })
        .gets(422, 'UPDATE', [['Min-SE', '90']]),
    act: ({ acknowledged }) => acknowledged,
    refresher: 'SIPp',
    needsTime: true,
  },
  {
    name: 'SIPp does not refresh the session',
    play: (sipp) => sipp.takes('BYE', expired).answers('BYE', 200),
    act: ({ destroyed }) => destroyed,
    refresher: 'SIPp',
    endsCall: true,
    needsTime: true,
  },
  {
    name: 'the engine refreshes the session, twice',
    play: (sipp) => {
      for (let round = 1; round <= 2; round += 1) {
        sipp
          .takes('INVITE', refresh, 're')
          .answers('re', 200, { ...offer, ...keptAlive })
          .takes('ACK');
      }
    },
    act: ({ acknowledged }) => acknowledged,
    refresher: 'application',
    needsTime: true,
  },
  {
    name: 'the engine refreshes the session, and the first two messages are lost',
    play: (sipp) =>
      sipp
        .takes('INVITE', refresh, 're')
        .takes('INVITE', refresh, 're')
        .answers('re', 200, { ...offer, ...keptAlive })
        .takes('ACK')
        .answers('re', 200, { ...offer, ...keptAlive })
        .takes('ACK'),
    act: ({ acknowledged }) => acknowledged,
    refresher: 'application',
    only: 'udp',
    needsTime: true,
  },
  {
    name: 'the engine refreshes the session and is refused',
    play: (sipp) =>
      sipp
        .takes('INVITE', refresh, 're')
        .answers('re', 481)
        .takes('ACK')
        .takes('BYE', expired)
        .answers('BYE', 200),
    act: ({ destroyed }) => destroyed,
    refresher: 'application',
    endsCall: true,
    needsTime: true,
  },
];
