/** What an application asks for: the meta line of a frame, taken apart. */
export type Command =
  | { readonly verb: 'authenticate'; readonly id: string; readonly secret: string }
  | { readonly verb: 'ping'; readonly id: string }
  | { readonly verb: 'route' | 'remove_route'; readonly id: string; readonly method: string }
  | {
      readonly verb: 'sip';
      readonly id: string;
      readonly transactionId: string;
      readonly dialogId: string;
      /** Next hop to use instead of the Request-URI. */
      readonly proxy: string | undefined;
      readonly text: string;
    }
  | { readonly verb: 'proxy'; readonly id: string };

/** Reads one payload. Returns undefined for a verb that does not exist. */
export function parseCommand(payload: string): Command | undefined {
  const lineEnd = payload.indexOf('\r\n');
  const meta = lineEnd < 0 ? payload : payload.slice(0, lineEnd);
  const tokens = meta.split('|');
  const [id = '', verb = '', first = '', second = '', third] = tokens;
  switch (verb) {
    case 'sip':
      return {
        verb,
        id,
        transactionId: first,
        dialogId: second,
        proxy: third === undefined || third === '' ? undefined : third,
        text: lineEnd < 0 ? '' : payload.slice(lineEnd + 2),
      };
    case 'authenticate':
      return { verb, id, secret: first };
    case 'route':
    case 'remove_route':
      return { verb, id, method: first.toLowerCase() };
    case 'ping':
    case 'proxy':
      return { verb, id };
    default:
      return undefined;
  }
}
