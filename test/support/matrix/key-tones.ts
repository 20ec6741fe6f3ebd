const rows = [697, 770, 852, 941] as const;
const columns = [1_209, 1_336, 1_477, 1_633] as const;
const keys = '123A456B789C*0#D';

/** The two frequencies of a key, in hertz (ITU-T Q.23). */
export function keyTones(key: string): readonly [number, number] {
  const at = keys.indexOf(key);
  const [low, high] = [rows[Math.floor(at / columns.length)], columns[at % columns.length]];
  if (low === undefined || high === undefined) throw new Error(`${key} is no key`);
  return [low, high];
}
