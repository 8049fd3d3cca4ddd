import { expect, it } from 'vitest';
import type { SiteState } from '../../verification/timeline/format.ts';
import { differencesAt, firstDifference } from './difference.ts';
import { Moments } from './moments.ts';
import { longRun } from './testing/long-run.ts';

const of = (
  steps: number,
  change: (run: ReturnType<typeof longRun>) => ReturnType<typeof longRun> = (run) => run,
) => new Moments(change(longRun(steps)));
const odd: SiteState = { up: true, value: { client: 'idle' }, context: { token: 'twice' } };

it('finds no difference between two recordings of one run, whatever their clocks said', () => {
  const timed = of(9, (run) => ({
    ...run,
    steps: run.steps.map((step, at) => ({ ...step, at: 1_000 + at })),
  }));
  expect(firstDifference(of(9), timed)).toBeNull();
});

it('finds another step, another value after the same step, another start, and a run that goes on', () => {
  const swapped = of(9, (run) => ({
    ...run,
    steps: run.steps.map((step, at) => (at === 4 ? { ...step, site: 'd', text: 'd asks' } : step)),
  }));
  expect(firstDifference(of(9), swapped)).toEqual({
    moment: 5,
    text: 'step 5: here c enters; beside, d asks',
  });
  const changed = of(9, (run) => ({
    ...run,
    steps: run.steps.map((step, at) => (at === 6 ? { ...step, sites: { d: odd } } : step)),
  }));
  expect(firstDifference(of(9), changed)!.moment).toBe(7);
  expect(firstDifference(of(9), changed)!.text).toContain('d.client is inCS here and idle beside');
  const begun = of(9, (run) => ({ ...run, start: { ...run.start, sites: { ...run.start.sites, b: odd } } }));
  expect(firstDifference(of(9), begun)).toMatchObject({ moment: 0 });
  expect(firstDifference(of(9), of(12))).toEqual({
    moment: 10,
    text: 'the first 9 steps are the same, and the one beside it goes on',
  });
  const fewer = new Moments(longRun(9, ['a', 'b', 'c']));
  expect(firstDifference(of(9), fewer)!.text).toContain('not in this run');
});

it('lists the values that differ at a moment; the shorter run stays at its end', () => {
  expect(differencesAt(of(9), of(2), 1)).toEqual([]);
  expect(differencesAt(of(9), of(2), 9).map(({ site }) => site)).toContain('a');
});
