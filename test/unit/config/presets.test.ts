import assert from 'node:assert/strict';
import { parseConfig } from '../../../gateway/config/load.js';
import { presetNames, trunkPresets, withPresets } from '../../../gateway/config/presets.js';
import { rightConfig, rightEnvironment } from './config-fixtures.js';

const withTrunk = (trunk: string): string =>
  rightConfig
    .replace(/trunks:\n(?: {2,}.*\n)+/, `trunks: [${trunk}]\n`)
    .replace(
      /^media:\n(?: {2,}.*\n)+/m,
      'media: { engine: rtpengine, rtpengine: [{ ng: "udp:127.0.0.1:2223" }] }\n',
    )
    .replace(/from_trunk: office/, 'from_trunk: pbx')
    .replace(/trunks: \[office\]/, 'trunks: [pbx]');

const load = (trunk: string) => parseConfig(withTrunk(trunk), '/x/webtrunk.yaml', rightEnvironment);

describe('presets of trunks', () => {
  for (const preset of presetNames) {
    it(`${preset} needs no more than a name, a type, hosts and credentials`, async () => {
      const type = 'type' in trunkPresets[preset] ? '' : 'type: auth, ';
      const isOpen = 'type' in trunkPresets[preset] && trunkPresets[preset].type === 'ip';
      const auth = isOpen ? '' : ', auth: { username: gw, password: p }';
      const numbers = preset === 'twilio' || preset === 'teams' ? ', numbers: { country: US }' : '';
      const hosts = 'hosts: [{ uri: "sip:192.0.2.1" }]';
      const { trunks } = await load(`{ name: pbx, preset: ${preset}, ${type}${hosts}${auth}${numbers} }`);
      assert.deepEqual(trunks[0]?.media.codecs, trunkPresets[preset].media.codecs);
    });
  }

  it('yield to what is written, key by key', () => {
    const trunks = [{ preset: 'asterisk', media: { ptime: 30 }, options: { every: '60s' } }];
    assert.deepEqual(withPresets({ trunks }), {
      trunks: [
        {
          preset: 'asterisk',
          media: { ...trunkPresets.asterisk.media, ptime: 30 },
          options: { every: '60s', fail_after: 3 },
        },
      ],
    });
  });

  it('leave alone what is no list of trunks, or no preset that is known', () => {
    for (const file of [undefined, 3, {}, { trunks: 'x' }, { trunks: [3, { preset: 'x' }, { preset: 7 }] }])
      assert.deepEqual(withPresets(file), file);
  });

  it('that are not known are told with those that are', async () => {
    await assert.rejects(
      load('{ name: pbx, preset: asteriks, type: ip, hosts: [{ uri: "sip:192.0.2.1" }] }'),
      {
        message: /trunks\[0\]\.preset: .*asteriks.* one of asterisk, freeswitch, cisco_cube, twilio, teams/,
      },
    );
  });
});
