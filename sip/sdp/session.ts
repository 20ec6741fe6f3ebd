import sdpTransform from 'sdp-transform';
import { SipFailure } from '../failure.js';
import { staticCodec } from './codecs.js';
import type {
  AddressFamily,
  Direction,
  DtlsSetup,
  MediaSection,
  SdpAddress,
  SdpCandidate,
  SdpCodec,
  SdpCrypto,
  SdpFeedback,
  SdpFingerprint,
  SdpOrigin,
  SdpSession,
} from './description.js';
import { keyParameters, readCrypto } from './crypto.js';
import { malformed } from './refusal.js';
import { scanSdp, sdpLimits } from './scan.js';
import { isIceText } from './trickle.js';

type RawSession = sdpTransform.SessionDescription;
type RawMedia = sdpTransform.MediaDescription;
type RawConnection = RawSession['connection'];

/**
 * Reads a session description (RFC 8866). Returns `media.sdp_malformed` with the line or field at fault; never throws.
 * Time is linear in the text, whose size is bounded first ({@link sdpLimits}).
 */
export function parseSession(text: string): SdpSession | SipFailure {
  const lines = scanSdp(text);
  if (lines instanceof SipFailure) return lines;
  const raw = sdpTransform.parse(lines);
  const origin = readOrigin(raw);
  if (origin === undefined) return malformed('o= cannot be read');
  const sections: MediaSection[] = [];
  for (const [index, media] of raw.media.entries()) {
    const section = readSection(media, raw);
    if (typeof section === 'string') return malformed(`m= line ${index + 1}: ${section}`);
    sections.push(section);
  }
  const bundle = readBundle(raw);
  return { origin, bundle, media: inheritTransport(sections, bundle) };
}

/**
 * Writes a session description with CRLF line ends. The values must come from {@link parseSession} or from our own
 * tables: they are free of line breaks.
 */
export function writeSession(session: SdpSession): string {
  return sdpTransform.write({
    version: 0,
    origin: {
      username: session.origin.username,
      sessionId: session.origin.sessionId,
      // Exact for the versions that we write ourselves; the library knows numbers only.
      sessionVersion: Number(session.origin.sessionVersion),
      netType: 'IN',
      ipVer: session.origin.family,
      address: session.origin.host,
    },
    name: '-',
    ...connection(session.address),
    timing: { start: 0, stop: 0 },
    ...(session.bundle.length === 0 ? {} : { groups: [{ type: 'BUNDLE', mids: session.bundle.join(' ') }] }),
    media: session.media.map(writeSection),
  });
}

function readOrigin(raw: RawSession): SdpOrigin | undefined {
  // Absent or empty when the line does not match: the library's type promises more than its parser keeps.
  const origin: Partial<RawSession['origin']> | undefined = raw.origin;
  const family = familyOf(origin?.ipVer);
  const sessionId = textOf(origin?.sessionId);
  const sessionVersion = textOf(origin?.sessionVersion);
  const host = textOf(origin?.address);
  if (family === undefined || sessionId === '' || sessionVersion === '' || host === '') return undefined;
  return { username: textOf(origin?.username) || '-', sessionId, sessionVersion, family, host };
}

function readSection(media: RawMedia, raw: RawSession): MediaSection | string {
  const kind = textOf(media.type);
  const port = wholeNumber(media.port);
  const protocol = textOf(media.protocol);
  const formats = textOf(media.payloads)
    .split(' ')
    .filter((format) => format !== '');
  if (kind === '' || protocol === '' || formats.length === 0)
    return 'not of the form m=kind port protocol formats';
  if (port === undefined || port > 65_535) return 'port is not a number from 0 to 65535';
  if (formats.length > sdpLimits.maxFormats) return `more than ${sdpLimits.maxFormats} formats`;
  const address = readAddress(media.connection) ?? readAddress(raw.connection);
  const mid = textOf(media.mid);
  const direction: Direction = media.direction ?? raw.direction ?? 'sendrecv';
  return {
    kind,
    port,
    protocol,
    formats,
    codecs: protocol.includes('RTP/') ? readCodecs(media, formats) : [],
    ...(address === undefined ? {} : { address }),
    direction,
    ...readPacketTimes(media),
    ...readBandwidth(media),
    ...readFeedback(media),
    ...readRtcp(media),
    rtcpMux: media.rtcpMux !== undefined,
    bundleOnly: media.bundleOnly !== undefined,
    ...(mid === '' ? {} : { mid }),
    ...readSecurity(media, raw),
    ...readCryptoLines(media),
    candidates: readCandidates(media),
    endOfCandidates: media.endOfCandidates !== undefined,
  };
}

