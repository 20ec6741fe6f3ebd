/** G.711 μ-law at 8 kHz (ITU-T G.711), for the tone of a test call. */

const bias = 0x84;
const clip = 32_635;

/** Encodes one sample of 16 bits. */
export function encodeMuLaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), clip) + bias;
  const exponent = Math.max(Math.floor(Math.log2(magnitude)) - 7, 0);
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}

/** Decodes one octet to a sample of 16 bits. */
export function decodeMuLaw(octet: number): number {
  const bits = ~octet & 0xff;
  const magnitude = (((bits & 0x0f) << 3) + bias) << ((bits >> 4) & 0x07);
  return bits & 0x80 ? bias - magnitude : magnitude - bias;
}
