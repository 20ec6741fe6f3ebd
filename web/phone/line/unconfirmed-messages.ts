const maxMessages = 32;

/** As long as a transaction lives: 64*T1 (RFC 3261 §17). */
const worthMs = 32_000;

interface Sent {
  readonly text: string;
  readonly atMs: number;
}

/**
 * What has been sent and not been confirmed: requests without any response, and final responses. A connection that was
 * dead already has lost them without a word, and over a reliable transport nobody sends them again (RFC 3261 §17.1.1.2,
 * §17.2.1). Whoever has got them takes them for retransmissions.
 */
export class UnconfirmedMessages {
  private readonly messages = new Map<string, Sent>();

  constructor(private readonly nowMs: () => number) {}

  get size(): number {
    return this.messages.size;
  }

  /** Something may be lost that is still worth sending again. */
  get isWorthSending(): boolean {
    const limit = this.nowMs() - worthMs;
    return [...this.messages.values()].some(({ atMs }) => atMs >= limit);
  }

  /** A message was written to a connection. The oldest make room when there are too many. */
  sent(text: string): void {
    const key = ownKey(text);
    if (key === undefined) return;
    this.messages.delete(key);
    this.messages.set(key, { text, atMs: this.nowMs() });
    const [oldest] = this.messages.keys();
    if (this.messages.size > maxMessages && oldest !== undefined) this.messages.delete(oldest);
  }

  /** A message came in: it may confirm one of ours. */
  received(text: string): void {
    const key = confirmedKey(text);
    if (key !== undefined) this.messages.delete(key);
  }

  /** Takes out what is worth sending again, oldest first. */
  drain(): string[] {
    const limit = this.nowMs() - worthMs;
    const fresh = [...this.messages.values()].filter(({ atMs }) => atMs >= limit);
    this.messages.clear();
    return fresh.map(({ text }) => text);
  }
}

/** What a message of ours is known by until it is confirmed; undefined when nothing confirms it, or somebody asks again. */
function ownKey(text: string): string | undefined {
  const status = statusOf(text);
  if (status !== undefined) return status < 200 ? undefined : answerKey(text);
  return /^(?:ACK|REGISTER) /.test(text) ? undefined : requestKey(text);
}

/** A response confirms the request of its branch (RFC 3261 §17.1.3), an ACK the answer that it is for. */
function confirmedKey(text: string): string | undefined {
  if (statusOf(text) !== undefined) return requestKey(text);
  return text.startsWith('ACK ') ? answerKey(text) : undefined;
}

function statusOf(text: string): number | undefined {
  const status = /^SIP\/2\.0 (\d{3})/.exec(text)?.[1];
  return status === undefined ? undefined : Number(status);
}

function requestKey(text: string): string {
  const branch = /^(?:via|v)[ \t]*:.*?;[ \t]*branch=([^\s;,]+)/im.exec(text)?.[1] ?? '';
  return `request ${branch} ${cseqOf(text)[1]}`;
}

function answerKey(text: string): string {
  const callId = /^(?:call-id|i)[ \t]*:[ \t]*(\S+)/im.exec(text)?.[1] ?? '';
  const [number, method] = cseqOf(text);
  return `answer ${callId} ${number} ${method === 'ACK' ? 'INVITE' : method}`;
}

function cseqOf(text: string): [number: string, method: string] {
  const [, number = '', method = ''] = /^cseq[ \t]*:[ \t]*(\d+)[ \t]+(\w+)/im.exec(text) ?? [];
  return [number, method];
}
