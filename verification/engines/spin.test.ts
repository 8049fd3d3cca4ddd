import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createMachine } from 'xstate';
import { siteMachine } from '../../machines/naimi-trehel/site.ts';
import { check } from '../check/check.ts';
import alternatingBit from '../examples/alternating-bit.ts';
import dining from '../examples/dining-philosophers.ts';
import peterson from '../examples/peterson.ts';
import polite from '../examples/polite-philosophers.ts';
import { singleCopyRegister } from '../examples/single-copy-register.ts';
import { tableOf } from '../export/promela/tables-in-c.ts';
import { mutants } from '../protocols/naimi-trehel/mutants.ts';
import { naimiTrehel } from '../protocols/naimi-trehel/system.ts';
import { deadlockFree, reachable, some } from '../system/properties.ts';
import type { System } from '../system/system.ts';
import { EngineError } from './engine.ts';
import { opinionOf } from './opinions.ts';
import { parseSpin, spin } from './spin.ts';
import { startingAnywhere, withFormulas } from './testing/small.ts';

const isHere = ['spin', 'gcc'].every((file) => spawnSync(file, ['--version']).error === undefined);
const network = { order: 'fifo' } as const;

async function opinions(system: System) {
  const [ours, theirs] = [await check(system), await spin(system)];
  return { ours, theirs, ...opinionOf(ours, theirs) };
}

