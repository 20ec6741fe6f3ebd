/** Keys whose texts are never shown. */
const secretKeys: ReadonlySet<string> = new Set(['password', 'secret', 'token', 'credential']);

/** A URL with `[secret]` for user name and password; any other text as it is. */
export function withoutPassword(text: string): string {
  return text.replace(/:\/\/[^/?#]*@/, '://[secret]@');
}

/** The same with `[secret]` for every secret. */
export function withoutSecrets<Value>(value: Value): Value {
  return JSON.parse(
    JSON.stringify(value, (key, inner: unknown) => {
      if (typeof inner !== 'string') return inner;
      return secretKeys.has(key) ? '[secret]' : withoutPassword(inner);
    }),
  ) as Value;
}
