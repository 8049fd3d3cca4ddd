import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assign } from 'xstate';
import { siteMachine } from '../../../../machines/naimi-trehel/site.ts';
import { prove, remembering } from '../../../proof/prove.ts';
import { type Solver, solvers } from '../../../proof/solver.ts';
import { replace } from '../edit.ts';
import { mutants } from '../mutants.ts';
import { before, invariant } from './invariant.ts';
import { consequences, naimiTrehelTheory } from './theory.ts';

let solver: Solver;
beforeAll(async () => {
  solver = remembering(await solvers['z3-wasm'](60_000));
});
afterAll(() => solver.close());

const proofOf = (machine: Parameters<typeof naimiTrehelTheory>[0]) =>
  prove('naimi-trehel', naimiTrehelTheory(machine), [solver]);

test('L1 to L3, T, Q and one token are inductive, and each waiting site is served, for every number of sites', {
  timeout: 300_000,
}, async () => {
  const { rows, claims, impossible, holds } = await proofOf(siteMachine);
  expect(claims.filter(({ verdict }) => verdict !== 'proved')).toEqual([]);
  expect({ rows, claims: claims.length, impossible: impossible.length, holds }).toEqual({
    rows: 696,
    claims: 857,
    impossible: 26,
    holds: true,
  });
});

describe('a mistake in the statechart breaks the obligation that forbids it', () => {
  test.each([
    ['an idle root copies the token', 'L3: of an idle site; at most one token'],
    ['last stays after asking', 'L3: of a site that is not idle'],
    ['a root stays root after handing over', 'routing is root exactly when last is nil'],
    [
      'the token is kept on release',
      'L3: of an idle site; progress: the head stays in the critical section until it hands the token on; progress: a release hands the token on',
    ],
  ] as const)('%s', { timeout: 120_000 }, async (name, broken) => {
    const { claims } = await proofOf(mutants[name]);
    const refuted = claims.filter(({ verdict }) => verdict === 'refuted').map(({ claim }) => claim);
    expect(refuted.join('; ')).toBe(broken);
  });
});

/* A mutant breaks each of these conjuncts: theory.slow.test.ts. */
describe('a consequence falls with the conjunct that it rests on', () => {
  const rests = {
    'mutual exclusion': 'at most one token',
    'T: there is one root': 'L1: a waiting site is in a place',
    "T: it is the tail of the token's queue": 'L3: of a site that is not idle',
    'a queue has one head': 'queue: of chains',
    'progress: the head has a request on its way, or the token, or gets it':
      'L1: a waiting site is in a place',
    "progress: the receiver of the head's request is not below the tail":
      'T: or where the request of its head goes',
    'progress: a head with the token is in its critical section': 'L3: of an idle site',
  };

  test('all of them', () => {
    const { claims } = consequences(invariant(before));
    const ofUnsat = claims.filter(({ expect }) => expect === undefined).map(({ claim }) => claim);
    expect(Object.keys(rests)).toEqual(ofUnsat);
  });

  test.each(Object.entries(rests))('%s: %s', async (consequence, conjunct) => {
    const others = invariant(before).filter(({ name }) => name !== conjunct);
    expect(others.length).toBe(invariant(before).length - 1);
    const step = consequences(others);
    const claims = step.claims.filter(({ claim }) => claim === consequence);
    const report = await prove(consequence, { rows: 0, table: [], steps: [{ ...step, claims }] }, [solver]);
    expect(report.claims.map(({ verdict }) => verdict)).toEqual(['refuted']);
  });
});

test('a client that cannot release breaks the claim that the step which helps can be taken', () => {
  const machine = replace('client.inCS.on.release', []);
  const { table } = naimiTrehelTheory(machine);
  expect(table.filter(({ broken }) => broken.length > 0).map(({ claim }) => claim)).toEqual([
    'progress: a client can release in its critical section',
  ]);
});

describe('the table refuses a step that does more with an id than copy and compare', () => {
  test('it asks for the order of two ids', () => {
    const machine = replace(
      'routing.forwarding.on.REQUEST.0.actions.1',
      assign({
        last: ({ context, event }) => (event['origin'] > context['self'] ? event['origin'] : context['last']),
      }),
    );
    expect(() => naimiTrehelTheory(machine)).toThrow(/Cannot convert object to primitive value/);
  });

  test('it asks for the type of an id', () => {
    const machine = replace(
      'routing.forwarding.on.REQUEST.0.actions.1',
      assign({
        last: ({ context, event }) =>
          typeof event['origin'] === 'string' ? context['last'] : event['origin'],
      }),
    );
    const [opaque] = naimiTrehelTheory(machine).table;
    expect(opaque!.claim).toBe('a step only copies ids and compares them');
    expect(opaque!.broken.length).toBeGreaterThan(0);
  });

  test('it makes an id up', () => {
    const machine = replace('routing.forwarding.on.REQUEST.0.actions.1', assign({ last: 'a' }));
    expect(() => naimiTrehelTheory(machine)).toThrow('the step names another one');
  });

  test('it counts its peers', () => {
    const machine = replace(
      'client.idle.on.ask.0.guard',
      ({ context }: { context: { peers: number } }) => context.peers > 3,
    );
    expect(() => naimiTrehelTheory(machine)).toThrow(/Cannot convert object to primitive value/);
  });
});
