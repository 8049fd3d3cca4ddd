import { describe, expect, it } from 'vitest';
import { Moments } from './moments.ts';
import { longRun } from './testing/long-run.ts';

describe('the moments of a timeline', () => {
  const timeline = longRun(1_000);
  const moments = new Moments(timeline);

  it('equal the moments reached by walking', () => {
    const state = new Map(Object.entries(timeline.start.sites));
    for (const [index, step] of [null, ...timeline.steps].entries()) {
      for (const [id, now] of Object.entries(step?.sites ?? {})) state.set(id, now);
      for (const [id, now] of state) expect(moments.site(id, index)).toEqual(now);
    }
  });

  it('know which messages are on their way, also far from their sending', () => {
    const slow = { ...timeline.messages[0]!, ended: 900 };
    const late = new Moments({ ...timeline, messages: [slow, ...timeline.messages.slice(1)] });
    for (let moment = 0; moment <= late.last; moment++) {
      const expected = late.timeline.messages.flatMap(({ sent, ended }, index) =>
        sent <= moment && (ended === null || ended > moment) ? [index] : [],
      );
      expect([...late.underWay(moment)].sort((left, right) => left - right)).toEqual(expected);
    }
  });

  it('tell when a property is first violated', () => {
    const violated = { verdict: 'violated', reason: 'two are inside' } as const;
    const holds = { verdict: 'holds' } as const;
    const verdicts: Readonly<Record<number, typeof violated | typeof holds>> = {
      40: violated,
      50: holds,
      60: violated,
    };
    const steps = timeline.steps.map((step, index) => {
      const verdict = verdicts[index + 1];
      return verdict === undefined ? step : { ...step, verdicts: { 0: verdict } };
    });
    const broken = new Moments({ ...timeline, steps });
    expect([45, 60, 70].map((moment) => broken.violatedUntil(0, moment))).toEqual([40, 60, 60]);
    expect(broken.brokenSince(0)).toBe(40);
    expect([39, 40, 49, 50, 60].map((moment) => broken.verdict(0, moment).verdict)).toEqual([
      'holds',
      'violated',
      'violated',
      'holds',
      'violated',
    ]);
    expect(moments.brokenSince(0)).toBeNull();
  });
});
