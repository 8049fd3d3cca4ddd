import fc from 'fast-check';
import {
  type AnyStateMachine,
  and,
  assign,
  cancel,
  enqueueActions,
  log,
  not,
  or,
  raise,
  type StateValue,
  setup,
  stateIn,
} from 'xstate';

/** The events that random machines know, and one that they do not know. */
export const events = ['a', 'b', 'c', 'b.x', 'unknown'].map((type) => ({ type }));

interface Count {
  readonly count: number;
}

/**
 * A counter up to 3, so that there are few contexts, and the actions and guards that every machine may name.
 */
const house = setup({
  types: {} as { context: Count; events: { type: 'a' | 'b' | 'c' | 'raised' } },
  actions: {
    tell: () => {},
    told: (_, _params: { count: number; of?: string }) => {},
    count: assign({ count: ({ context }) => Math.min(context.count + 1, 3) }),
    set: assign((_, { count }: { count: number }) => ({ count })),
    same: assign({}),
    raise: raise({ type: 'raised' }),
    again: raise(({ event }) => event),
  },
  delays: { slow: 100, countLong: ({ context }) => context.count },
  guards: {
    even: ({ context }) => context.count % 2 === 0,
    is: ({ context }, { count }: { count: number }) => context.count === count,
    three: ({ context }) => context.count === 3,
    byRaise: ({ event }) => event.type === 'raised',
    oddOrRaised: or([not('even'), 'byRaise']),
  },
});

const collector = house.enqueueActions(({ context, enqueue, check }) => {
  enqueue({ type: 'told', params: { count: context.count, of: 'before' } });
  enqueue('count');
  enqueue({ type: 'told', params: ({ context }) => ({ count: context.count }) });
  if (check('even')) enqueue.assign({ count: 1 });
  if (check(and(['three', not('byRaise')]))) enqueue.raise({ type: 'raised' });
  enqueue(enqueueActions(({ enqueue }) => enqueue('tell')));
});

const action = fc.oneof(
  fc.constantFrom<unknown>('tell', 'count', 'same'),
  fc.constantFrom<unknown>('tell', 'count', 'count', 'same', 'raise', collector),
  fc.nat(3).map((count) => ({ type: 'set', params: { count } })),
  fc.constantFrom<unknown>(
    { type: 'told', params: ({ context }: { context: Count }) => ({ count: context.count }) },
    { type: 'set', params: ({ context }: { context: Count }) => ({ count: 3 - context.count }) },
    assign(({ context }: { context: Count }) => ({ count: context.count === 0 ? 2 : 0 })),
    raise({ type: 'b' }),
    raise({ type: 'raised' }, { delay: 5, id: 'timer' }),
    raise({ type: 'raised' }, { delay: 'countLong' } as never),
    cancel('timer'),
    cancel(({ context }: { context: Count }) => `timer${context.count}`),
    log(({ context }: { context: Count }) => context.count),
  ),
);

/** Named effects carry the place where they stand. */
const actionsAt = (place: string, most = 2) =>
  fc
    .array(fc.oneof(fc.constant({ type: 'at', params: { place } }), action), { maxLength: most })
    .map((list): unknown => (list.length === 1 ? list[0] : list));

interface Shape {
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly children: readonly Shape[];
  readonly initial: number;
}

const atomic: Shape = { kind: 'atomic', children: [], initial: 0 };

/** A history state needs a sibling. */
const childrenFrom = (shape: fc.Arbitrary<Shape>, minLength: number) =>
  fc
    .array(shape, { minLength, maxLength: 3, size: 'max' })
    .map((children) =>
      children.every(({ kind }) => kind === 'history') ? [atomic, ...children.slice(1)] : children,
    );

const shape: fc.Arbitrary<Shape> = fc.letrec<{ shape: Shape }>((tie) => ({
  shape: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    {
      weight: 3,
      arbitrary: fc.constantFrom<Shape>(
        atomic,
        atomic,
        atomic,
        { ...atomic, kind: 'final' },
        { ...atomic, kind: 'history' },
      ),
    },
    {
      weight: 3,
      arbitrary: fc.record<Shape>({
        kind: fc.constantFrom('compound', 'parallel'),
        children: childrenFrom(tie('shape'), 1),
        initial: fc.nat(2),
      }),
    },
  ),
})).shape;

const rootShape = fc
  .record<Shape>({
    kind: fc.constantFrom('compound', 'parallel'),
    children: childrenFrom(shape, 2),
    initial: fc.nat(2),
  })
  .map((root) => (has(root, 'parallel') ? without(root, 'history') : root));

const has = (node: Shape, kind: Shape['kind']): boolean =>
  node.kind === kind || node.children.some((child) => has(child, kind));

/*
 * If one region takes a transition to a history state while another leaves it, XState (5.33) enters states
 * without their ancestors. The result is not a configuration, so its behaviour is not compared.
 */
const without = (node: Shape, kind: Shape['kind']): Shape =>
  node.kind === kind ? atomic : { ...node, children: node.children.map((child) => without(child, kind)) };

const idsOf = (node: Shape, id: string): readonly string[] => [
  id,
  ...node.children.flatMap((child, index) => idsOf(child, `${id}_${index}`)),
];

