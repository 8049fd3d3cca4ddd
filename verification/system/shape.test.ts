import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { setup } from 'xstate';
import { type CheckOptions, check } from '../check/check.ts';
import { twoPhaseCommit } from '../examples/two-phase-commit.ts';
import {
  always,
  count,
  every,
  leadsTo,
  not,
  plain,
  reachable,
  relation,
  some,
  tally,
  weakly,
} from './properties.ts';
import type { ActorView, System } from './system.ts';

const machine = setup({ types: {} as { context: { n: number } } }).createMachine({
  id: 'm',
  context: { n: 0 },
  initial: 'idle',
  states: { idle: { on: { go: 'bad' } }, bad: { initial: 'deep', states: { deep: {} } } },
});
const go = { event: { type: 'go' } };

const system = (more: object = {}, actor: object = {}): System =>
  ({
    name: 'small',
    network: { order: 'fifo' },
    properties: [],
    actors: { a: { machine, environment: [go], ...actor } },
    ...more,
  }) as System;
const asks = (is: (actor: ActorView) => unknown): System =>
  system({ properties: [always('mine', not(some(is as (actor: ActorView) => boolean)))] });

function refusal(what: System, options?: CheckOptions): Promise<{ code: string; reason: string }> {
  return check(what, options).then(
    () => {
      throw new Error('it was not refused');
    },
    (error) => error,
  );
}

