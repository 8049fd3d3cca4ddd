import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createMachine } from 'xstate';
import { ordeal } from '../../harness/simulation/ordeal.ts';
import { siteMachine } from '../../machines/epoch/site.ts';
import { LockActor } from '../site/lock-actor.ts';
import { type Deed, Storm, type StormOptions } from '../testing/storm.ts';
import { Fifo } from './fifo.ts';

afterEach(() => void vi.restoreAllMocks());

const often = (weight: number, deed: Deed) => ({ weight, arbitrary: fc.constant(deed) });
const deeds = fc.array(
  fc.oneof(
    often(5, 'ask'),
    often(4, 'ask briefly'),
    often(3, 'cancel'),
    often(2, 'try'),
    often(5, 'release'),
    often(12, 'deliver'),
    often(5, 'tick'),
  ),
  { minLength: 20, maxLength: 250 },
);

async function weather(options: StormOptions, deeds: readonly Deed[]): Promise<Storm> {
  const storm = await Storm.open(options);
  try {
    for (const deed of deeds) await storm.step(deed);
    await storm.calm();
  } finally {
    storm.close();
  }
  return storm;
}

const storms = (numRuns: number, options: Partial<StormOptions> = {}) =>
  fc.check(
    fc.asyncProperty(fc.nat(), deeds, async (seed, chosen) => {
      await weather({ sites: 5, locks: 3, ...options, seed }, chosen);
    }),
    { numRuns, endOnFailure: true, seed: 7 },
  );

/** The first fault that 150 storms find. */
async function broken(options?: Partial<StormOptions>): Promise<string> {
  const { errorInstance } = await storms(150, options);
  return errorInstance instanceof Error ? errorInstance.message : 'nothing';
}

describe('asks, cancels, time-outs, tries and releases at five sites', () => {
  test('tokens and turns survive, and nobody waits for ever', async () => {
    const { failed, errorInstance } = await storms(150);
    expect(errorInstance).toBeNull();
    expect(failed).toBe(false);
  });

  test('also while two of them leave', async () => {
    const leaving = fc.asyncProperty(fc.nat(), deeds, deeds, deeds, async (seed, first, second, third) => {
      const all: Deed[] = [...first, 'close', ...second, 'close', ...third];
      await weather({ sites: 5, locks: 3, seed }, all);
    });
    await fc.assert(leaving, { numRuns: 40, seed: 7 });
  });

  test('everything that can happen does', async () => {
    const all: Deed[] = [
      'ask',
      'ask briefly',
      'try',
      'deliver',
      'deliver',
      'release',
      'tick',
      'cancel',
      'deliver',
    ];
    const { outcomes } = await weather({ sites: 5, locks: 3, seed: 1 }, Array(400).fill(all).flat());
    expect([...outcomes.keys()].sort()).toEqual([
      'ACQUIRE_TIMEOUT',
      'cancelled',
      'granted',
      'tried',
      'tried in vain',
    ]);
  });
});

/** The site machine with other transitions for `TOKEN` where its client has withdrawn. */
function withdrawing(TOKEN: object) {
  const config = structuredCloneOf(siteMachine.config) as {
    states: Record<string, { states: Record<string, { on: object }> }>;
  };
  const withdrawn = config.states['client']!.states['withdrawn']!;
  withdrawn.on = { ...withdrawn.on, TOKEN };
  return createMachine(
    config as Parameters<typeof createMachine>[0],
    siteMachine.implementations as Parameters<typeof createMachine>[1],
  );
}

/** Its plain objects and lists; functions are shared. */
function structuredCloneOf(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(structuredCloneOf);
  if (node === null || typeof node !== 'object') return node;
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, structuredCloneOf(value)]));
}

describe('a storm finds', () => {
  test('a cancelled caller that keeps its place, and its grant', async () => {
    const { remove, shift } = Fifo.prototype;
    let shifts = false;
    vi.spyOn(Fifo.prototype, 'shift').mockImplementation(function (this: Fifo<never>) {
      shifts = true;
      const first = shift.call(this);
      shifts = false;
      return first as never;
    });
    vi.spyOn(Fifo.prototype, 'remove').mockImplementation(function (this: Fifo<never>, one) {
      return shifts ? remove.call(this, one) : (one as { inLine: boolean }).inLine;
    });
    expect(await broken()).toMatch(/waits though nobody is inside/);
  });

  test('callers that are not served in order', async () => {
    const { shift } = Fifo.prototype;
    vi.spyOn(Fifo.prototype, 'shift').mockImplementation(function (this: Fifo<never>) {
      const first = shift.call(this);
      const second = shift.call(this);
      if (second === null) return first as never;
      this.push(first as never);
      return second as never;
    });
    expect(await broken()).toMatch(/has granted l. to caller \d+ before \d+/);
  });

  test('a site that withdraws and forgets its line', async () => {
    const statechart = withdrawing({
      guard: 'current',
      target: 'idle',
      actions: {
        type: 'keepToken',
        params: ({ event }: { event: { k: number; line: readonly string[] } }) => event,
      },
    });
    expect(await broken({ statechart })).toMatch(/L3: the line of an idle site that follows is empty/);
  });

  test('a site that withdraws and loses the token', async () => {
    const statechart = withdrawing({ guard: 'current', target: 'idle' });
    expect(await broken({ statechart })).toMatch(
      /L3: last of an idle site that follows is nil exactly when the token is here/,
    );
  });
});

test('an ordeal finds a site that goes on, or is tried, in a minority', async () => {
  vi.spyOn(LockActor.prototype, 'hasMajority', 'get').mockReturnValue(true);
  const found: string[] = [];
  for (let seed = 1; seed <= 12 && found.length === 0; seed++) {
    await ordeal({ sites: 3, seed }, 1_500).catch((error: Error) => found.push(error.message));
  }
  expect(found[0]).toMatch(/^minority: /);
});

describe('callers that never stop asking', () => {
  /** How many critical sections a has before b, which has asked, gets its own; at most 200. */
  async function overtaken(maxBatch: number): Promise<number> {
    const storm = await Storm.open({ sites: 2, locks: 1, seed: 1, maxBatch });
    storm.ask('a', 'l0');
    await storm.step('deliver');
    storm.ask('b', 'l0');
    let sections = 0;
    for (; sections < 200 && storm.inside[0]?.site !== 'b'; sections++) {
      for (let more = 0; more < 3; more++) storm.ask('a', 'l0');
      for (const section of storm.inside) storm.release(section);
      for (let turn = 0; turn < 4; turn++) await storm.step(turn % 2 === 0 ? 'deliver' : 'tick');
    }
    storm.close();
    return sections;
  }

  test('keep the lock from another site for a bounded row', async () => {
    expect(await overtaken(4)).toBeLessThanOrEqual(5);
    expect(await overtaken(16)).toBeLessThanOrEqual(17);
  });

  test('would keep it for ever without a bound', async () => {
    expect(await overtaken(Number.POSITIVE_INFINITY)).toBe(200);
  });
});
