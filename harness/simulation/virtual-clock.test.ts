import { expect, test } from 'vitest';
import { SiteClock, VirtualClock } from './virtual-clock.ts';

test('a timer that is set until its time has come ends, also where rounding leaves a rest', () => {
  const ideal = new VirtualClock();
  const site = new SiteClock(ideal, 0.5);
  ideal.advance(39_126);
  site.rate = 1.25;
  const due = site.now() + 2 ** -38;
  expect(ideal.now() + (due - site.now()) / site.rate).toBe(ideal.now());
  let settings = 0;
  const arm = () => {
    if (site.now() >= due || settings++ > 10) return;
    site.after(due - site.now(), arm);
  };
  arm();
  ideal.advance(1);
  expect(settings).toBeLessThanOrEqual(2);
});
