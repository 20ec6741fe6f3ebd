import assert from 'node:assert/strict';
import { launchChromium, type TestBrowser } from '../support/chromium.js';
import { absentRows, EngineRig } from '../support/matrix/engine-rig.js';
import { keep, keeps, withTable } from '../support/matrix/kept-table.js';
import { absentOf, groupsOf, type PeerPrograms } from '../support/matrix/peers-of.js';
import { engines, type EngineName, type Row } from '../support/matrix/steps.js';
import { tableOf } from '../support/matrix/table.js';
import { requirePeer } from '../support/peers.js';

/** Chromium × media engine × who calls × what is on the other side × what is done in the call. */
describe('the matrix of media', function () {
  this.timeout(180_000);
  let browser: TestBrowser;
  let programs: PeerPrograms;
  const rows: Row[] = [];

  before(async function () {
    const chromium = requirePeer(this, 'chromium');
    programs = {
      baresip: requirePeer(this, 'baresip'),
      rtpengine: requirePeer(this, 'rtpengine'),
      sipp: requirePeer(this, 'sipp'),
    };
    browser = await launchChromium(chromium, 440);
  });

  after(async () => {
    await browser?.close();
  });

  const rowsOf = async (engine: EngineName): Promise<readonly Row[]> => {
    const groups = await groupsOf(engine, browser, programs);
    const rigs = await Promise.all(groups.map((group) => EngineRig.start(engine, group, programs.rtpengine)));
    try {
      const seen = await Promise.all(rigs.map((rig) => rig.rows(browser)));
      const absent = absentOf[engine].flatMap(([peer, reason]) => absentRows(engine, peer, reason));
      return [...seen.flat(), ...absent];
    } finally {
      await Promise.all(rigs.map((rig) => rig.close()));
    }
  };

  for (const engine of engines) {
    it(`has no failure with ${engine}`, async () => {
      const seen = await rowsOf(engine);
      rows.push(...seen);
      const failed = seen.flatMap(({ caller, peer, cells }) =>
        [...cells].flatMap(([step, cell]) =>
          cell.outcome === 'failed' && cell.reason !== ''
            ? [`${caller} calls, ${peer}, ${step}: ${cell.reason}`]
            : [],
        ),
      );
      assert.deepEqual(failed, []);
    });
  }

  it('is the one in docs/interop.md', async () => {
    const table = tableOf(rows);
    process.stdout.write(`${table}\n`);
    const { kept, seen } = await withTable(table);
    if (keeps) await keep(seen);
    else assert.equal(kept, seen);
  });
});