describe('a slip in a system is an error', () => {
  it.each<[string, System, string, RegExp]>([
    [
      'a key of an actor',
      system({}, { enviroment: [] }),
      'SYSTEM_INVALID',
      /^actors\.a\.enviroment: .*did you mean environment\?$/,
    ],
    [
      'a key of the network',
      system({ network: { order: 'fifo', losss: 1 } }),
      'SYSTEM_INVALID',
      /did you mean loss\?/,
    ],
    ['a key of the system', system({ propertys: [] }), 'SYSTEM_INVALID', /did you mean properties\?/],
    [
      'a key of a crash',
      system({}, { crash: { time: 1 } }),
      'SYSTEM_INVALID',
      /crash\.time: .*did you mean times\?/,
    ],
    [
      'a kind',
      system({ properties: [{ kind: 'Always', name: 'x' }] }),
      'SYSTEM_INVALID',
      /did you mean always\?/,
    ],
    [
      'a key of a predicate',
      system({ properties: [always('x', { kind: 'and', of: [{ kind: 'some', iss: 1 } as never] })] }),
      'SYSTEM_INVALID',
      /properties\[0\]\.predicate\.of\[0\]\.iss: .*did you mean is\?/,
    ],
    [
      'a key of fairness',
      system({
        properties: [
          leadsTo(
            'x',
            every(() => true),
            every(() => true),
            { week: () => null } as never,
          ),
        ],
      }),
      'SYSTEM_INVALID',
      /did you mean weak\?/,
    ],
    [
      'a restart without a crash',
      system({}, { restart: { input: () => null } }),
      'SYSTEM_INVALID',
      /may never crash/,
    ],
    [
      'an event that no machine takes',
      system({}, { environment: [{ event: { type: 'goo' } }] }),
      'SYSTEM_INVALID',
      /did you mean go\?/,
    ],
    [
      'what is no machine',
      system({ actors: { a: { machine: machine.config } } }),
      'SYSTEM_INVALID',
      /must be a machine of XState/,
    ],
    [
      'an empty name',
      system({
        properties: [
          always(
            '',
            every(() => true),
          ),
        ],
      }),
      'SYSTEM_INVALID',
      /must not be empty/,
    ],
    [
      'a name given twice',
      system({
        properties: [
          always(
            'x',
            every(() => true),
          ),
          reachable(
            'x',
            every(() => true),
          ),
        ],
      }),
      'SYSTEM_INVALID',
      /two are called 'x'/,
    ],
    [
      "the name of the check's own",
      system({
        properties: [
          always(
            'no machine fails',
            every(() => true),
          ),
        ],
      }),
      'SYSTEM_INVALID',
      /call your property something else/,
    ],
    [
      'a state that no machine has',
      asks((actor) => actor.in('baad')),
      'PREDICATE_INVALID',
      /did you mean bad\?/,
    ],
    ['a state by its id', asks((actor) => actor.in('#m.bad.deep')), 'PREDICATE_INVALID', /write 'bad\.deep'/],
    ['no return', asks((actor) => void actor.in('bad')), 'PREDICATE_INVALID', /'mine' .*lack a return/],
    [
      'a predicate that is async',
      asks(async (actor) => actor.in('bad')),
      'PREDICATE_INVALID',
      /must not be async/,
    ],
    ['a number for a boolean', asks(() => 1), 'PREDICATE_INVALID', /answered 1/],
    [
      'a function for a boolean',
      system({ properties: [always('x', plain((() => () => true) as never))] }),
      'PREDICATE_INVALID',
      /answered a function/,
    ],
    ['a clock in a predicate', asks(() => Date.now() > 0), 'PREDICATE_INVALID', /reads Date\.now/],
    ['a predicate that counts its calls', asks(counter()), 'PREDICATE_INVALID', /remember nothing/],
    [
      'a count that is no number',
      system({
        properties: [
          always(
            'x',
            count((() => '1') as never, () => true),
          ),
        ],
      }),
      'PREDICATE_INVALID',
      /whole number/,
    ],
    [
      'a sum judged by no boolean',
      system({
        properties: [
          always(
            'x',
            count(() => 1, (() => 'yes') as never),
          ),
        ],
      }),
      'PREDICATE_INVALID',
      /answered yes/,
    ],
    [
      'a tally of strangers',
      system({
        properties: [
          always(
            'x',
            tally(
              () => ['z'],
              () => true,
            ),
          ),
        ],
      }),
      'PREDICATE_INVALID',
      /'a' names "z"/,
    ],
    ...[2 ** 31, 0.5, undefined, Number.NaN].map((number): [string, System, string, RegExp] => [
      `${number} in a relation`,
      system({
        properties: [
          always(
            'x',
            relation(
              () => number as number,
              () => true,
            ),
          ),
        ],
      }),
      'PREDICATE_INVALID',
      /whole number from -2\^31/,
    ]),
    [
      'no boolean of a relation',
      system({
        properties: [
          always(
            'x',
            relation(() => 1, (() => 1) as never),
          ),
        ],
      }),
      'PREDICATE_INVALID',
      /answered 1/,
    ],
  ])('%s', async (_, what, code, says) => {
    const error = await refusal(what);
    expect(error).toMatchObject({ code, reason: expect.stringMatching(says) });
  });

  it.each<[string, System, RegExp]>([
    ['a predicate', asks(broken), /^The predicate of 'mine' threw: Cannot read .*\n {5}a {2}idle {2}n=0$/],
    [
      'a predicate of the whole state',
      system({ properties: [always('mine', plain(broken as never))] }),
      /'mine' threw: .*\n {5}a {2}idle {2}n=0$/,
    ],
    [
      'a judge of numbers',
      system({
        properties: [
          always(
            'mine',
            relation(() => 7, broken as never),
          ),
        ],
      }),
      /'mine' threw: .*\n.*the numbers 7$/,
    ],
    ['the constraint', system({ constraint: every(broken) }), /^The constraint threw/],
    [
      '`when` of the environment',
      system({}, { environment: [{ ...go, when: broken }] }),
      /^`when` of environment event 'go' of 'a' threw/,
    ],
    [
      '`when` of a crash',
      system({}, { crash: { times: 1, when: broken } }),
      /^`when` of the crash of 'a' threw/,
    ],
    [
      '`restart.input`',
      system({}, { crash: { times: 1 }, restart: { input: broken } }),
      /^`restart\.input` of 'a' threw/,
    ],
    ['`view`', system({ view: broken }), /^`view` threw/],
    [
      '`because`',
      system({
        properties: [
          always(
            'mine',
            every(() => false),
            broken as never,
          ),
        ],
      }),
      /^`because` of 'mine' threw/,
    ],
    [
      'fairness',
      system({
        properties: [
          leadsTo(
            'x',
            every(() => true),
            every((a) => a.in('bad')),
            weakly(broken as never),
          ),
        ],
      }),
      /^A function of fairness threw/,
    ],
  ])('%s that throws is told by name, with the state', async (_, what, says) => {
    expect(await refusal(what)).toMatchObject({
      code: 'CALLBACK_FAILED',
      reason: expect.stringMatching(says),
    });
  });

  it('at any misspelt key of a published system', async () => {
    const keys = [...new Set(keysIn(twoPhaseCommit()))];
    expect(keys.length).toBeGreaterThan(15);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...keys),
        fc.nat(8),
        fc.constantFrom('x', '_'),
        async (key, at, envelope) => {
          const wrong = key.slice(0, at) + envelope + key.slice(at);
          const error = await refusal(misspelt(twoPhaseCommit(), key, wrong) as System);
          expect(error).toMatchObject({ code: 'SYSTEM_INVALID', reason: expect.stringContaining(wrong) });
        },
      ),
      { numRuns: 60 },
    );
  });
});

function counter(): (actor: ActorView) => boolean {
  let calls = 0;
  return () => calls++ % 2 === 0;
}

function broken(_: unknown): never {
  return (undefined as unknown as { id: never }).id;
}

/** Machines, inputs and events are the author's own; actors have the author's names. */
const own = ['machine', 'input', 'event', 'symmetry'];

function keysIn(value: unknown, names = false): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => keysIn(item));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => [
    ...(names ? [] : [key]),
    ...(own.includes(key) ? [] : keysIn(part, key === 'actors')),
  ]);
}

function misspelt(value: unknown, wanted: string, wrong: string, names = false): unknown {
  if (Array.isArray(value)) return value.map((item) => misspelt(item, wanted, wrong));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [
      key === wanted && !names ? wrong : key,
      own.includes(key) ? part : misspelt(part, wanted, wrong, key === 'actors'),
    ]),
  );
}
