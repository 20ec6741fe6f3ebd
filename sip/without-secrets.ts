/**
 * A SIP message as it may be shown to people: without SRTP keys (RFC 4568 §9.1, RFC 4567 §3, RFC 4566 §5.12), ICE
 * passwords, tokens and tickets, each replaced by `[secret]`. Everything else is untouched; takes time linear in the text.
 */
export function withoutSecrets(message: string): string {
  return message
    .replace(/^a=crypto:[^\r\n]*/gim, (line) => line.replace(/\binline:[^|;\s]*/gi, `inline:${hidden}`))
    .replace(/^(k=[^:\r\n]*:|a=key-mgmt:\S*[ \t]|a=ice-pwd:)[^\r\n]+/gim, `$1${hidden}`)
    .replace(/^((?:proxy-)?authorization[ \t]*:\s*bearer\s+)[^\r\n]+/gim, `$1${hidden}`)
    .replace(/^(x-[a-z]+-ticket[ \t]*:\s*)[^\r\n]+/gim, `$1${hidden}`);
}

const hidden = '[secret]';
