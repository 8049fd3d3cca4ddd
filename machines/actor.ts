import {
  type AnyStateMachine,
  type EventFromLogic,
  type ExecutableActionsFrom,
  type InputFrom,
  initialTransition,
  type SnapshotFrom,
  transition,
} from 'xstate';

/** The contract between a statechart and whoever drives it: an event in, a snapshot and effects out. */

/** A site's name; its address lives only in the runtime's configuration. */
export type SiteId = string;

/** What one site says to another: `type` names it, the rest is plain JSON (`null` for nil). */
export interface Message {
  readonly type: string;
}

/** A message on its way. `lock` names the lock it is about: one mesh of links serves many. */
export interface Envelope<M extends Message = Message> {
  readonly source: SiteId;
  readonly target: SiteId;
  readonly lock: string;
  readonly message: M;
}

/**
 * What a statechart may ask of its driver; each is a named action whose params are the other keys.
 *
 * - `send`: put `message` into the mailbox of site `target`.
 * - `broadcast`: `send` to every other member of the mesh.
 * - `grant`: the critical section has been entered.
 * - `left`: this site has handed everything on and takes part no longer.
 * - `unexpected`: no transition of the statechart takes `event`; correct peers never cause it.
 */
export type Effect<M extends Message = Message> =
  | { readonly type: 'send'; readonly target: SiteId; readonly message: M }
  | { readonly type: 'broadcast'; readonly message: M }
  | { readonly type: 'grant' }
  | { readonly type: 'left' }
  | { readonly type: 'unexpected'; readonly event: { readonly type: string } };

/** What one event does, as a value: the snapshot after, and the named actions in the order they were asked. */
export interface Step<Machine extends AnyStateMachine> {
  readonly snapshot: SnapshotFrom<Machine>;
  readonly effects: readonly NamedAction[];
}

/** A named action with its params laid flat: `{ type: 'send', params: { target } }` is `{ type: 'send', target }`. */
export interface NamedAction {
  readonly type: string;
  readonly [param: string]: unknown;
}

/** The step from nothing: `machine` started with `input`. */
export function start<Machine extends AnyStateMachine>(
  machine: Machine,
  input: InputFrom<Machine>,
): Step<Machine> {
  const [snapshot, actions] = initialTransition(machine, input);
  return { snapshot, effects: effectsOf(actions) };
}

/** The step that `event` makes from `snapshot`; nothing is executed. */
export function take<Machine extends AnyStateMachine>(
  machine: Machine,
  snapshot: SnapshotFrom<Machine>,
  event: EventFromLogic<Machine>,
): Step<Machine> {
  const [after, actions] = transition(machine, snapshot, event);
  return { snapshot: after, effects: effectsOf(actions) };
}

/** What is raised at once has been taken within the step: it asks nothing of the driver. */
function effectsOf(actions: readonly ExecutableActionsFrom<AnyStateMachine>[]): readonly NamedAction[] {
  return actions.map(flatten).filter(({ type, delay }) => type !== 'xstate.raise' || delay !== undefined);
}

function flatten({ type, params }: ExecutableActionsFrom<AnyStateMachine>): NamedAction {
  return { ...(params as Record<string, unknown> | undefined), type };
}
