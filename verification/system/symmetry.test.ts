import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AnyStateMachine, assign, createMachine } from 'xstate';
import type { Edge } from '../checker/model.ts';
import { successors } from '../checker/model.ts';
import { exploreNaively } from '../checker/naive.ts';
import { type Compiled, compile } from './index.ts';
import type { ActorSpec, Network } from './system.ts';
import { systemOf, tokenPassing } from './testing/systems.ts';

const ids = ['a', 'b', 'c'];
const permutation = fc.shuffledSubarray([0, 1, 2], { minLength: 3 });
const networks: readonly Network[] = [
  { order: 'fifo' },
  { order: 'unordered' },
  { order: 'unordered-by-target' },
  { order: 'fifo', loss: 1 },
];

function statesOf({ model }: Compiled): readonly (readonly number[])[] {
  const states: (readonly number[])[] = [];
  exploreNaively(model, (state) => states.push(state));
  return states;
}

function renamed({ symmetry }: Compiled, state: readonly number[], to: readonly number[]): number[] {
  const after = [...state];
  for (const [process, local] of state.entries())
    after[to[process] ?? process] = symmetry!.rename(process, local, to);
  return after;
}

function multiset(edges: readonly Edge[], to: readonly number[] = [0, 1, 2]): string[] {
  return edges.map(({ label, refs }) => `${label} ${refs.map((process) => to[process])}`).sort();
}

describe.each(networks.map((network) => [JSON.stringify(network), network] as const))('%s', (_, network) => {
  const compiled = compile(tokenPassing(ids, network));
  const states = statesOf(compiled);
  const anyState = fc.constantFrom(...states);

  it('renames states as a group does, and edges with them', () => {
    fc.assert(
      fc.property(anyState, permutation, permutation, (state, first, second) => {
        const once = renamed(compiled, state, first);
        expect(renamed(compiled, state, [0, 1, 2])).toEqual(state);
        expect(renamed(compiled, once, second)).toEqual(
          renamed(
            compiled,
            state,
            first.map((process) => second[process]!),
          ),
        );
        for (const process of ids.keys()) {
          const [before, after] = [
            compiled.symmetry!.edges(process, state[process]!),
            compiled.symmetry!.edges(first[process]!, once[first[process]!]!),
          ];
          expect(multiset(after)).toEqual(multiset(before, first));
        }
      }),
    );
  });

  it('tells locals apart by their edges', () => {
    for (const process of ids.keys()) {
      const locals = new Set(states.map((state) => state[process]!));
      const texts = new Set(
        [...locals].map((local) => multiset(compiled.symmetry!.edges(process, local)).join()),
      );
      expect(texts.size).toBe(locals.size);
    }
  });

  it('takes the renamed steps from the renamed state', () => {
    fc.assert(
      fc.property(anyState, permutation, (state, to) => {
        const nextTo = (from: readonly number[]) =>
          [...successors(compiled.model, from)].map((step) => step.after);
        const [there, here] = [nextTo(renamed(compiled, state, to)), nextTo(state)];
        expect(there.map(String).sort()).toEqual(
          here.map((next) => String(renamed(compiled, next, to))).sort(),
        );
      }),
    );
  });

  it('decodes a renamed state to the original with other names', () => {
    fc.assert(
      fc.property(anyState, permutation, (state, to) => {
        const rename = (text: string) =>
          text.replace(/"([abc])"/g, (_match, id) => `"${ids[to[ids.indexOf(id)]!]}"`);
        const before = JSON.parse(rename(JSON.stringify(compiled.record(state))));
        const after = JSON.parse(JSON.stringify(compiled.record(renamed(compiled, state, to))));
        // An inbox lists its links in the order of the sources' processes.
        const sorted = (record: Record<string, { inbox: { source: string }[] }>) =>
          Object.fromEntries(
            Object.entries(record).map(([id, actor]) => [
              id,
              { ...actor, inbox: actor.inbox.map((envelope) => JSON.stringify(envelope)).sort() },
            ]),
          );
        expect(sorted(after)).toEqual(sorted(before));
      }),
    );
  });
});

describe('actors that are declared interchangeable, and are not', () => {
  const ask = { event: { type: 'go' } };
  function three(machine: AnyStateMachine, spec: (self: string) => Partial<ActorSpec> = () => ({})) {
    const actors = ids.map((self) => [self, { machine, input: { self }, environment: [ask], ...spec(self) }]);
    return systemOf(Object.fromEntries(actors), { symmetry: ids });
  }
  function onGo(choose: (self: string) => string | null): AnyStateMachine {
    return createMachine({
      id: 'odd',
      context: ({ input }) => ({ self: (input as { self: string }).self, seen: null as string | null }),
      on: { go: { actions: assign(({ context }) => ({ seen: choose(context['self'] as string) })) } },
    }) as unknown as AnyStateMachine;
  }

  it.each<[string, ReturnType<typeof three>]>([
    ['orders ids', three(onGo((self) => (self < 'b' ? self : null)))],
    ['sorts ids', three(onGo((self) => [self, 'b'].sort()[0]!))],
    ['writes ids into texts', three(onGo((self) => `from ${self}`))],
    ['knows one of them', three(onGo((self) => (self === 'a' ? 'odd' : 'even')))],
    [
      'is offered other events',
      three(
        onGo(() => null),
        (self) => ({
          environment: [{ event: { type: 'go', id: self === 'a' ? 1 : 2 } as { type: string } }],
        }),
      ),
    ],
    [
      'is offered events at other times',
      three(
        onGo(() => null),
        (self) => ({ environment: [{ ...ask, when: () => self !== 'b' }] }),
      ),
    ],
    [
      'starts again with other input',
      three(
        onGo(() => null),
        (self) => ({ crash: { times: 1 }, restart: { input: () => ({ self: self === 'a' ? 'b' : self }) } }),
      ),
    ],
  ])('%s', (_, system) => {
    expect(() => statesOf(compile(system))).toThrow(expect.objectContaining({ code: 'SYMMETRY_BROKEN' }));
    const { symmetry: _symmetry, ...plain } = system;
    expect(statesOf(compile(plain)).length).toBeGreaterThan(0);
  });

  it('is refused if they hear different events', () => {
    const system = tokenPassing(ids);
    const deaf = { ...system.actors['c']!, deliver: () => ({ type: 'noise' }) };
    const broken = { ...system, actors: { ...system.actors, c: deaf } };
    expect(() => statesOf(compile(broken))).toThrow(expect.objectContaining({ code: 'SYMMETRY_BROKEN' }));
  });
});
