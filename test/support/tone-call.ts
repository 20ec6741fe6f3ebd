import { AudioCall, type AudioCallOptions } from './audio-call.js';
import { audioPort } from './media-session.js';
import { ToneBrowser } from './rtpengine-rig.js';
import { TonePhone } from './tone-phone.js';
import { acknowledge, answer, inDialog, nextRequest } from './ws-call.js';
import { asResponse } from './ws-sip-client.js';

export interface ToneCallOptions extends Omit<AudioCallOptions, 'browser' | 'describe'> {
  /** What the phone answers to this offer; its plain description when not given. */
  readonly describe?: (phone: TonePhone, offer: string) => string;
  /** The port that the phone sends to, instead of the one that it is told. */
  readonly way?: (port: number) => Promise<number>;
}

const browserHz = 450;
const phoneHz = 1_000;
const quietMs = 100;

/** A call of alice's browser to a PBX through a whole gateway, with a tone of its own at each end. */
export class ToneCall {
  readonly browserHz = browserHz;
  #pbxSequence = 10;

  private constructor(
    readonly call: AudioCall,
    public browser: ToneBrowser,
    readonly phone: TonePhone,
    /** What webtrunk has offered to the PBX. */
    readonly offered: string,
  ) {}

  static async open({ describe, way, ...options }: ToneCallOptions): Promise<ToneCall> {
    const [browser, phone] = [new ToneBrowser(browserHz), await TonePhone.start(phoneHz)];
    const call = await AudioCall.open({
      ...options,
      browser,
      describe: (offer) => describe?.(phone, offer) ?? phone.sdp(),
    });
    const offered = call.invite.body.toString();
    const port = audioPort(offered);
    const nearest = way === undefined ? port : await way(port);
    phone.speakTo(offered.replace(`m=audio ${port}`, `m=audio ${nearest}`));
    await browser.speak();
    return new ToneCall(call, browser, phone, offered);
  }

  /** Both hear the other one, in what comes from now on. */
  async bothHear(): Promise<void> {
    await Promise.all([this.browserHears(), this.phoneHears()]);
  }

  browserHears(): Promise<void> {
    return this.browser.waitForTone(phoneHz);
  }

  phoneHears(): Promise<void> {
    return this.phone.waitForTone(browserHz, this.phone.received);
  }

  /** Resolves once nothing of the phone's is on its way to the browser any more. */
  async browserIsQuiet(): Promise<void> {
    for (let heard = -1; heard !== this.browser.peer.packets.length;) {
      heard = this.browser.peer.packets.length;
      await new Promise((resolve) => setTimeout(resolve, quietMs));
    }
  }

  /** The PBX sends a re-INVITE, the browser takes it; gives what the PBX is answered. */
  async pbxChanges(sdp: string): Promise<string> {
    const { alice, pbx } = this.call;
    const cseq = (this.#pbxSequence += 1);
    const since = alice.received.length;
    this.call.pbxSends('INVITE', cseq, 'application/sdp', sdp);
    const invite = await nextRequest(alice, 'INVITE', since);
    answer(alice, invite, 200, { sdp: this.browser.reanswer('sendrecv') });
    const answered = await pbx.status(200, 'INVITE');
    this.call.pbxSends('ACK', cseq);
    return answered.body.toString();
  }

  /** The browser starts its media anew; gives what the PBX is offered, which it answers with `sdp`. */
  async browserRestarts(sdp: string): Promise<string> {
    const { alice, pbx, answered } = this.call;
    this.browser.close();
    this.browser = new ToneBrowser(browserHz);
    const since = alice.received.length;
    alice.send(inDialog(alice, 'INVITE', answered, { sdp: await this.browser.offer() }));
    const invite = await pbx.request('INVITE');
    pbx.respond(invite, 200, 'OK', { body: sdp });
    const response = asResponse(await alice.next((text) => text.startsWith('SIP/2.0 200'), since));
    acknowledge(alice, response);
    await pbx.request('ACK');
    this.browser.peer.takeAnswer(response.body.toString());
    await this.browser.speak();
    return invite.body.toString();
  }

  async close(): Promise<void> {
    this.browser.hush();
    this.phone.close();
    await this.call.close();
    this.browser.close();
  }
}