function readPacketTimes(media: RawMedia): Pick<MediaSection, 'ptimeMs' | 'maxPtimeMs'> {
  const ptimeMs = packetTime(media.ptime);
  const maxPtimeMs = packetTime(media.maxptime);
  return {
    ...(ptimeMs === undefined ? {} : { ptimeMs }),
    ...(maxPtimeMs === undefined ? {} : { maxPtimeMs }),
  };
}

/** The first `b=` that is understood. */
function readBandwidth(media: RawMedia): Pick<MediaSection, 'bandwidth'> {
  for (const line of media.bandwidth ?? []) {
    const type = textOf(line.type);
    const limit = wholeNumber(line.limit);
    if ((type === 'AS' || type === 'TIAS') && limit !== undefined) return { bandwidth: { type, limit } };
  }
  return {};
}

function readFeedback(media: RawMedia): Pick<MediaSection, 'feedback'> {
  const feedback = (media.rtcpFb ?? []).flatMap((line): readonly SdpFeedback[] => {
    const text = textOf(line.payload);
    const payloadType = text === '*' ? '*' : wholeNumber(text);
    const kind = [textOf(line.type), textOf(line.subtype)].filter((word) => word !== '').join(' ');
    return payloadType === undefined || kind === '' ? [] : [{ payloadType, kind }];
  });
  return feedback.length === 0 ? {} : { feedback };
}

/** `a=rtcp` (RFC 3605). */
function readRtcp(media: RawMedia): Pick<MediaSection, 'rtcp'> {
  const port = wholeNumber(media.rtcp?.port);
  if (port === undefined || port === 0 || port > 65_535) return {};
  const address = readAddress({ version: Number(media.rtcp?.ipVer), ip: textOf(media.rtcp?.address) });
  return { rtcp: { port, ...(address === undefined ? {} : { address }) } };
}

/** ICE credentials, fingerprint and role: at media level or inherited (RFC 8839 §5.4, RFC 8122 §5, RFC 4145 §4). */
function readSecurity(media: RawMedia, raw: RawSession): Pick<MediaSection, 'ice' | 'fingerprint' | 'setup'> {
  const ufrag = textOf(media.iceUfrag ?? raw.iceUfrag);
  const pwd = textOf(media.icePwd ?? raw.icePwd);
  const fingerprint = readFingerprint(media.fingerprint ?? raw.fingerprint);
  const setup = readSetup(textOf(media.setup ?? raw.setup));
  return {
    ...(isIceText(ufrag, 4) && isIceText(pwd, 22) ? { ice: { ufrag, pwd } } : {}),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(setup === undefined ? {} : { setup }),
  };
}

/** Lines that cannot be agreed on are left out: when there are no others, that is not the same as no line at all. */
function readCryptoLines(media: RawMedia): Pick<MediaSection, 'crypto'> {
  if (media.crypto === undefined) return {};
  const crypto = media.crypto.flatMap((line): readonly SdpCrypto[] => {
    const [tag, suite, config] = [textOf(line.id), textOf(line.suite), textOf(line.config)];
    const read = readCrypto(tag, suite, config, textOf(line.sessionConfig));
    return read === undefined ? [] : [read];
  });
  return { crypto };
}

