/**
 * The contract of routing hooks (docs/routing.md): what a module that `routing:` of the configuration names exports, and what an
 * HTTP hook gets and answers as JSON.
 */

/** A call that wants to be decided. All of it is proved but `caller` of a trunk, which is what the trunk says. */
export interface RoutingQuestion {
  /** The dialled user or number; from a trunk as `numbers.in` writes it. */
  readonly dialled: string;
  /** The Request-URI as received. */
  readonly requestUri: string;
  readonly from: 'user' | 'trunk';
  /** The calling user as it signed in, or the calling number. */
  readonly caller: string;
  /** The trunk that the call comes from. */
  readonly trunk?: string;
  /** The domain of the calling user, or the one that the trunk dialled. */
  readonly domain?: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** Where the call goes. */
export interface RoutingAnswer {
  /** As `to` of a route. */
  readonly to:
    | 'users'
    | { readonly user: string }
    | { readonly trunks: readonly string[] }
    | { readonly reject: number };
  /** The number that is called instead of the dialled one. */
  readonly number?: string;
  /** Name of the decision in log and CDR; default: `hook`. */
  readonly name?: string;
}

/** Decides, or leaves it to `routes:` by giving nothing. The default export of a hook module. */
export type RoutingHook = (
  question: RoutingQuestion,
) => RoutingAnswer | undefined | Promise<RoutingAnswer | undefined>;
