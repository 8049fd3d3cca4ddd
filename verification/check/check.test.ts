import { describe, expect, it } from 'vitest';
import { assign, createMachine, setup } from 'xstate';
import { naimiTrehel } from '../protocols/naimi-trehel/system.ts';
import {
  always,
  compile,
  count,
  deadlockFree,
  deliveries,
  eventually,
  leadsTo,
  ltl,
  reachable,
  replayTrace,
  some,
  weakly,
} from '../system/index.ts';
import type { Property, System } from '../system/system.ts';
import { envelopes, systemOf } from '../system/testing/systems.ts';
import { check, noFault } from './check.ts';

/** M(1), M(2), M(3) are delivered in turn: a run of four states; the last is a deadlock. */
function delivering(...properties: readonly Property[]): System {
  return { ...envelopes(3, { order: 'fifo' }), properties };
}

const got = (times: number) =>
  some(({ context }) => (context['got'] as unknown[] | undefined)?.length === times);
const gotLess = (times: number) =>
  count(
    ({ context }) => (context['got'] as unknown[] | undefined)?.length ?? 0,
    (sum) => sum < times,
  );

async function verdicts(system: System, options: Parameters<typeof check>[1] = {}) {
  const { properties } = await check(system, options);
  return properties.map(({ name, verdict, trace }) => [name, verdict, trace?.steps.length ?? null]);
}

