import type { SdpCandidate } from './description.js';

/**
 * Reads what stands after `a=candidate:` (RFC 8839 §5.1). Undefined when it cannot be read. Linear in the text; extension
 * attributes are passed over but for the related address.
 */
export function readCandidate(text: string): SdpCandidate | undefined {
  const [foundation = '', component, transport = '', priority, host = '', port, typ, type = '', ...rest] =
    text.split(' ');
  if (typ !== 'typ' || [foundation, transport, host, type].includes('')) return undefined;
  const numbers = {
    component: numberUpTo(256, component),
    priority: numberUpTo(0xffff_ffff, priority),
    port: numberUpTo(65_535, port),
  };
  if (!areKnown(numbers)) return undefined;
  return { foundation, transport, host, type, ...numbers, ...relatedHost(rest) };
}

/** What stands after `a=candidate:`. */
export function writeCandidate(candidate: SdpCandidate): string {
  const { foundation, component, transport, priority, host, port, type } = candidate;
  return `${foundation} ${component} ${transport} ${priority} ${host} ${port} typ ${type}`;
}

function areKnown<Key extends string>(
  numbers: Readonly<Record<Key, number | undefined>>,
): numbers is Readonly<Record<Key, number>> {
  return !Object.values(numbers).includes(undefined);
}

function relatedHost([name, host]: readonly string[]): Pick<SdpCandidate, 'relatedHost'> {
  return name === 'raddr' && host !== undefined && host !== '' ? { relatedHost: host } : {};
}

function numberUpTo(limit: number, text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  const number = Number(text);
  return number <= limit ? number : undefined;
}
