/** Says in plain words why webtrunk could not start. */
export function startFailureText(thrown: unknown): string {
  const { code, address, port, message } = detailsOf(thrown);
  const place = port === undefined ? 'an address' : `${address ?? ''}:${port}`;
  if (code === 'EADDRINUSE') {
    return `${place} is in use by another program (stop that, or write another port in the configuration)`;
  }
  if (code === 'EACCES')
    return `${place} may not be listened on (use a port above 1023, or give the right to)`;
  if (code === 'EADDRNOTAVAIL') return `${place} is no address of this machine (correct the configuration)`;
  return message;
}

interface Details {
  readonly code?: unknown;
  readonly address?: string;
  readonly port?: number;
  readonly message: string;
}

function detailsOf(thrown: unknown): Details {
  if (!(thrown instanceof Error)) return { message: String(thrown) };
  const { code, address, port } = thrown as Error & { code?: unknown; address?: unknown; port?: unknown };
  return {
    message: thrown.message,
    code,
    ...(typeof address === 'string' ? { address } : {}),
    ...(typeof port === 'number' ? { port } : {}),
  };
}