describe('check', () => {
  it('judges each kind of property, and shows the shortest run to a violation', async () => {
    const system = delivering(
      always('few', gotLess(4)),
      always('fewer', gotLess(2)),
      reachable('all', got(3)),
      reachable('more', got(4)),
      deadlockFree('goes on'),
      deadlockFree('ends with all', got(3)),
    );
    expect(await verdicts(system)).toEqual([
      [noFault.name, 'holds', null],
      ['few', 'holds', null],
      ['fewer', 'violated', 2],
      ['all', 'holds', 3],
      ['more', 'violated', null],
      ['goes on', 'violated', 3],
      ['ends with all', 'holds', null],
    ]);
  });

  it('gives the reason why a property is violated', async () => {
    const tells = always(
      'fewer',
      gotLess(2),
      (state) => `b got ${JSON.stringify(state.actor('b').context['got'])}`,
    );
    const { properties } = await check(delivering(tells, deadlockFree('goes on')));
    expect(properties.map((result) => ('reason' in result ? result.reason : null))).toEqual([
      null,
      'b got [1,2]',
      'nothing can happen any more',
    ]);
  });

  it('counts states, transitions and depth', async () => {
    const report = await check(delivering());
    expect(report).toMatchObject({
      sites: 2,
      network: 'fifo',
      states: 4,
      transitions: 3,
      depth: 3,
      complete: true,
      cut: 0,
    });
  });

  it('names the transitions that were never taken', async () => {
    const { coverage } = await check(naimiTrehel({ sites: 3, network: { order: 'fifo' } }));
    const never = coverage[0]!.never.map(({ state, event }) => `${state} ${event}`);
    expect(never).toContain('site.client.inCS leave');
    expect(never).toContain('site *');
    expect(never).not.toContain('site.client.inCS release');
  });

  it('always judges that no machine fails', async () => {
    const machine = createMachine({
      id: 'failing',
      on: { M: { actions: { type: 'send', params: { target: 'nobody', message: { type: 'M' } } } } },
    });
    const system = delivering();
    const report = await check({ ...system, actors: { ...system.actors, b: { machine } } });
    expect(report.properties[0]).toMatchObject({
      name: noFault.name,
      verdict: 'violated',
      reason: 'b: send of {"type":"M"} to "nobody", which is no actor',
    });
  });

  it('gives no verdict `holds` after an incomplete exploration', async () => {
    const system = delivering(
      always('few', gotLess(4)),
      reachable('all', got(3)),
      always('fewer', gotLess(1)),
    );
    const limited = await check(system, { maxStates: 2 });
    expect(limited).toMatchObject({ complete: false, incomplete: 'the limit of 2 states was reached' });
    expect(await verdicts(system, { maxStates: 2 })).toEqual([
      [noFault.name, 'incomplete', null],
      ['few', 'incomplete', null],
      ['all', 'incomplete', null],
      ['fewer', 'violated', 1],
    ]);
    expect(await check(system, { maxSeconds: -1 })).toMatchObject({
      incomplete: 'the limit of -1 seconds was reached',
    });
    const cut = { ...system, constraint: gotLess(2) };
    expect(await check(cut)).toMatchObject({
      states: 3,
      cut: 1,
      incomplete: 'the constraint cut off 1 state',
    });
    expect((await verdicts(cut))[1]).toEqual(['few', 'holds within the constraint', null]);
  });

  it('judges properties of runs, and shows the loop of a violation', async () => {
    const system = delivering(
      leadsTo('arrives', got(1), got(3), weakly(deliveries)),
      leadsTo('arrives by itself', got(1), got(3)),
      eventually('all arrive', got(3), weakly(deliveries)),
      ltl('one by one', 'G (two -> X three)', { two: got(2), three: got(3) }, weakly(deliveries)),
      ltl('never', 'G ! three', { three: got(3) }, weakly(deliveries)),
    );
    const { properties } = await check(system);
    expect(properties.slice(1)).toMatchObject([
      { verdict: 'holds' },
      {
        verdict: 'violated',
        trace: { steps: { length: 1 }, loop: 1 },
        reason: 'what should come after step 1 has not, and the run stays in its last state for ever',
      },
      { verdict: 'holds' },
      { verdict: 'holds' },
      { verdict: 'violated', trace: { steps: { length: 3 }, loop: 3 } },
    ]);
    const { properties: ofStates } = await check(system, { liveness: false });
    expect(ofStates.map(({ name }) => name)).toEqual([noFault.name]);
  });

  it('gives no verdict `holds` on runs if a limit or the constraint hid some', async () => {
    const arrives = leadsTo('arrives', got(1), got(2), weakly(deliveries));
    const inTheEnd = eventually('ends', got(2), weakly(deliveries));
    const cut = { ...delivering(arrives, inTheEnd), constraint: gotLess(2) };
    const incomplete = { verdict: 'incomplete', reason: 'the constraint cut off 1 state' };
    expect((await check(cut)).properties.slice(1)).toMatchObject([incomplete, incomplete]);
    const limited = await check(delivering(arrives), { maxStates: 2 });
    expect(limited.properties[1]).toMatchObject({
      verdict: 'incomplete',
      reason: 'the limit of 2 states was reached',
    });
  });

  it('refuses an invalid formula before it explores', async () => {
    const told: number[] = [];
    const system = delivering(ltl('nonsense', 'G (two ->', { two: got(2) }));
    const machine = createMachine({ entry: () => told.push(1) });
    const checked = check({ ...system, actors: { ...system.actors, b: { machine } } });
    await expect(checked).rejects.toMatchObject({ code: 'FORMULA_SYNTAX' });
    expect(told).toEqual([]);
  });

  it('goes on if a packed counter overflows', async () => {
    const huge = count(
      ({ inbox }) => inbox.length * 30_000,
      (sum) => sum <= 90_000,
    );
    expect(await verdicts(delivering(always('huge', huge)))).toEqual([
      [noFault.name, 'holds', null],
      ['huge', 'holds', null],
    ]);
  });

  it('shows runs that the system can repeat', async () => {
    const system = naimiTrehel({ sites: 3, network: { order: 'unordered' } });
    const { properties } = await check(system);
    const compiled = compile(system);
    const traces = properties.flatMap(({ trace }) => (trace === undefined ? [] : [trace]));
    expect(traces.length).toBeGreaterThan(0);
    for (const trace of traces) expect(replayTrace(compiled, trace)).toHaveLength(trace.steps.length);
  });
});

it('a check reports its progress, and can be interrupted', async () => {
  const interrupt = new AbortController();
  const told: number[] = [];
  const report = await check(naimiTrehel({ sites: 6, network: { order: 'fifo' } }), {
    signal: interrupt.signal,
    onProgress: ({ states }) => {
      if (told.push(states) === 3) interrupt.abort();
    },
  });
  expect(told).toEqual(told.toSorted((left, right) => left - right));
  expect(report).toMatchObject({ complete: false, incomplete: 'it was interrupted' });
  expect(report.states).toBeGreaterThanOrEqual(told.at(-1)!);
  expect(report.states).toBeLessThan(27_195_984);
});

