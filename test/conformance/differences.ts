/** Lines where the engines differ. */
export interface Hunk {
  readonly drachtio: readonly string[];
  readonly embedded: readonly string[];
}

/** Something that the engines do differently; `docs/drachtio.md` tells each by its name, with the reason. */
export interface Difference {
  readonly name: string;
  readonly scenarios: readonly string[];
  /** What every line of it matches; all lines when absent. */
  readonly lines?: RegExp;
}

/** The first that fits names the hunk. */
export const differences: readonly Difference[] = [
  { name: 'to-parameters', scenarios: ['uac'], lines: /^ *To: / },
  {
    name: 'target-refresh',
    scenarios: ['uac', 'uas', 'outofdialog'],
    lines: /^ *(ACK|INFO|UPDATE|REFER|NOTIFY) sip:(alice|bob|peer)@127\.0\.0\.1:[AB] SIP/,
  },
  { name: 'contact', scenarios: ['uac', 'uas', 'outofdialog'], lines: /^ *Contact: / },
  {
    name: 'trying',
    scenarios: ['appgone', 'noapp', 'outofdialog', 'sessiondefault'],
    lines: /^ *(SIP\/2\.0 100 Trying|Call-ID|Content-Length|CSeq|From|To|Via)\b/,
  },
  { name: 'retry-after', scenarios: ['noapp', 'outofdialog'], lines: /^ *Retry-After: 5$/ },
  { name: 'early-requests', scenarios: ['earlyupdate'] },
  { name: 'second-fork', scenarios: ['fork'] },
  { name: 'lone-requests', scenarios: ['outofdialog'] },
  { name: 'proxy', scenarios: ['proxy'] },
  { name: 'quick-cancel', scenarios: ['quickcancel'], lines: /^ *To: / },
  { name: 'refused-ack', scenarios: ['sessiondefault'] },
  { name: 'refresh', scenarios: ['sessionrefresh'], lines: /^ *Supported: timer$/ },
  { name: 'ack-credentials', scenarios: ['uacauth'], lines: /^ *Authorization: / },
  { name: 'no-transport', scenarios: ['uacfail'], lines: /^sip network\|0\|(unknown|udp)\|/ },
  { name: 'reason', scenarios: ['uactimeout'], lines: /^ *Reason: SIP;cause=503;text=/ },
  { name: 'port-unreachable', scenarios: ['uactimeout'], lines: /408|503/ },
  { name: 'secret', scenarios: ['unauthenticated'] },
  { name: 'unknown-command', scenarios: ['unknowntxn'] },
];

/** The name of what nobody has explained yet. */
export const unexplained = 'unexplained';

export function differenceOf(scenario: string, hunk: Hunk): string {
  const lines = [...hunk.drachtio, ...hunk.embedded];
  const found = differences.find(
    (known) => known.scenarios.includes(scenario) && lines.every((line) => known.lines?.test(line) !== false),
  );
  return found?.name ?? unexplained;
}
