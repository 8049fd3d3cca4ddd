import { evaluate } from '../system/evaluate.ts';
import type { ActorView, StatePredicate, StateView } from '../system/system.ts';
import type { Read } from './format.ts';

/** Maximum number of values listed for one judgement. */
const mostReads = 60;

type Tell = (
  site: string | null,
  path: string,
  value: unknown,
  before: (state: StateView) => unknown,
) => void;

/**
 * The values that the predicates read while they were evaluated in `state`, each with its value in the state
 * `before`. This works for every predicate, because the predicate sees the state through proxies.
 */
export function readsOf(
  predicates: readonly StatePredicate[],
  state: StateView,
  before: StateView | null,
): readonly Read[] {
  const reads = new Map<string, Read>();
  const tell: Tell = (site, path, value, valueIn) => {
    const key = JSON.stringify([site, path]);
    if (reads.has(key) || reads.size >= mostReads) return;
    reads.set(key, {
      site,
      path,
      now: plain(value),
      before: before === null ? null : plain(valueIn(before)),
    });
  };
  const observed = observedState(state, tell);
  for (const predicate of predicates) evaluate(predicate, observed);
  return [...reads.values()];
}

function observedState(state: StateView, tell: Tell): StateView {
  const actors = state.actors.map((actor) => observedActor(actor, tell));
  return {
    actors,
    get history() {
      tell(null, 'history', state.history, ({ history }) => history);
      return state.history;
    },
    actor: (id) => actors.find((actor) => actor.id === id)!,
  };
}

function observedActor(actor: ActorView, tell: Tell): ActorView {
  const { id } = actor;
  // A copy is needed: a proxy must not replace the fields of a frozen object.
  const context = plain(actor.context);
  const read = <Value>(path: string, valueIn: (actor: ActorView) => Value): Value => {
    const value = valueIn(actor);
    tell(id, path, value, (state) => valueIn(state.actor(id)));
    return value;
  };
  const answer = actor.answer;
  return {
    id,
    get up() {
      return read('is up', ({ up }) => up);
    },
    get value() {
      return read('state', ({ value }) => value);
    },
    get context() {
      if (typeof context !== 'object' || context === null) return actor.context;
      return observedFields(context, [], (path, value) =>
        tell(id, path.join('.') || 'context', value, (state) => at(state.actor(id).context, path)),
      ) as ActorView['context'];
    },
    in: (path) => read(`in ${path}`, (one) => one.in(path)),
    get inbox() {
      return read('messages on their way', ({ inbox }) => inbox);
    },
    get timers() {
      return read('timers', ({ timers }) => timers);
    },
    get fault() {
      return read('fault', ({ fault }) => fault);
    },
    ...(answer !== undefined && {
      answer: (event) => {
        const effects = answer(event);
        tell(id, `answer to ${event.type}`, effects, (state) => state.actor(id).answer?.(event));
        return effects;
      },
    }),
  } as ActorView;
}

/**
 * An object whose leaves are reported when they are read. A list, or an object that is enumerated, is
 * reported whole.
 */
function observedFields(
  value: object,
  path: readonly string[],
  tell: (path: readonly string[], value: unknown) => void,
): object {
  return new Proxy(value, {
    get: (target, key, receiver) => {
      const field: unknown = Reflect.get(target, key, receiver);
      if (typeof key === 'symbol' || typeof field === 'function') return field;
      const below = [...path, key];
      if (typeof field !== 'object' || field === null || Array.isArray(field)) {
        tell(below, field);
        return field;
      }
      return observedFields(field, below, tell);
    },
    has: (target, key) => {
      if (typeof key === 'string') tell([...path, key], Reflect.get(target, key));
      return Reflect.has(target, key);
    },
    ownKeys: (target) => {
      tell(path, target);
      return Reflect.ownKeys(target);
    },
  });
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  );
}

/** The value as JSON represents it. `undefined` becomes `null`. */
function plain(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
}