function guardOf(ids: readonly string[]): fc.Arbitrary<unknown> {
  const simple = fc.oneof(
    fc.constantFrom<unknown>('even', 'three', 'byRaise', 'oddOrRaised'),
    fc.nat(3).map((count) => ({ type: 'is', params: { count } })),
    fc.constant({ type: 'is', params: ({ context }: { context: Count }) => ({ count: context.count }) }),
    fc.constantFrom(...ids).map((id) => stateIn(`#${id}`)),
    fc.constantFrom(...ids).map((id) => stateIn(valueOfPath(id))),
    fc.constant(({ context }: { context: Count }) => context.count < 2),
  );
  const pair = fc.tuple(simple, simple).map((both) => both as [never, never]);
  return fc.oneof(
    simple,
    pair.map(and),
    pair.map(or),
    simple.map((guard) => not(guard as never)),
  );
}

/** `r_0_1` is `{ r_0: 'r_0_1' }`. */
function valueOfPath(id: string): StateValue {
  const path = id.split('_').map((_, index, parts) => parts.slice(0, index + 1).join('_'));
  const [last, ...outer] = path.slice(1).reverse();
  return outer.reduce<StateValue>((value, key) => ({ [key]: value }), last ?? 'r');
}

function transitionOf(id: string, ids: readonly string[]): fc.Arbitrary<object> {
  const target = fc.constantFrom(...ids).map((to) => `#${to}`);
  const more = { guard: guardOf(ids), actions: actionsAt(`${id} on`), reenter: fc.boolean() };
  return fc.oneof(
    { weight: 4, arbitrary: fc.record({ target, ...more }, { requiredKeys: ['target', 'actions'] }) },
    fc.record(more, { requiredKeys: ['actions'] }),
  );
}

/** Most of these come to rest, because they undo the condition that enables them. */
function alwaysOf(id: string, ids: readonly string[]): fc.Arbitrary<object> {
  const guard = fc
    .tuple(fc.nat(2), guardOf(ids))
    .map(([count, other]) => and([{ type: 'is', params: { count } }, other] as [never, never]));
  const actions = fc
    .constantFrom([], ['count'], ['count'])
    .map((counts) => [{ type: 'at', params: { place: `${id} always` } }, ...counts]);
  const target = fc.constantFrom(...ids).map((to) => `#${to}`);
  return fc.record({ target, guard, actions, reenter: fc.boolean() }, { requiredKeys: ['guard', 'actions'] });
}

function configOf(
  node: Shape,
  id: string,
  ids: readonly string[],
  /** Its siblings that are not history states. */
  beside: readonly string[] = [],
): fc.Arbitrary<object> {
  const transition = transitionOf(id, ids);
  const on = fc.dictionary(
    fc.constantFrom('a', 'b', 'c', 'raised', '*', 'b.*'),
    fc.oneof(
      { weight: 3, arbitrary: transition },
      fc.array(transition, { minLength: 1, maxLength: 3 }),
      fc.constant({}),
    ),
    { minKeys: 2, maxKeys: 4, size: 'max' },
  );
  const own = fc.record(
    {
      on,
      always: alwaysOf(id, ids),
      entry: actionsAt(`${id} entry`),
      exit: actionsAt(`${id} exit`),
      after: fc.dictionary(fc.constantFrom('10', 'slow', 'countLong'), transition, { maxKeys: 1 }),
      tags: fc.constant('busy'),
    },
    { requiredKeys: ['on', 'entry', 'exit'] },
  );
  if (node.kind === 'atomic') return own.map((config) => ({ ...config, id }));
  if (node.kind === 'history') {
    const rest = { history: fc.constantFrom('shallow', 'deep'), target: fc.constantFrom(...beside) };
    return fc
      .record(rest, { requiredKeys: ['history'] })
      .map((config) => ({ ...config, id, type: 'history' }));
  }
  if (node.kind === 'final') {
    const output = fc.constantFrom<unknown>({ of: id }, ({ context, event }: Output) => ({
      ...context,
      of: event.type,
    }));
    return fc
      .record({ entry: own.map(({ entry }) => entry), output }, { requiredKeys: ['entry'] })
      .map((config) => ({ ...config, id, type: 'final' }));
  }
  const names = node.children.map((_, index) => `${id}_${index}`);
  const lasting = names.filter((_, index) => node.children[index]!.kind !== 'history');
  const states = fc.tuple(
    ...node.children.map((child, index) => configOf(child, names[index]!, ids, lasting)),
  );
  const initial = lasting[node.initial % lasting.length]!;
  const done = fc.option(transition, { nil: undefined });
  return fc
    .tuple(own, states, actionsAt(`${id} initial`, 1), done)
    .map(([config, children, actions, onDone]) => ({
      ...config,
      ...(onDone && { onDone }),
      id,
      ...(node.kind === 'parallel' ? { type: 'parallel' } : { initial: { target: initial, actions } }),
      states: Object.fromEntries(children.map((child, index) => [names[index]!, child])),
    }));
}

interface Output {
  readonly context: Count;
  readonly event: { readonly type: string };
}

export const randomMachine: fc.Arbitrary<AnyStateMachine> = rootShape
  .chain((root) => configOf(root, 'r', idsOf(root, 'r')))
  .map((config) =>
    createMachine({
      ...config,
      context: { count: 0 },
      output: ({ context, event }: Output) => ({ ...context, of: event.type }),
      options: { maxIterations: 25 },
    }),
  );

/** Creates a machine without types, because random definitions have none. */
function createMachine(config: object): AnyStateMachine {
  return (house.createMachine as (config: object) => unknown)(config) as AnyStateMachine;
}
