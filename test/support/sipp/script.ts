/** Header lines and a body that a step adds to what it sends. */
export interface Extras {
  readonly headers?: readonly string[];
  readonly body?: string;
  /** Of the header field To of an answer, in place of the callee's only one. */
  readonly toTag?: string;
  /** Of the header field From of a request, in place of the callee's only one. */
  readonly fromTag?: string;
  /** In place of a branch of its own. */
  readonly branch?: string;
  readonly uri?: string;
  /** SIPp sends it again when nothing comes for this time. */
  readonly repeatMs?: number;
}

/** What a received message must look like besides its method or status: header field, pattern. */
export type Pattern = readonly [header: string, pattern: string];

const service = 'sip:service@[remote_ip]:[remote_port]';
const serviceParty = ` <${service}>`;
const callerParty = ' "caller" <sip:caller@[local_ip]:[local_port]>;tag=[pid]c[call_number]';
const calleeTag = '[pid]s[call_number]';
const ownContact = 'Contact: <sip:sipp@[reachable]>';

/** Makes a message longer than a datagram of Ethernet, and than the 1,300 bytes of RFC 3261 §18.1.1. */
export const longHeaders: Readonly<Record<string, string>> = Object.fromEntries(
  Array.from({ length: 40 }, (_entry, index) => [`X-Long-${index}`, 'x'.repeat(180)]),
);

/** The same for the INVITE, its CANCEL and the ACK of its failure (RFC 3261 §9.1, §17.1.1.3). */
function inviteBranch(cseq: number): string {
  return `z9hG4bK-[pid]-[call_number]-${cseq}`;
}

