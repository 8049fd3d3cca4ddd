import type { SiteId } from '../../machines/actor.ts';
import { writtenAs } from './callbacks.ts';
import type { Action, ActorView, Fairness, Property, StatePredicate, StateView } from './system.ts';

/** Short ways to say predicates, properties and fairness; what each means stands at its type in `system.ts`. */

/** It holds of every actor. */
export const every = (is: (actor: ActorView) => boolean): StatePredicate => ({ kind: 'every', is });

/** It holds of one actor at least. */
export const some = (is: (actor: ActorView) => boolean): StatePredicate => ({ kind: 'some', is });

/** The sum of `of(actor)`, whole numbers from 0 or booleans, over all actors satisfies `is`. */
export const count = (
  of: (actor: ActorView) => number | boolean,
  is: (sum: number) => boolean,
): StatePredicate => ({
  kind: 'count',
  of: writtenAs(of, (actor: ActorView) => {
    const counted = of(actor);
    return typeof counted === 'boolean' ? Number(counted) : counted;
  }),
  is,
});

/** For every actor id, how often the actors name it (repeats included) satisfies `is`. */
export const tally = (
  names: (actor: ActorView) => readonly SiteId[],
  is: (times: number) => boolean,
): StatePredicate => ({ kind: 'tally', names, is });

/** `holds` sees 32 bits of each actor, packed by `of`, in order; it must not keep or change the array. */
export const relation = (
  of: (actor: ActorView, indexOf: (id: SiteId) => number) => number,
  holds: (observed: Int32Array, history?: unknown) => boolean,
): StatePredicate => ({ kind: 'relation', of, holds });

/** Anything over the whole state; fast where it reads few values. */
export const plain = (holds: (state: StateView) => boolean): StatePredicate => ({ kind: 'plain', holds });

/** All of them hold. */
export const and = (...of: readonly StatePredicate[]): StatePredicate => ({ kind: 'and', of });

/** One of them holds at least. */
export const or = (...of: readonly StatePredicate[]): StatePredicate => ({ kind: 'or', of });

/** It does not hold. */
export const not = (of: StatePredicate): StatePredicate => ({ kind: 'not', of });

/** It holds in every reachable state; `because` says of a state in which it does not what is wrong. */
export const always = (
  name: string,
  predicate: StatePredicate,
  because?: (state: StateView) => string,
): Property => ({ kind: 'always', name, predicate, ...(because === undefined ? {} : { because }) });

/** It holds in some reachable state. */
export const reachable = (name: string, predicate: StatePredicate): Property => ({
  kind: 'reachable',
  name,
  predicate,
});

/** Some step leads from every reachable state to another one, except where it is `quiescent`. Default: from all. */
export const deadlockFree = (name: string, quiescent?: StatePredicate): Property => ({
  kind: 'deadlockFree',
  name,
  ...(quiescent === undefined ? {} : { quiescent }),
});

/** Whenever `from` holds, `to` does then or later, in every fair run. */
export const leadsTo = (
  name: string,
  from: StatePredicate,
  to: StatePredicate,
  fairness: Fairness = {},
): Property => ({ kind: 'leadsTo', name, from, to, fairness });

/** It holds at some time in every fair run. */
export const eventually = (name: string, predicate: StatePredicate, fairness: Fairness = {}): Property => ({
  kind: 'eventually',
  name,
  predicate,
  fairness,
});

/** The formula of linear temporal logic holds of every fair run; `atoms` are its names. */
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