describe.skipIf(!isHere)('SPIN, from the same statecharts', { timeout: 120_000 }, () => {
  test('counts naimi-trehel as Baton does, and is asked of relations between all sites', async () => {
    const { differences, unasked, states, transitions } = await opinions(
      naimiTrehel({ sites: 3, network, machine: siteMachine }),
    );
    expect(differences).toEqual([]);
    expect({ states, transitions }).toEqual({ states: 282, transitions: 642 });
    expect(unasked).toEqual([]);
  });

  test('refutes a mistake by a trace as short, which the statecharts take', async () => {
    const system = naimiTrehel({ sites: 2, network, machine: mutants['an idle root copies the token'] });
    const { ours, theirs, differences } = await opinions(system);
    expect(differences).toEqual([]);
    const broken = (report: typeof ours) =>
      report.properties.flatMap(({ name, verdict, trace }) =>
        verdict === 'violated' ? [[name, trace?.steps.length]] : [],
      );
    expect(broken(theirs)).toEqual(broken(ours));
    expect(broken(theirs)).toContainEqual(['mutual exclusion', 4]);
  });

  test('a swarm finds a mistake, and the same if a search is killed', async () => {
    const system = naimiTrehel({ sites: 2, network, machine: mutants['an idle root copies the token'] });
    const killed: number[] = [];
    const onSearch = (seed: number, pid: number) => {
      if (seed !== 7 || killed.length > 0) return;
      killed.push(seed);
      process.kill(pid, 'SIGKILL');
    };
    const [whole, disturbed] = [
      await spin(system, { swarm: { searches: 3, firstSeed: 6 } }),
      await spin(system, { swarm: { searches: 3, firstSeed: 6, onSearch } }),
    ];
    expect(killed).toEqual([7]);
    const told = ({ states, transitions, complete, workers, properties }: typeof whole) => ({
      states,
      transitions,
      complete,
      workers,
      properties,
    });
    expect(told(disturbed)).toEqual(told(whole));
    expect({ states: whole.states, complete: whole.complete }).toEqual({ states: 26, complete: false });
    const verdicts = Object.fromEntries(whole.properties.map(({ name, verdict }) => [name, verdict]));
    expect(verdicts).toMatchObject({
      'mutual exclusion': 'violated',
      L1: 'incomplete',
      'a site waits in line': 'holds',
    });
  });

  test('a swarm finds a fair run on which a property does not hold', async () => {
    const { properties } = await spin(dining as System, { swarm: { searches: 1 } });
    const found = properties.filter(({ trace }) => trace?.loop !== undefined).map(({ name }) => name);
    expect(found).toEqual([1, 2, 3].map((number) => `philosopher ${number} eats when hungry`));
  });

  test('bounded queues, lost and doubled messages', async () => {
    const { differences, unasked } = await opinions(alternatingBit);
    expect(differences).toEqual([]);
    expect(unasked.map((line) => line.split(':')[0])).toEqual(['a sent message is acknowledged']);
  });

  test('actors that send when they start, and a predicate over all actors and the history', async () => {
    const { ours, theirs, differences } = await opinions(singleCopyRegister({ servers: 2 }));
    expect(differences).toEqual([]);
    expect(theirs.states).toBe(ours.states);
    const broken = theirs.properties.find(({ name }) => name === 'linearizable');
    expect(broken).toMatchObject({ verdict: 'violated' });
  });

  test('atomic steps of several actors, within a constraint', async () => {
    const limited = peterson
      .within(({ p, q }) => !(p.matches('critical') && q.matches('waiting')))
      .whenever(
        'p is inside alone, whenever it is inside',
        ({ p }) => p.matches('critical'),
        ({ p, q }) => p.matches('critical') && !q.matches('critical'),
      );
    const { ours, theirs, differences, unasked } = await opinions(limited);
    expect(differences).toEqual([]);
    expect(unasked.map((line) => line.split(':')[0])).toEqual(['p comes in', 'q comes in']);
    expect(theirs.cut).toBe(ours.cut);
    expect(theirs.cut).toBeGreaterThan(0);
  });

  test.each([
    ['of one line', 3],
    ['that no block holds', 700],
  ])('a table %s is the same in C', (_, count) => {
    const rows = Array.from({ length: count }, (__, row) =>
      Array.from({ length: 40 }, (___, at) => row * at),
    );
    const lines = tableOf('short', 'matrix', rows);
    const blocks = lines.join('\n').split('}\nc_code {');
    expect(Math.max(...blocks.map(({ length }) => length))).toBeLessThan(65_536);
    const entry = `int main(void) { for (int i = 0; i < ${count}; i++) for (int j = 0; j < 40; j++) if (matrix[i][j] != i * j) return 1; return 0; }`;
    const folder = mkdtempSync(join(tmpdir(), 'table-'));
    const path = join(folder, 'table');
    const input = `${blocks.join('')}\n${entry}`;
    const { status } = spawnSync('gcc', ['-w', '-x', 'c', '-o', path, '-'], { input });
    expect([status, spawnSync(path).status]).toEqual([0, 0]);
    rmSync(folder, { recursive: true });
  });

  test('messages that wait until they are taken, and what depends on their sender', async () => {
    const message = { target: 'c', message: { type: 'M' } };
    const sender = createMachine({
      id: 'sender',
      on: { go: { actions: { type: 'send', params: message } } },
    });
    const isFrom = (of: string) => (args: { event: unknown }) => (args.event as { from: string }).from === of;
    const receiver = createMachine({
      id: 'receiver',
      initial: 'none',
      states: {
        none: { on: { M: { guard: isFrom('b'), target: 'one' } } },
        one: { on: { M: [{ guard: isFrom('a'), target: 'two' }, { target: 'none' }] } },
        two: {},
      },
    });
    const environment = [{ event: { type: 'go' }, times: 2 }];
    const system: System = {
      name: 'waiting',
      network: { order: 'unordered' },
      actors: {
        a: { machine: sender, environment },
        b: { machine: sender, environment },
        c: { machine: receiver, deliver: (sent, from) => ({ ...sent, from }), accepts: 'taken' },
      },
      properties: [
        reachable(
          'two',
          some((actor) => actor.in('two')),
        ),
        deadlockFree(
          'it ends with two',
          some((actor) => actor.in('two')),
        ),
      ],
    };
    const { ours, differences, unasked } = await opinions(system);
    expect([...differences, ...unasked]).toEqual([]);
    expect(ours.properties.map(({ verdict }) => verdict)).toEqual(['holds', 'holds', 'violated']);
  });

  test('several initial states, in which actors send, and some of which are outside a constraint', async () => {
    const { ours, theirs, differences, unasked } = await opinions(startingAnywhere);
    expect([...differences, ...unasked]).toEqual([]);
    expect(theirs).toMatchObject({ states: ours.states, cut: 1 });
    const broken = theirs.properties.flatMap(({ verdict, trace }) =>
      verdict === 'violated' ? [trace!] : [],
    );
    expect(broken.map(({ steps }) => steps.length)).toEqual([0, 1]);
    expect(broken[0]!.initial['guest']!.context).toEqual({ times: 3 });
  });

  test('formulas of linear temporal logic', async () => {
    const { ours, differences, unasked } = await opinions(withFormulas);
    expect(differences).toEqual([]);
    expect(unasked).toEqual([expect.stringMatching(/^next: EXPORT_REFUSED: .* its formula has X, /)]);
    expect(ours.properties.map(({ verdict }) => verdict)).toEqual([
      'holds',
      ...Array.from({ length: 6 }, () => ['holds', 'violated']).flat(),
      'violated',
    ]);
  });

  test('properties that need weak fairness', async () => {
    const { differences, unasked } = await opinions(polite);
    expect([...differences, ...unasked]).toEqual([]);
  });
});

describe('the output of a verifier', () => {
  const output = `BATON broken mutual_exclusion
BATON deadlocks 1
BATON deadlocks 2
State-vector 172 byte, depth reached 102, errors: 0
      282 states, stored
      363 states, matched
  128.653\ttotal actual memory usage
`;

  test('counts, without the step into the initial state and those of the deadlock watcher', () => {
    const { states, transitions, depth, incomplete, told } = parseSpin(output);
    expect({ states, transitions, depth, incomplete }).toEqual({
      states: 282,
      transitions: 642,
      depth: 102,
      incomplete: null,
    });
    expect([...told]).toEqual(['broken mutual_exclusion']);
  });

  test('a search that was cut off is incomplete', () => {
    expect(parseSpin(`error: max search depth too small\n${output}`).incomplete).not.toBeNull();
  });

  test('output without counts is rejected', () => {
    expect(() => parseSpin('pan: out of memory')).toThrow(EngineError);
  });
});
