import { describe, expect, test } from 'vitest';
import { check } from '../check/check.ts';
import { exploreNaively } from '../checker/naive.ts';
import { createCanonicalizer } from '../checker/symmetry/index.ts';
import { compile } from '../system/index.ts';
import { judge, rewire } from './testing/mutate.ts';
import { manager, resource, twoPhaseCommit } from './two-phase-commit.ts';

describe('two-phase commit', () => {
  test.each([
    { resources: 3, states: 288, depth: 10 },
    { resources: 5, states: 8832, depth: 16 },
  ])('$resources resources have the published $states states', async ({ resources, states, depth }) => {
    const report = await check(twoPhaseCommit({ resources }));
    expect(report).toMatchObject({ states, depth, complete: true });
  });

  test.each([
    { resources: 3, orbits: 80 },
    { resources: 5, orbits: 314 },
  ])('$resources resources have $orbits states up to permutation', ({ resources, orbits }) => {
    const { model, symmetry } = compile(twoPhaseCommit({ resources }));
    const canonicalizer = createCanonicalizer(symmetry!, model.width);
    const forms = new Set<string>();
    exploreNaively(model, (state) => {
      const form = Int32Array.from(state);
      canonicalizer.canonicalize(form);
      forms.add(form.join());
    });
    expect(forms.size).toBe(orbits);
  });

  test.each(['consistent', 'all commit', 'all abort', 'all settled'])('%s holds', async (name) => {
    expect(await judge(twoPhaseCommit(), name)).toMatchObject({ verdict: 'holds' });
  });

  test('a resource that takes its promise back breaks consistency', async () => {
    const impatient = rewire(resource, { prepared: { after: { 1000: 'aborted' } } });
    const system = twoPhaseCommit().replacing(resource, impatient);
    expect(await judge(system, 'consistent')).toMatchObject({ verdict: 'violated' });
  });

  test('a manager that commits on the first promise breaks consistency', async () => {
    const { PREPARED, commit } = manager.config.states!['collecting']!.on as Record<string, object>;
    const guard = ({ context }: { context: { missing: object } }) => Object.keys(context.missing).length < 3;
    const hasty = rewire(manager, { collecting: { on: { PREPARED, commit: { ...commit, guard } } } });
    const system = twoPhaseCommit().replacing(manager, hasty);
    expect(await judge(system, 'consistent')).toMatchObject({ verdict: 'violated' });
  });

  test('a manager of endless patience is stuck when all refuse', async () => {
    const system = twoPhaseCommit().replacing(manager, rewire(manager, { collecting: { after: {} } }));
    expect(await judge(system, 'all settled')).toMatchObject({
      verdict: 'violated',
      trace: { steps: { length: 3 } },
    });
  });

  test('resources that never promise never commit', async () => {
    const system = twoPhaseCommit().replacing(
      resource,
      rewire(resource, {
        working: { on: { ABORT: 'aborted', prepare: undefined, refuse: undefined } },
      }),
    );
    expect(await judge(system, 'all commit')).toMatchObject({ verdict: 'violated' });
  });

  test('resources that hear nothing never abort', async () => {
    const system = twoPhaseCommit().replacing(
      resource,
      rewire(resource, { working: { on: { prepare: undefined, refuse: undefined } } }),
    );
    expect(await judge(system, 'all abort')).toMatchObject({ verdict: 'violated' });
  });

  test('all settle, but not when the manager has endless patience', async () => {
    const system = twoPhaseCommit().replacing(manager, rewire(manager, { collecting: { after: {} } }));
    expect(await judge(twoPhaseCommit(), 'all settle')).toMatchObject({ verdict: 'holds' });
    expect(await judge(system, 'all settle')).toMatchObject({
      verdict: 'violated',
    });
  });
});
