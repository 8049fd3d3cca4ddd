import { expect, it } from 'vitest';
import type { Judgement, Timeline } from '../../verification/timeline/format.ts';
import { Moments } from './moments.ts';
import { storyOf } from './story.ts';
import { longRun } from './testing/long-run.ts';

/** A run of four steps. Its property gets `judgement` at step 3. */
function run(judgement: Judgement, more: Partial<Timeline> = {}): Moments {
  const four = longRun(4);
  const steps = four.steps.map((step, index) =>
    index === 2 ? { ...step, verdicts: { 0: judgement } } : step,
  );
  return new Moments({ ...four, steps, ...more });
}

const broken: Judgement = { verdict: 'violated', reason: 'a, b are inside at once' };

it('tells of a counterexample which property is violated, why and when, and names the rule in words', () => {
  expect(storyOf(run(broken, { focus: 0 }))).toEqual({
    tone: 'violated',
    sentence: 'mutual exclusion is violated: a, b are inside at once, step 3 of 4.',
    subject: 'mutual exclusion',
    moment: 3,
    property: 0,
    earlier: null,
  });
  const named = { properties: [{ name: 'L3', kind: 'always', about: 'An idle site keeps nothing' }] };
  expect(storyOf(run(broken, named)).sentence).toMatch(/^L3 \(An idle site keeps nothing\) is violated: /);
  const ofRule = { verdict: 'violated', reason: 'L3: a is idle and keeps the token' } as const;
  expect(storyOf(run(ofRule, named)).sentence).toBe(
    'L3 (An idle site keeps nothing) is violated: a is idle and keeps the token, step 3 of 4.',
  );
});

it('names the property that is violated first, if that is not the one for which the run was made', () => {
  const properties = ['one token', 'mutual exclusion'].map((name) => ({ name, kind: 'always' }));
  const four = longRun(4);
  const steps = four.steps.map((step, index) =>
    index === 1
      ? { ...step, verdicts: { 0: { verdict: 'violated' as const } } }
      : index === 3
        ? { ...step, verdicts: { 1: broken } }
        : step,
  );
  expect(storyOf(new Moments({ ...four, properties, steps, focus: 1 }))).toMatchObject({
    sentence:
      'mutual exclusion is violated: a, b are inside at once, step 4 of 4. one token is violated first, step 2 of 4.',
    subject: 'mutual exclusion',
    moment: 4,
    property: 1,
    earlier: { moment: 2, property: 0 },
  });
});

it('tells of a lasso that it goes on for ever', () => {
  expect(storyOf(run(broken, { loop: 1 })).sentence).toMatch(/The steps after step 1 repeat for ever\.$/);
});

it('tells that nothing is violated, or that nothing could be judged', () => {
  expect(storyOf(run({ verdict: 'holds' })).sentence).toBe('4 steps of 4 actors; no property is violated.');
  expect(storyOf(run({ verdict: 'open', reason: 'not judged: b is not seen' })).tone).toBe('open');
});
