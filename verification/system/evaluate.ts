import type { SiteId } from '../../machines/actor.ts';
import type { StatePredicate, StateView } from './system.ts';

/**
 * Reports whether the predicate holds in this state. A short definition of the result of `compilePredicate`,
 * which is fast.
 */
export function evaluate(predicate: StatePredicate, state: StateView): boolean {
  const { actors } = state;
  switch (predicate.kind) {
    case 'every':
      return actors.every((actor) => predicate.is(actor));
    case 'some':
      return actors.some((actor) => predicate.is(actor));
    case 'count':
      return predicate.is(actors.reduce((sum, actor) => sum + predicate.of(actor), 0));
    case 'tally': {
      const named = actors.flatMap((actor) => predicate.names(actor));
      return actors.every(({ id }) => predicate.is(named.filter((name) => name === id).length));
    }
    case 'relation': {
      const indexOf = (id: SiteId) => actors.findIndex((actor) => actor.id === id);
      return predicate.holds(
        Int32Array.from(actors, (actor) => predicate.of(actor, indexOf)),
        state.history,
      );
    }
    case 'plain':
      return predicate.holds(state);
    case 'and':
      return predicate.of.every((part) => evaluate(part, state));
    case 'or':
      return predicate.of.some((part) => evaluate(part, state));
    case 'not':
      return !evaluate(predicate.of, state);
  }
}
