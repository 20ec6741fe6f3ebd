import { readdirSync, readFileSync } from 'node:fs';

const folder = new URL('../../../test/unit/sdp/fixtures/', import.meta.url);

/** A captured description, by its file name without `.sdp`. */
export function fixture(name: string): string {
  return readFileSync(new URL(`${name}.sdp`, folder), 'utf8');
}

/** Names of all captured descriptions. */
export function fixtureNames(): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sdp'))
    .map((file) => file.slice(0, -'.sdp'.length));
}

/** An audio description of a PBX; `lines` are attributes of its audio line. */
export function pbxSdp(formats: string, lines: readonly string[] = [], address = '198.51.100.7'): string {
  const family = address.includes(':') ? 'IP6' : 'IP4';
  return [
    'v=0',
    `o=pbx 1 1 IN ${family} ${address}`,
    's=call',
    `c=IN ${family} ${address}`,
    't=0 0',
    `m=audio 4000 RTP/AVP ${formats}`,
    ...lines,
    '',
  ].join('\r\n');
}
