import { expect, it } from 'vitest';
import { check } from '../check/check.ts';
import copiedToken from '../protocols/naimi-trehel/copied-token.ts';
import type { StatePredicate, StateView } from '../system/system.ts';
import { readsOf } from './reads.ts';
import { timelineOf } from './trace.ts';

function view(contexts: Readonly<Record<string, object>>): StateView {
  const actors = Object.entries(contexts).map(([id, context]) => ({
    id,
    up: true,
    value: 'idle',
    context: Object.freeze(context) as Readonly<Record<string, unknown>>,
    in: (path: string) => path === 'idle',
    inbox: [],
    timers: [],
  }));
  return { actors, actor: (id) => actors.find((actor) => actor.id === id)! };
}

it('lists the values that any predicate read, and their values before', () => {
  const predicate: StatePredicate = {
    kind: 'plain',
    holds: ({ actor }) => {
      const { lease, queue } = actor('b').context as { lease: { until: number }; queue: readonly string[] };
      return lease.until > 3 && queue.includes('a') && actor('a').in('idle');
    },
  };
  const before = view({ a: { other: 1 }, b: { lease: Object.freeze({ until: 2, other: 1 }), queue: [] } });
  const now = view({ a: { other: 2 }, b: { lease: Object.freeze({ until: 5, other: 2 }), queue: ['a'] } });
  expect(readsOf([predicate], now, before)).toEqual([
    { site: 'b', path: 'queue', now: ['a'], before: [] },
    { site: 'b', path: 'lease.until', now: 5, before: 2 },
    { site: 'a', path: 'in idle', now: true, before: true },
  ]);
});

it('explains a counterexample by the sites that came to be inside', async () => {
  const system = copiedToken({ sites: 3, network: { order: 'fifo' } });
  const report = await check(system);
  const { trace } = report.properties.find(({ name }) => name === 'mutual exclusion')!;
  const { steps, properties } = timelineOf(system, trace!, { title: '', about: '' });
  const index = properties.findIndex(({ name }) => name === 'mutual exclusion');
  const { verdict, reads } = steps.at(-1)!.verdicts[index]!;
  expect(verdict).toBe('violated');
  const inside = reads!.filter(({ path }) => path.includes('in'));
  expect(inside.filter(({ now }) => now === true).map(({ site }) => site)).toEqual(['a', 'b']);
  expect(inside.filter(({ now, before }) => now !== before)).toHaveLength(1);
});
