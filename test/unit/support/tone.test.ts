import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { detectTone, sineSamples, toneShare } from '../../support/tone.js';

describe('tone detection on PCM', () => {
  it('names the tone that is there', () => {
    const samples = sineSamples(440, 0.1, 8_000);
    assert.equal(detectTone(samples, 8_000, [350, 440, 700]), 440);
    assert.ok(toneShare(samples, 8_000, 440) > 0.95);
    assert.ok(toneShare(samples, 8_000, 700) < 0.05);
  });

  it('names none in silence, in noise and in another tone', () => {
    let seed = 1;
    const noise = Float32Array.from({ length: 800 }, () => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647 - 0.5;
    });
    assert.equal(detectTone(new Float32Array(800), 8_000, [440]), null);
    assert.equal(detectTone(noise, 8_000, [440, 700]), null);
    assert.equal(detectTone(sineSamples(1_000, 0.1, 8_000), 8_000, [440, 700]), null);
  });
});
