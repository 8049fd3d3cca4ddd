import { describe, expect, test } from 'vitest';
import { check } from '../check/check.ts';
import { changRoberts, choices, node } from './chang-roberts.ts';
import { judge, rewire } from './testing/mutate.ts';

describe('Chang-Roberts election', () => {
  test.each([
    { nodes: 3, states: 137 },
    { nodes: 4, states: 823 },
  ])(
    '$nodes nodes have the published $states states, from each choice of candidates',
    async ({ nodes, states }) => {
      expect(await check(changRoberts({ nodes }).startingWith(...choices(nodes)))).toMatchObject({ states });
    },
  );

  test('three candidates have 34 states', async () => {
    expect(await check(changRoberts())).toMatchObject({ states: 34, depth: 9, complete: true });
  });

  test.each([
    'at most one wins',
    'the winner has the lowest rank, and all others have given up',
    'a node wins',
    'it ends only when all is decided',
  ])('%s', async (name) => {
    expect(await judge(changRoberts(), name)).toMatchObject({ verdict: 'holds' });
  });

  test('nodes that take any claim for their own all win', async () => {
    const machine = node.provide({ guards: { lower: () => false, own: () => true } });
    expect(await judge(changRoberts().replacing(node, machine), 'at most one wins')).toMatchObject({
      verdict: 'violated',
    });
  });

  test('nodes that give way to higher ranks elect the highest', async () => {
    const machine = node.provide({
      guards: { lower: ({ context, event }) => 'rank' in event && event.rank > context.rank },
    });
    const name = 'the winner has the lowest rank, and all others have given up';
    expect(await judge(changRoberts().replacing(node, machine), name)).toMatchObject({ verdict: 'violated' });
  });

  test.each(['a node wins', 'it ends only when all is decided'])(
    'candidates that swallow every claim break "%s"',
    async (name) => {
      const machine = rewire(node, { candidate: { on: {} } });
      expect(await judge(changRoberts().replacing(node, machine), name)).toMatchObject({
        verdict: 'violated',
      });
    },
  );

  test('a candidate leads to a winner, unless claims are swallowed or nothing need happen', async () => {
    const name = 'a candidate leads to a winner';
    const machine = rewire(node, { candidate: { on: {} } });
    expect(await judge(changRoberts(), name)).toMatchObject({ verdict: 'holds' });
    expect(await judge(changRoberts().replacing(node, machine), name)).toMatchObject({ verdict: 'violated' });
    expect(await judge(changRoberts({ fairness: {} }), name)).toMatchObject({ verdict: 'violated' });
  });
});
