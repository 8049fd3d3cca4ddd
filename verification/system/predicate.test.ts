import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMachine } from 'xstate';
import type { Predicate } from '../checker/model.ts';
import { exploreNaively } from '../checker/naive.ts';
import {
  and,
  type Compiled,
  compile,
  count,
  evaluate,
  every,
  not,
  or,
  plain,
  relation,
  type StatePredicate,
  some,
  tally,
} from './index.ts';
import type { ActorView } from './system.ts';
import { alone, envelopes, tokenPassing } from './testing/systems.ts';

function judged(predicate: Predicate, state: readonly number[]): boolean {
  if (predicate.kind === 'tuple') {
    return predicate.judge(Int32Array.from(state, (local, process) => predicate.observe(process, local)));
  }
  return predicate.judge(
    state.reduce((sum, local, process) => (sum + predicate.project(process, local)) >>> 0, 0),
  );
}

function statesOf({ model }: Compiled): readonly (readonly number[])[] {
  const states: (readonly number[])[] = [];
  exploreNaively(model, (state) => states.push(state));
  return states;
}

const hasToken = ({ context }: ActorView) => context['token'] === true;
const asked = ({ inbox }: ActorView) =>
  inbox.flatMap(({ message }) => ('origin' in message ? [String(message.origin)] : []));

/** Predicates of every kind, and what `and`, `or` and `not` make of them. */
const leaf: fc.Arbitrary<StatePredicate> = fc.oneof(
  fc.constantFrom<StatePredicate>(
    every(hasToken),
    some(hasToken),
    every(({ inbox }) => inbox.length === 0),
    some(({ timers }) => timers.length > 0),
    relation(
      ({ context, inbox }, indexOf) => indexOf(String(context['self'])) * 10 + inbox.length,
      (observed) => observed[0]! + observed[1]! < observed[2]! && observed.length === 3,
    ),
    plain((state) => state.actor('a').inbox.length === state.actors[1]!.inbox.length),
  ),
  fc.nat(4).map((most) =>
    count(
      ({ inbox }) => inbox.length,
      (sum) => sum <= most,
    ),
  ),
  fc.nat(2).map((times) => tally(asked, (named) => named === times)),
);
const predicate = fc.letrec<{ any: StatePredicate }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    tie('any').map((part) => not(part)),
    fc.array(tie('any'), { maxLength: 3 }).map((parts) => and(...parts)),
    fc.array(tie('any'), { maxLength: 3 }).map((parts) => or(...parts)),
  ),
})).any;

describe('compiled predicates', () => {
  // With and without a process that is no actor.
  const systems = [tokenPassing(['a', 'b', 'c']), tokenPassing(['a', 'b', 'c'], { order: 'fifo', loss: 1 })];
  it.each(systems.map((system) => [system.network, compile(system)] as const))(
    'agree with their definition, on %j',
    (_, compiled) => {
      const states = statesOf(compiled);
      fc.assert(
        fc.property(predicate, fc.boolean(), (tried, exact) => {
          const predicate = compiled.predicateOf(tried, { exact });
          for (const state of states)
            expect(judged(predicate, state)).toBe(evaluate(tried, compiled.decode(state)));
        }),
        { numRuns: 60 },
      );
    },
  );

  it('are sums if possible', () => {
    const compiled = compile(tokenPassing(['a', 'b', 'c']));
    const kindOf = (tried: StatePredicate, exact = false) => compiled.predicateOf(tried, { exact }).kind;
    const one = count(hasToken, (sum) => sum === 1);
    expect(kindOf(and(every(hasToken), not(some(hasToken)), one))).toBe('sum');
    expect(kindOf(tally(asked, (times) => times < 2))).toBe('sum');
    expect(kindOf(and(one, one, one))).toBe('tuple');
    expect(kindOf(one, true)).toBe('tuple');
    expect(
      kindOf(
        or(
          one,
          plain(() => true),
        ),
      ),
    ).toBe('tuple');
  });

  it('refuse a counter that would overflow, unless they are exact', () => {
    const compiled = compile(envelopes(9, { order: 'fifo' }));
    const initial = compiled.model.initial[0]!;
    const huge = count(
      ({ inbox }) => inbox.length * 10_000,
      (sum) => sum === 90_000,
    );
    const often = tally(
      ({ inbox }) => inbox.flatMap(() => Array<string>(20).fill('b')),
      (times) => times === 0 || times === 180,
    );
    for (const tried of [huge, often]) {
      expect(() => judged(compiled.predicateOf(tried), initial)).toThrow(
        expect.objectContaining({ code: 'WATCH_OVERFLOW' }),
      );
      expect(judged(compiled.predicateOf(tried, { exact: true }), initial)).toBe(true);
    }
  });

  it.each<[string, StatePredicate, RegExp]>([
    [
      'half a count',
      count(
        () => 0.5,
        () => true,
      ),
      /whole number/,
    ],
    [
      'a negative count',
      count(
        () => -1,
        () => true,
      ),
      /whole number/,
    ],
    [
      'a tally of strangers',
      tally(
        () => ['x'],
        () => true,
      ),
      /"x", which is no actor/,
    ],
    ['an unknown actor', plain((state) => state.actor('x').up), /actor 'x'/],
  ])('refuse %s', (_, tried, says) => {
    const compiled = compile(alone(createMachine({ id: 'still' })));
    expect(() => judged(compiled.predicateOf(tried), compiled.model.initial[0]!)).toThrow(
      expect.objectContaining({ code: 'PREDICATE_INVALID', message: expect.stringMatching(says) }),
    );
  });
});
