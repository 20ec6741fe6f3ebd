/** Keys whose texts are never shown. */
const secretKeys: ReadonlySet<string> = new Set(['password', 'secret', 'token', 'credential']);

/** The same with `[secret]` for every secret. */
export function withoutSecrets<Value>(value: Value): Value {
  return JSON.parse(
    JSON.stringify(value, (key, inner: unknown) =>
      secretKeys.has(key) && typeof inner === 'string' ? '[secret]' : inner,
    ),
  ) as Value;
}