function readSetup(text: string): DtlsSetup | undefined {
  return text === 'active' || text === 'passive' || text === 'actpass' || text === 'holdconn'
    ? text
    : undefined;
}

/** Hash functions that a fingerprint may be of (RFC 8122 §5 forbids the weaker ones), and how many octets they give. */
const fingerprintBytes: ReadonlyMap<string, number> = new Map([
  ['sha-256', 32],
  ['sha-384', 48],
  ['sha-512', 64],
]);

/** Undefined unless the hash is one of {@link fingerprintBytes} and the value is as many pairs of hexadecimal digits. */
function readFingerprint(line: RawMedia['fingerprint']): SdpFingerprint | undefined {
  const algorithm = textOf(line?.type).toLowerCase();
  const value = textOf(line?.hash).toUpperCase();
  const bytes = fingerprintBytes.get(algorithm);
  if (bytes === undefined || value.length !== bytes * 3 - 1) return undefined;
  return /^[0-9A-F]{2}(?::[0-9A-F]{2})+$/.test(value) ? { algorithm, value } : undefined;
}

function readCodecs(media: RawMedia, formats: readonly string[]): readonly SdpCodec[] {
  return formats.flatMap((format) => {
    const payloadType = wholeNumber(format);
    if (payloadType === undefined || payloadType > 127) return [];
    const codec = mappedCodec(media, payloadType) ?? staticCodec(payloadType);
    if (codec === undefined) return [];
    const parameters = textOf(media.fmtp.find((line) => line.payload === payloadType)?.config);
    return [parameters === '' ? codec : { ...codec, parameters }];
  });
}

function mappedCodec(media: RawMedia, payloadType: number): SdpCodec | undefined {
  const map = media.rtp.find((line) => line.payload === payloadType);
  const name = textOf(map?.codec);
  const clockRate = wholeNumber(map?.rate);
  if (name === '' || clockRate === undefined || clockRate === 0) return undefined;
  return { payloadType, name, clockRate, channels: channelsOf(name, wholeNumber(map?.encoding)) };
}

/** Opus has two in SDP whatever it carries (RFC 7587 §7). Interop: some PBXs write none, and browsers refuse that. */
function channelsOf(name: string, written = 1): number {
  return name.toLowerCase() === 'opus' ? 2 : written;
}

function readCandidates(media: RawMedia): readonly SdpCandidate[] {
  return (media.candidates ?? []).flatMap((line) => {
    const component = wholeNumber(line.component);
    const priority = wholeNumber(line.priority);
    const port = wholeNumber(line.port);
    const foundation = textOf(line.foundation);
    if (component === undefined || priority === undefined || port === undefined || foundation === '')
      return [];
    if (port > 65_535 || priority > 0xffff_ffff) return [];
    const [transport, host, type] = [textOf(line.transport), textOf(line.ip), textOf(line.type)];
    return [{ foundation, component, transport, priority, host, port, type }];
  });
}

function readBundle(raw: RawSession): readonly string[] {
  const group = raw.groups?.find((one) => one.type === 'BUNDLE');
  return textOf(group?.mids)
    .split(' ')
    .filter((mid) => mid !== '');
}

/**
 * A section bundled with others may leave its transport to the group's first section (RFC 9143 §7.1.3): give it that.
 */
function inheritTransport(
  sections: readonly MediaSection[],
  bundle: readonly string[],
): readonly MediaSection[] {
  const tagged = sections.find((section) => section.mid !== undefined && section.mid === bundle[0]);
  if (tagged === undefined) return sections;
  return sections.map((section) => {
    const isBundled = section.mid !== undefined && bundle.includes(section.mid);
    if (!isBundled || section.ice !== undefined || tagged.ice === undefined) return section;
    const { ice, fingerprint, setup, candidates, rtcpMux } = tagged;
    return {
      ...section,
      ice,
      candidates,
      rtcpMux: section.rtcpMux || rtcpMux,
      ...(fingerprint === undefined || section.fingerprint !== undefined ? {} : { fingerprint }),
      ...(setup === undefined || section.setup !== undefined ? {} : { setup }),
    };
  });
}