it.each([
  ['fifo', 440_120],
  ['unordered', 494_320],
  ['unordered-by-target', 158_020],
] as const)('%s: five sites of naimi-trehel have %i states', async (order, states) => {
  const system = { ...naimiTrehel({ sites: 5, network: { order } }), properties: [] };
  expect(await check(system)).toMatchObject({ states, complete: true });
});

describe('a property that holds vacuously', () => {
  const outOfReach = got(7);
  const vacuous = delivering(
    { kind: 'always', name: 'when', predicate: gotLess(0), when: outOfReach },
    { kind: 'always', name: 'when it does', predicate: gotLess(4), when: got(3) },
    leadsTo('leads', outOfReach, got(3), weakly(deliveries)),
    ltl('implies', 'G ((some & !three) -> F three)', { some: outOfReach, three: got(3) }, weakly(deliveries)),
  );

  it('is reported with the reason', async () => {
    const { properties } = await check(vacuous);
    expect(properties[2]).not.toHaveProperty('vacuous');
    expect(properties.slice(1)).toMatchObject([
      { verdict: 'holds', vacuous: 'its `when` never holds' },
      { verdict: 'holds' },
      { verdict: 'holds', vacuous: 'its trigger, from, never occurs' },
      { verdict: 'holds', vacuous: 'its trigger, some & !three, never occurs' },
    ]);
  });

  it('is violated with failVacuous', async () => {
    const { properties } = await check(vacuous, { failVacuous: true });
    expect(properties.map(({ verdict }) => verdict)).toEqual([
      'holds',
      'violated',
      'holds',
      'violated',
      'violated',
    ]);
  });
});

it('no property holds if a state was probably omitted', async () => {
  const system = naimiTrehel({ sites: 3, network: { order: 'fifo' } });
  const probable = await check(system, { hashCompaction: 16 });
  expect(probable.incomplete).toMatch(/a state was omitted with probability 0\.\d+, and 0\.001 is allowed/);
  expect(probable.properties.map(({ verdict }) => verdict)).not.toContain('holds within the constraint');
  expect(probable.properties.find(({ kind }) => kind === 'always')!.verdict).toBe('incomplete');
  const allowed = await check(system, { hashCompaction: 16, maxOmissionProbability: 1 });
  expect(allowed.properties[0]).toMatchObject({ verdict: 'holds' });
});

it('a report lists every action that no check ran, unless the system declares it', async () => {
  const machine = setup({ actions: { send: () => {}, ping: () => {}, bill: () => {}, note: assign({}) } });
  const actors = { a: { machine: machine.createMachine({ id: 'm', entry: ['ping', 'note'] }) } };
  expect((await check(systemOf(actors))).notRun).toEqual([{ machine: 'm', actions: ['ping', 'bill'] }]);
  expect((await check(systemOf(actors, { outside: ['ping', 'bill'] }))).notRun).toEqual([]);
});

it('a report marks the violations that may follow from a failed machine', async () => {
  const bad = setup({
    actions: { send: (_, _params: { target: string; message: object }) => {} },
  }).createMachine({
    id: 'bad',
    on: { go: { actions: { type: 'send', params: { target: 'stranger', message: { type: 'M' } } } } },
  });
  const counter = setup({ types: {} as { context: { n: number } } }).createMachine({
    id: 'counter',
    context: { n: 0 },
    on: {
      go: { guard: ({ context }) => context.n < 5, actions: assign({ n: ({ context }) => context.n + 1 }) },
    },
  });
  const environment = [{ event: { type: 'go' } }];
  const actors = { a: { machine: bad, environment }, b: { machine: counter, environment } };
  const { states, properties } = await check(systemOf(actors, { properties: [deadlockFree('never stuck')] }));
  // Those that have not failed go on: six states, and six in which a has failed.
  expect(states).toBe(12);
  expect(properties[0]).toMatchObject({ verdict: 'violated', trace: { steps: { length: 1 } } });
  expect(properties[1]).toMatchObject({
    verdict: 'violated',
    follows: { property: noFault.name, step: 1 },
  });
});
