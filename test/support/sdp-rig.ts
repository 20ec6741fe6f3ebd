import assert from 'node:assert/strict';
import { newBranch, newCallId, type SipRequest, type SipResponse } from '../../sip/message/index.js';
import { ipTrunk, passwordOf, startGateway, usersRoute, type Gateway } from './gateway.js';
import { idle } from './idle.js';
import { fixture, pbxSdp } from './sdp-fixtures.js';
import { UdpPeer } from './sip-peer.js';
import { requestBytes } from './sip-text.js';
import { acknowledge, inDialog } from './ws-call.js';
import { asResponse, WsSipClient } from './ws-sip-client.js';

export const here = '127.0.0.1';
export const browserOffer = fixture('audio-offer.trickle');
/** The browser's answer to whatever we offer: G.711 alone. */
export const browserAnswer = browserOffer
  .replace('a=setup:actpass', 'a=setup:active')
  .replace(/^(m=audio \d+ \S+) .*\r$/m, '$1 0\r');

/** The description with another direction. */
export const directed = (sdp: string, direction: string): string =>
  sdp.replace(/^a=(?:sendrecv|sendonly|recvonly|inactive)\r$/m, `a=${direction}\r`);

export const directionOf = (sdp: string): string | undefined =>
  /^a=(sendrecv|sendonly|recvonly|inactive)\r$/m.exec(sdp)?.[1];

/** The PBX's description: PCMU alone. */
export const pbx = (lines: readonly string[] = ['a=sendrecv'], address = here): string =>
  pbxSdp('0', lines, address);

export const warning = (response: SipResponse): string | undefined => response.headers.get('Warning');

/** A call of alice's to the PBX. */
export interface Connected {
  readonly invite: SipRequest;
  readonly answered: SipResponse;
}

/** Alice's browser and a PBX, both scripted, with a whole gateway between them; its media engine is the relay. */
export class SdpRig {
  private constructor(
    readonly gateway: Gateway,
    readonly alice: WsSipClient,
    readonly office: UdpPeer,
  ) {}

  static async open(): Promise<SdpRig> {
    const office = await UdpPeer.open(0);
    const trunk = ipTrunk('office', `sip:${here}:${office.port};transport=udp`);
    const gateway = await startGateway({
      trunks: [{ ...trunk, media: { ...trunk.media, codecs: ['PCMU', 'PCMA'] } }],
      routes: [
        usersRoute,
        { ...usersRoute, name: 'office', match: /^600$/, to: { kind: 'trunks', trunks: ['office'] } },
      ],
    });
    office.aim(Number(gateway.sipAddress.split(':')[1]));
    const alice = await WsSipClient.connect(gateway.wsUrl, { user: 'alice', password: passwordOf('alice') });
    assert.equal((await alice.register()).status, 200);
    return new SdpRig(gateway, alice, office);
  }

  /** Alice calls the PBX. */
  dial(body: string, headers: readonly string[] = []): void {
    const type = body === '' ? [] : ['Content-Type: application/sdp'];
    this.alice.send(
      this.alice.request('INVITE', 'sip:600@localhost', {
        headers: ['To: <sip:600@localhost>', ...type, ...headers],
        body,
      }),
    );
  }

  /** The response of that status that alice gets, from message `since` on. */
  async heard(status: number, method: string, since = 0): Promise<SipResponse> {
    return asResponse(
      await this.alice.next(
        (text) => text.startsWith(`SIP/2.0 ${status}`) && new RegExp(`^CSeq: \\d+ ${method}`, 'm').test(text),
        since,
      ),
    );
  }

  /** Alice calls the PBX, which takes the call. */
  async connect(): Promise<Connected> {
    this.dial(browserOffer);
    const invite = await this.office.request('INVITE');
    this.office.respond(invite, 200, 'OK', { body: pbx() });
    const answered = await this.heard(200, 'INVITE');
    acknowledge(this.alice, answered);
    await this.office.request('ACK');
    return { invite, answered };
  }

  /** A request of the PBX's in the dialog of our INVITE; gives what cancels it. */
  fromOffice(invite: SipRequest, method: string, cseq: number, body = ''): () => void {
    const branch = newBranch();
    this.#fromOffice(invite, method, { cseq, branch, body });
    return () => this.#fromOffice(invite, 'CANCEL', { cseq, branch, body: '' });
  }

  #fromOffice(
    invite: SipRequest,
    method: string,
    { cseq, branch, body }: { readonly cseq: number; readonly branch: string; readonly body: string },
  ): void {
    const [, target = ''] = /<([^>]+)>/.exec(invite.headers.get('contact') ?? '') ?? [];
    this.office.send(
      requestBytes(
        method,
        {
          start: `${method} ${target} SIP/2.0`,
          Via: `SIP/2.0/UDP ${here}:${this.office.port};branch=${branch}`,
          From: `${invite.headers.get('to') ?? ''};tag=peer`,
          To: invite.headers.get('from') ?? '',
          'Call-ID': invite.callId,
          CSeq: `${cseq} ${method}`,
          Contact: `<sip:peer@${here}:${this.office.port}>`,
          ...(body === '' ? {} : { 'Content-Type': 'application/sdp' }),
        },
        body,
      ),
    );
  }

  /** The PBX calls alice; gives what sends more requests of that call. */
  callAlice(body: string): (method: string, to: string, cseq: number, content?: string) => void {
    const callId = newCallId();
    const send = (method: string, changes: Readonly<Record<string, string>>, content: string): void =>
      this.office.send(
        requestBytes(
          method,
          {
            start: `${method} sip:alice@${this.gateway.sipAddress} SIP/2.0`,
            Via: `SIP/2.0/UDP ${here}:${this.office.port};branch=${newBranch()}`,
            'Call-ID': callId,
            Contact: `<sip:bob@${here}:${this.office.port}>`,
            ...(content === '' ? {} : { 'Content-Type': 'application/sdp' }),
            ...changes,
          },
          content,
        ),
      );
    send('INVITE', { CSeq: '1 INVITE' }, body);
    return (method, to, cseq, content = '') => send(method, { To: to, CSeq: `${cseq} ${method}` }, content);
  }

  /** Alice hangs up. */
  async leave({ answered }: Connected): Promise<void> {
    const bye = this.alice.transact(inDialog(this.alice, 'BYE', answered));
    this.office.respond(await this.office.request('BYE'), 200, 'OK');
    assert.equal((await bye).status, 200);
  }

  /** Alice hangs up, and nothing is left of the call. */
  async hangUp(call: Connected): Promise<void> {
    await this.leave(call);
    await idle(this.gateway);
  }

  /** A re-INVITE of the browser's that the PBX answers; gives what both saw. */
  async reinvite(
    call: Connected,
    offer: string,
    reply: string,
    status = 200,
  ): Promise<{ readonly told: string; readonly answered: SipResponse }> {
    const done = this.alice.transact(inDialog(this.alice, 'INVITE', call.answered, { sdp: offer }));
    const told = await this.office.request('INVITE');
    if (status === 200) this.office.respond(told, 200, 'OK', { body: reply });
    else this.office.respond(told, status, 'Not Acceptable Here', { headers: ['Warning: 304 pbx "no"'] });
    const answered = await done;
    await this.office.request('ACK');
    if (answered.status === 200) acknowledge(this.alice, answered);
    return { told: told.body.toString(), answered };
  }

  async close(): Promise<void> {
    await this.alice.close();
    await this.office.close();
    await this.gateway.close();
  }
}