/** `c=`, without the TTL or count that a multicast address carries. */
function readAddress(line: RawConnection): SdpAddress | undefined {
  const family = familyOf(line?.version);
  const host = textOf(line?.ip).split('/', 1)[0] ?? '';
  return family === undefined || host === '' ? undefined : { family, host };
}

function writeSection(section: MediaSection): RawMedia {
  return {
    type: section.kind,
    port: section.port,
    protocol: section.protocol,
    payloads: section.formats.join(' '),
    ...connection(section.address),
    ...(section.bandwidth === undefined ? {} : { bandwidth: [section.bandwidth] }),
    rtp: section.codecs.map((codec) => ({
      payload: codec.payloadType,
      codec: codec.name,
      rate: codec.clockRate,
      ...(codec.channels > 1 ? { encoding: codec.channels } : {}),
    })),
    fmtp: section.codecs.flatMap(({ payloadType, parameters }) =>
      parameters === undefined ? [] : [{ payload: payloadType, config: parameters }],
    ),
    ...writeFeedback(section),
    ...(section.rtcp === undefined ? {} : { rtcp: { port: section.rtcp.port } }),
    ...(section.crypto === undefined
      ? {}
      : {
          crypto: section.crypto.map((line) => ({
            id: line.tag,
            suite: line.suite,
            config: keyParameters(line),
          })),
        }),
    ...(section.setup === undefined ? {} : { setup: section.setup }),
    ...(section.mid === undefined ? {} : { mid: section.mid }),
    ...(section.ptimeMs === undefined ? {} : { ptime: section.ptimeMs }),
    ...(section.maxPtimeMs === undefined ? {} : { maxptime: section.maxPtimeMs }),
    direction: section.direction,
    ...(section.ice === undefined ? {} : { iceUfrag: section.ice.ufrag, icePwd: section.ice.pwd }),
    ...(section.fingerprint === undefined
      ? {}
      : { fingerprint: { type: section.fingerprint.algorithm, hash: section.fingerprint.value } }),
    candidates: section.candidates.map(({ host, ...candidate }) => ({ ...candidate, ip: host })),
    ...(section.endOfCandidates ? { endOfCandidates: 'end-of-candidates' as const } : {}),
    ...(section.rtcpMux ? { rtcpMux: 'rtcp-mux' as const } : {}),
  };
}

function writeFeedback({ feedback }: MediaSection): Pick<RawMedia, 'rtcpFb'> {
  if (feedback === undefined) return {};
  return {
    rtcpFb: feedback.map(({ payloadType, kind }) => {
      const [type = '', ...subtype] = kind.split(' ');
      const payload = String(payloadType);
      return subtype.length === 0 ? { payload, type } : { payload, type, subtype: subtype.join(' ') };
    }),
  };
}

function connection(address: SdpAddress | undefined): { connection?: { version: number; ip: string } } {
  return address === undefined ? {} : { connection: { version: address.family, ip: address.host } };
}

/** The library turns any text that looks like a number into one; this gives the text back. */
function textOf(value: string | number | undefined): string {
  return value === undefined ? '' : String(value);
}

function wholeNumber(value: string | number | undefined): number | undefined {
  const text = textOf(value);
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function familyOf(value: string | number | undefined): AddressFamily | undefined {
  const family = wholeNumber(value);
  return family === 4 || family === 6 ? family : undefined;
}

/** `a=ptime` and `a=maxptime` in ms (RFC 8866 §6.4); fractions occur and are rounded. */
function packetTime(value: string | number | undefined): number | undefined {
  const timeMs = Math.round(Number(value));
  return timeMs >= 1 && timeMs <= 1000 ? timeMs : undefined;
}
