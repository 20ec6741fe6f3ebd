import { linesOf } from './scan.js';

/**
 * An end's offer in the shape of an answer: what the end would answer to an offer that changes nothing for it. `answer` is
 * what the end was told to its offer: the formats that were agreed on, and the lines that are off. For an early offer of
 * the other side, which cannot be carried to the end before the call is answered (RFC 3311 §5.1).
 */
export function offerAsAnswer(offer: string, answer: string): string {
  const told = [...linesOf(answer)].filter((line) => line.startsWith('m='));
  let position = 0;
  const lines: string[] = [];
  for (const line of linesOf(offer)) {
    if (line.startsWith('m=')) {
      lines.push(agreedLine(line, told[position]));
      position += 1;
    } else {
      lines.push(line === 'a=setup:actpass' ? 'a=setup:active' : line);
    }
  }
  return [...lines, ''].join('\r\n');
}

/** `m=<kind> <port> <protocol> <formats>` with the formats of our answer; off when our answer switched it off. */
function agreedLine(offered: string, told: string | undefined): string {
  const [kind = '', port = '', protocol = '', ...formats] = offered.split(' ');
  const [, toldPort, , ...agreed] = (told ?? '').split(' ');
  if (toldPort === undefined || toldPort === '0') return [kind, '0', protocol, ...formats].join(' ');
  return [kind, port, protocol, ...agreed].join(' ');
}
