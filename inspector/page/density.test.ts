import { expect, it } from 'vitest';
import { stepAxis, timeAxis } from './axis.ts';
import { Density } from './density.ts';
import { everyStep } from './filter.ts';
import { Moments } from './moments.ts';
import { longRun } from './testing/long-run.ts';
import { isCritical } from './values.ts';

const run = longRun(200);
const moments = new Moments(run);

it('counts the steps of a site, and the moments in its critical section, in any part of a run', () => {
  const density = Density.of(moments);
  for (const [from, to] of [
    [0, 201],
    [0, 1],
    [37, 91],
    [200, 201],
  ] as const) {
    for (const { id } of run.sites) {
      let [steps, inside] = [0, 0];
      for (let moment = from; moment < to; moment++) {
        if (run.steps[moment - 1]?.site === id) steps++;
        if (isCritical(run, moments.site(id, moment))) inside++;
      }
      expect(density.in(id, from, to)).toEqual({ steps, inside, unseen: 0 });
    }
  }
});

it('counts the steps that a filter includes alone', () => {
  const found = Density.of(moments, { ...everyStep, text: 'leaves', site: 'b' });
  expect(found.in('a', 0, 201).steps).toBe(0);
  expect(found.in('b', 0, 201).steps).toBe(25);
  expect(Density.of(moments, { ...everyStep, text: 'enters', site: 'b' }).in('b', 0, 201).steps).toBe(25);
  expect(Density.of(moments).in('b', 0, 201).steps).toBe(50);
});

it('finds moments along an axis of steps and of time, also if a clock goes back', () => {
  const at = [1_000, 1_010, 1_005, 1_500];
  const steps = at.map((time, index) => ({ ...run.steps[index]!, at: time }));
  const timed = new Moments({ ...run, steps, messages: [] });
  const axis = timeAxis(timed)!;
  expect([0, 1, 2, 3, 4].map((moment) => axis.timeAt(axis.at(moment)))).toEqual([
    1_000, 1_000, 1_010, 1_010, 1_500,
  ]);
  expect(axis.momentAt(axis.at(4))).toBe(4);
  expect(axis.momentAt(axis.at(3) + 0.01)).toBe(3);
  expect(stepAxis(moments).momentAt(17.9)).toBe(17);
  expect(timeAxis(moments)).toBeNull();
});
