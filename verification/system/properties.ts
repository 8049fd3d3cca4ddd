import type { SiteId } from '../../machines/actor.ts';
import type { Action, ActorView, Fairness, Property, StatePredicate, StateView } from './system.ts';

/** Short ways to say predicates, properties and fairness; what each means stands at its type in `system.ts`. */

export const every = (is: (actor: ActorView) => boolean): StatePredicate => ({ kind: 'every', is });

export const some = (is: (actor: ActorView) => boolean): StatePredicate => ({ kind: 'some', is });

/** A boolean counts as 0 or 1. */
export const count = (
  of: (actor: ActorView) => number | boolean,
  is: (sum: number) => boolean,
): StatePredicate => ({ kind: 'count', of: (actor) => Number(of(actor)), is });

export const tally = (
  names: (actor: ActorView) => readonly SiteId[],
  is: (times: number) => boolean,
): StatePredicate => ({ kind: 'tally', names, is });

export const relation = (
  of: (actor: ActorView, indexOf: (id: SiteId) => number) => number,
  holds: (observed: Int32Array, history?: unknown) => boolean,
): StatePredicate => ({ kind: 'relation', of, holds });

export const plain = (holds: (state: StateView) => boolean): StatePredicate => ({ kind: 'plain', holds });

export const and = (...of: readonly StatePredicate[]): StatePredicate => ({ kind: 'and', of });

export const or = (...of: readonly StatePredicate[]): StatePredicate => ({ kind: 'or', of });

export const not = (of: StatePredicate): StatePredicate => ({ kind: 'not', of });

export const always = (
  name: string,
  predicate: StatePredicate,
  because?: (state: StateView) => string,
): Property => ({ kind: 'always', name, predicate, ...(because === undefined ? {} : { because }) });

export const reachable = (name: string, predicate: StatePredicate): Property => ({
  kind: 'reachable',
  name,
  predicate,
});

export const deadlockFree = (name: string, quiescent?: StatePredicate): Property => ({
  kind: 'deadlockFree',
  name,
  ...(quiescent === undefined ? {} : { quiescent }),
});

export const leadsTo = (
  name: string,
  from: StatePredicate,
  to: StatePredicate,
  fairness: Fairness = {},
): Property => ({ kind: 'leadsTo', name, from, to, fairness });

export const eventually = (name: string, predicate: StatePredicate, fairness: Fairness = {}): Property => ({
  kind: 'eventually',
  name,
  predicate,
  fairness,
});

export const ltl = (
  name: string,
  formula: string,
  atoms: Readonly<Record<string, StatePredicate>>,
  fairness: Fairness = {},
): Property => ({ kind: 'ltl', name, formula, atoms, fairness });

/** No machine has thrown or sent to nobody. */
export const faultless = every(({ fault }) => fault === undefined);

/** Names the class that an action is in, or `null`. */
export type FairnessClass = (action: Action) => string | null;

/** Weak fairness of every class named: `weakly(deliveries, events('release'))`. */
export const weakly = (...classes: readonly FairnessClass[]): Fairness => ({ weak: firstOf(classes) });

/** Strong fairness of every class named; together with weak: `{ ...weakly(...), ...strongly(...) }`. */
export const strongly = (...classes: readonly FairnessClass[]): Fairness => ({ strong: firstOf(classes) });

/** Each link is a class of its own: whatever is delivered on it counts. Says enough where links are queues. */
export const deliveries: FairnessClass = (action) =>
  action.kind === 'deliver' ? `deliver ${action.source ?? '*'} -> ${action.actor}` : null;

/** Each message of each link is a class of its own: in a bag, none is passed over for ever. */
export const messages: FairnessClass = (action) =>
  action.kind === 'deliver' ? `${deliveries(action)} ${JSON.stringify(action.message)}` : null;

/** Each of these events of the environment is a class of its own at each actor. Default: all. */
export const events =
  (...types: readonly string[]): FairnessClass =>
  (action) =>
    action.kind === 'environment' && (types.length === 0 || types.includes(action.event.type))
      ? `${action.actor} ${JSON.stringify(action.event)}`
      : null;

/** Each timer of each actor is a class of its own. */
export const timers: FairnessClass = (action) =>
  action.kind === 'timer' ? `${action.actor} timer ${action.timer}` : null;

/** The restart of each actor is a class of its own. */
export const restarts: FairnessClass = (action) =>
  action.kind === 'restart' ? `${action.actor} restarts` : null;

const firstOf =
  (classes: readonly FairnessClass[]): FairnessClass =>
  (action) => {
    for (const classOf of classes) {
      const name = classOf(action);
      if (name !== null) return name;
    }
    return null;
  };
