/** The contract between a statechart and its driver: an event in, a snapshot and effects out. */

/** A site's name. Its address appears only in the runtime's configuration. */
export type SiteId = string;

/** A message from one site to another. `type` names it, and the rest is plain JSON (`null` for nil). */
export interface Message {
  readonly type: string;
}

/** A message on its way. `lock` names the lock that it is about: one mesh of links serves many locks. */
export interface Envelope<M extends Message = Message> {
  readonly source: SiteId;
  readonly target: SiteId;
  readonly lock: string;
  readonly message: M;
}

/**
 * The requests of a statechart to its driver. Each is a named action whose params are the other keys.
 *
 * - `send`: put `message` into the mailbox of site `target`.
 * - `broadcast`: `send` to every other member of the mesh.
 * - `grant`: the critical section has been entered.
 * - `left`: this site has handed everything on and no longer takes part.
 * - `unexpected`: no transition of the statechart takes `event`. Correct peers never cause it.
 */
export type Effect<M extends Message = Message> =
  | { readonly type: 'send'; readonly target: SiteId; readonly message: M }
  | { readonly type: 'broadcast'; readonly message: M }
  | { readonly type: 'grant' }
  | { readonly type: 'left' }
  | { readonly type: 'unexpected'; readonly event: { readonly type: string } };

/**
 * A named action with its params laid flat: `{ type: 'send', params: { target } }` is `{ type: 'send', target
 * }`.
 */
export interface NamedAction {
  readonly type: string;
  readonly [param: string]: unknown;
}
