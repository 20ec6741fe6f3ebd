/** `udp/192.0.2.1:5060,tcp/…` as the engine lists it when a client has authenticated. */
function parseList(
  list: string | undefined,
): readonly { readonly transport: string; readonly hostPort: string }[] {
  return (list ?? '')
    .split(',')
    .filter((item) => item.includes('/'))
    .map((item) => {
      const slash = item.indexOf('/');
      return { transport: item.slice(0, slash).toLowerCase(), hostPort: item.slice(slash + 1) };
    });
}

/** The engine's own SIP addresses: what peers are told, beside what it is bound to. */
export class EngineAddresses {
  readonly #announced;
  readonly #bound;

  /**
   * `bound` lists the same addresses in the same order, before any external address replaces them. `isEmbedded`: it is our
   * own engine, which puts the address that the peer sees in the place of `localhost` in Path too.
   */
  constructor(
    announced?: string,
    bound?: string,
    readonly isEmbedded = false,
  ) {
    this.#announced = parseList(announced);
    this.#bound = parseList(bound ?? announced);
  }

  /**
   * Contact for answers to a request that came by `transport` on `receivedOn` (`address:port`): the engine adds none to
   * ordinary 18x, and an early dialog needs one (RFC 3261 §12.1.1). Undefined when the engine lists no such address.
   */
  contactFor(transport: string, receivedOn: string | undefined): string | undefined {
    const index = this.#bound.findIndex(
      (local) => local.transport === transport && (receivedOn === undefined || local.hostPort === receivedOn),
    );
    const found = this.#announced[index] ?? this.#announced.find((own) => own.transport === transport);
    if (found === undefined) return undefined;
    return `<sip:${found.hostPort}${transport === 'udp' ? '' : `;transport=${transport}`}>`;
  }

  /** Path value (RFC 3327 §5.1) by which `user` of ours is reached by `transport`. */
  pathFor(user: string, transport: string): string {
    const announced = this.#announced.find((own) => own.transport === transport)?.hostPort;
    const host = this.isEmbedded ? undefined : announced;
    return `<sip:${user}@${host ?? 'localhost'}${transport === 'udp' ? '' : `;transport=${transport}`};lr>`;
  }
}
