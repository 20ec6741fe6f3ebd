import { CutOffice } from '../support/cut-office.js';
import type { LostSocketCase } from '../support/lost-socket/lost-socket-case.js';
import { runLostSocketTable } from '../support/lost-socket/lost-socket-table.js';
import { requirePeer } from '../support/peers.js';

const cutMs = 500;
/** What is sent in this time is lost without a word. */
const deadMs = 200;

/** The whole table is `npm run soak -- --only lost-socket`. */
describe('a call that loses its socket: Chromium → webtrunk → Kamailio → baresip', function () {
  this.timeout(150_000);
  let office: CutOffice;

  before(async function () {
    const chromium = requirePeer(this, 'chromium');
    const kamailio = requirePeer(this, 'kamailio');
    const baresip = requirePeer(this, 'baresip');
    office = await CutOffice.start({ chromium, kamailio, baresip });
  });
  after(() => office?.close());

  const softphone: readonly LostSocketCase[] = [
    { phase: 'ringing out', end: 'PBX during', cutMs, deadMs },
    { phase: 'early media', end: 'PBX after', cutMs },
    { phase: 'ringing in', end: 'browser after', cutMs },
    { phase: 'established', end: 'browser during', cutMs, deadMs },
    { phase: 'on hold', end: 'PBX during', cutMs, deadMs },
    { phase: 're-INVITE out', end: 'browser after', cutMs, deadMs },
    { phase: 're-INVITE in', end: 'PBX during', cutMs },
  ];
  const jssip: readonly LostSocketCase[] = [
    { phase: 'ringing in', end: 'browser after', cutMs },
    { phase: 'established', end: 'browser during', cutMs },
    { phase: 'on hold', end: 'PBX after', cutMs },
  ];
  const say = (text: string): void => void process.stdout.write(`      ${text}\n`);

  it('goes on with the softphone, whatever it is doing and whoever hangs up', async () => {
    await runLostSocketTable(office, 'softphone', softphone, say);
  });

  it('goes on with JsSIP, which has no help of ours', async () => {
    await runLostSocketTable(office, 'JsSIP', jssip, say);
  });
});