/** Session description of SIPp's side. */
export function sippSdp(port: number): string {
  return [
    'v=0',
    `o=sipp 1 ${port} IN IP4 127.0.0.1`,
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${port} RTP/AVP 0`,
    'a=rtpmap:0 PCMU/8000',
  ].join('\n');
}

/**
 * A SIPp scenario, built step by step. SIPp itself keeps no dialog here: parties, target and what answers copy are
 * taken from the messages into variables, so that any order of requests and answers can be played. `[via]` and
 * `[reachable]` are SIPp's transport and address, put in by run-sipp.ts.
 */
export class Script {
  private readonly steps: string[] = [];
  private readonly variables = new Set<string>();
  private labels = 0;

  constructor(
    readonly role: 'caller' | 'callee',
    private readonly name = role as string,
  ) {}

  /** The caller's INVITE, outside any dialog. */
  invite(cseq = 1, extras: Extras = {}): this {
    const body = extras.body ?? sippSdp(6000);
    return this.request('INVITE', cseq, serviceParty, {
      uri: service,
      branch: inviteBranch(cseq),
      ...extras,
      body,
    });
  }

  /** CANCEL of the caller's INVITE. */
  cancel(cseq = 1, extras: Extras = {}): this {
    return this.request('CANCEL', cseq, serviceParty, {
      uri: service,
      branch: inviteBranch(cseq),
      ...extras,
    });
  }

  /** ACK for the failure of the caller's INVITE. */
  ackFailure(cseq = 1, extras: Extras = {}): this {
    return this.request('ACK', cseq, '[$peer]', { uri: service, branch: inviteBranch(cseq), ...extras });
  }

  /** A request in the dialog. */
  sends(method: string, cseq: number, extras: Extras = {}): this {
    return this.request(method, cseq, '[$peer]', extras);
  }

  /**
   * Waits for a request; answers copy from it under its name, the method unless told otherwise. For a callee `INVITE` is
   * the name of the one that begins the call.
   */
  takes(method: string, patterns: readonly Pattern[] = [], name = method): this {
    const isInitial = this.role === 'callee' && name === 'INVITE';
    const parties = isInitial ? [this.keep('From', 'peer'), this.keep('To', 'own')] : [];
    const target = method === 'INVITE' || method === 'UPDATE' ? [this.keepTarget()] : [];
    const copied = [
      this.keep('Via', `${name}_via`),
      this.keep('From', `${name}_from`),
      this.keep('To', `${name}_to`),
      this.keep('CSeq', `${name}_cseq`),
    ];
    return this.receive(`request="${method}"`, [
      ...parties,
      ...target,
      ...copied,
      ...patterns.map((pattern) => this.check(pattern)),
    ]);
  }

  /** Answers the request that was taken under this name. The callee's tag is added where there is none. */
  answers(name: string, status: number, extras: Extras = {}): this {
    const { headers = [], body = '', toTag } = extras;
    const isInitial = this.role === 'callee' && name === 'INVITE';
    const tag = toTag ?? (isInitial && status > 100 ? calleeTag : '');
    const lines = [
      `SIP/2.0 ${status} ${status < 300 ? 'Fine' : 'Refused'}`,
      `Via:[$${name}_via]`,
      `From:[$${name}_from]`,
      `To:[$${name}_to]${tag === '' ? '' : `;tag=${tag}`}`,
      'Call-ID: [call_id]',
      `CSeq:[$${name}_cseq]`,
      ...(status > 100 && status < 300 ? [ownContact] : []),
      ...headers,
    ];
    return this.send(lines, body, extras.repeatMs);
  }

  /** Waits for a response to the method; the caller learns its peer from the ones that name it. */
  gets(status: number, method = 'INVITE', patterns: readonly Pattern[] = []): this {
    const isInvite = method === 'INVITE' && status > 100;
    const isReliable = patterns.some(([header]) => header === 'RSeq');
    const parties = this.role === 'caller' && isInvite ? [this.keep('To', 'peer')] : [];
    const target = isReliable || (isInvite && status >= 200 && status < 300) ? [this.keepTarget()] : [];
    const reliable = isReliable ? [this.keep('RSeq', 'rseq')] : [];
    return this.receive(`response="${status}"`, [
      ...parties,
      ...target,
      ...reliable,
      ...[['CSeq', ` ${method}$`] as const, ...patterns].map((pattern) => this.check(pattern)),
    ]);
  }

  /** Waits for the INVITE that answers a 401, and checks its credentials. SIPp cannot check those for a 407. */
  takesAuthentic(username: string, password: string): this {
    this.takes('INVITE', [['Authorization', 'Digest ']]);
    this.variables.add('authentic');
    this.labels += 1;
    const verify = `<verifyauth assign_to="authentic" username="${username}" password="${password}"/>`;
    const taken = (this.steps.pop() ?? '')
      .replace('<recv ', `<recv next="${this.labels}" test="authentic" `)
      .replace('</action>', `${verify}</action>`);
    // There is no such request: the call fails here unless it was authentic.
    this.steps.push(taken, '<recv request="AUTHENTIC" timeout="1"/>', `<label id="${this.labels}"/>`);
    return this;
  }

  /** Waits for a challenge, which `[authentication]` in a later header answers. */
  challenged(status: 401 | 407): this {
    return this.receive(`response="${status}" auth="true"`, [this.keep('To', 'peer')]);
  }

  /** Passes over any number of these responses or requests from here on, until something else comes. */
  skips(what: number | string): this {
    this.labels += 1;
    const label = this.labels;
    const kind = typeof what === 'number' ? `response="${what}"` : `request="${what}"`;
    this.steps.push(`<label id="${label}"/>`, `<recv ${kind} optional="true" next="${label}"/>`);
    return this;
  }

  pause(milliseconds: number): this {
    this.steps.push(`<pause milliseconds="${milliseconds}"/>`);
    return this;
  }

  /** The scenario for SIPp's option -sf. */
  get xml(): string {
    const variables = [...this.variables].join(',');
    return [
      '<?xml version="1.0" encoding="ISO-8859-1" ?>',
      `<scenario name="${this.name}">`,
      ...this.steps,
      ...(variables === '' ? [] : [`<Reference variables="${variables}"/>`]),
      '</scenario>',
    ].join('\n');
  }

  private request(method: string, cseq: number, to: string, extras: Extras): this {
    const { headers = [], body = '', branch = '[branch]', uri = '[$target]', fromTag = calleeTag } = extras;
    const own = this.role === 'caller' ? callerParty : `[$own];tag=${fromTag}`;
    const contact = method === 'ACK' || method === 'CANCEL' ? [] : [ownContact];
    const lines = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/[via];branch=${branch}`,
      `From:${own}`,
      `To:${to}`,
      'Call-ID: [call_id]',
      `CSeq: ${cseq} ${method}`,
      'Max-Forwards: 70',
      ...contact,
      ...headers,
    ];
    return this.send(lines, body, extras.repeatMs);
  }

  private send(lines: readonly string[], body: string, repeatMs: number | undefined): this {
    const type = body === '' ? [] : ['Content-Type: application/sdp'];
    const head = [...lines, ...type, 'Content-Length: [len]'].join('\n');
    const retrans = repeatMs === undefined ? '' : ` retrans="${repeatMs}"`;
    this.steps.push(`<send${retrans}><![CDATA[\n\n${head}\n\n${body === '' ? '' : `${body}\n`}]]></send>`);
    return this;
  }

  private receive(what: string, actions: readonly string[]): this {
    this.steps.push(`<recv ${what}><action>${actions.join('')}</action></recv>`);
    return this;
  }

  private keep(header: string, variable: string): string {
    this.variables.add(variable);
    return `<ereg regexp=".*" search_in="hdr" header="${header}:" check_it="true" assign_to="${variable}"/>`;
  }

  /** The address in Contact. */
  private keepTarget(): string {
    this.variables.add('contact').add('target');
    return '<ereg regexp="&lt;([^>]*)>" search_in="hdr" header="Contact:" check_it="true" assign_to="contact,target"/>';
  }

  private check([header, pattern]: Pattern): string {
    this.variables.add('checked');
    const escaped = pattern.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
    return `<ereg regexp="${escaped}" search_in="hdr" header="${header}:" check_it="true" assign_to="checked"/>`;
  }
}
