/** What a preset fills in: keys of a trunk, as they are written in the file. What the file says itself goes first. */
type TrunkDefaults = Readonly<Record<string, unknown>>;

const watched = { every: '30s', fail_after: 3 };

/** Signalling addresses as Twilio documents them for Elastic SIP Trunking, by region. */
const twilioAddresses = [
  '54.172.60.0/30',
  '54.244.51.0/30',
  '54.171.127.192/30',
  '35.156.191.128/30',
  '54.65.63.192/30',
  '54.169.127.128/30',
  '54.252.254.64/30',
  '177.71.206.192/30',
];

/** Of Teams Direct Routing, as learn.microsoft.com documents them (direct-routing-plan); not tried against it. */
const teamsAddresses = ['52.112.0.0/14', '52.122.0.0/15'];

/** Peers that many have, with what is sensible for them. */
export const trunkPresets = {
  asterisk: {
    options: watched,
    media: { codecs: ['opus', 'G722', 'PCMU', 'PCMA'], ptime: 20 },
  },
  freeswitch: {
    options: watched,
    media: { codecs: ['opus', 'G722', 'PCMU', 'PCMA'], ptime: 20 },
  },
  cisco_cube: {
    type: 'ip',
    options: watched,
    media: { codecs: ['G722', 'PCMU', 'PCMA'], ptime: 20 },
  },
  twilio: {
    type: 'auth',
    inbound: { allow: twilioAddresses },
    numbers: { out: 'e164' },
    media: { codecs: ['PCMU', 'PCMA'], ptime: 20 },
  },
  teams: {
    type: 'ip',
    options: { every: '60s', fail_after: 3 },
    inbound: { allow: teamsAddresses },
    numbers: { out: 'e164' },
    media: { codecs: ['G722', 'PCMU', 'PCMA'], ptime: 20, srtp: 'required' },
  },
} as const satisfies Readonly<Record<string, TrunkDefaults>>;

export type TrunkPreset = keyof typeof trunkPresets;

export const presetNames = [
  'asterisk',
  'freeswitch',
  'cisco_cube',
  'twilio',
  'teams',
] as const satisfies readonly TrunkPreset[];

/** Fills in, below what is written, what the presets of the trunks say. Changes nothing that is not as it should be. */
export function withPresets(file: unknown): unknown {
  if (!isFields(file) || !Array.isArray(file['trunks'])) return file;
  return { ...file, trunks: file['trunks'].map((trunk: unknown) => withPreset(trunk)) };
}

function withPreset(trunk: unknown): unknown {
  if (!isFields(trunk)) return trunk;
  const name = trunk['preset'];
  return typeof name === 'string' && isPreset(name) ? merged(trunkPresets[name], trunk) : trunk;
}

/** Lists are not merged: what the file says stands. */
function merged(below: unknown, above: unknown): unknown {
  if (above === undefined) return below;
  if (!isFields(below) || !isFields(above)) return above;
  const keys = new Set([...Object.keys(below), ...Object.keys(above)]);
  return Object.fromEntries([...keys].map((key) => [key, merged(below[key], above[key])]));
}

function isPreset(name: string): name is TrunkPreset {
  return Object.hasOwn(trunkPresets, name);
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
