import { describe, expect, test } from 'vitest';
import { check } from '../check/check.ts';
import { exploreNaively } from '../checker/naive.ts';
import { compile } from '../system/index.ts';
import { alternatingBit, receiver, sender, weaklyFair } from './alternating-bit.ts';
import { judge, rewire } from './testing/mutate.ts';

describe('alternating bit', () => {
  test('has 228 states from its default start', async () => {
    expect(await check(alternatingBit())).toMatchObject({ states: 228, depth: 13, complete: true });
  });

  test('has the published 240 states from all eight starts together', () => {
    const seen = new Set<string>();
    for (const bit of [0, 1] as const)
      for (const sent of ['a', 'b'])
        for (const received of ['a', 'b']) {
          const { model, record } = compile(alternatingBit({ start: { bit, sent, received } }));
          exploreNaively(model, (state) => seen.add(JSON.stringify(record(state))));
        }
    expect(seen.size).toBe(240);
  });

  test.each([
    'what is acknowledged was received',
    'a copy is sent while another is under way',
    'never stuck',
  ])('%s', async (name) => {
    expect(await judge(alternatingBit(), name)).toMatchObject({ verdict: 'holds' });
  });

  test('one bit is too little where the order is not kept', async () => {
    const network = { order: 'unordered', loss: 'unbounded', capacity: 2 } as const;
    const verdict = await judge(alternatingBit({ network }), 'what is acknowledged was received');
    expect(verdict).toMatchObject({ verdict: 'violated' });
  });

  test('a sender that takes any acknowledgement for its own is wrong', async () => {
    const machines = { sender: sender.provide({ guards: { isForThis: () => true } }), receiver };
    const verdict = await judge(alternatingBit({ machines }), 'what is acknowledged was received');
    expect(verdict).toMatchObject({ verdict: 'violated' });
  });

  test('a sender that never repeats sends no copy', async () => {
    const machines = { sender: rewire(sender, { waiting: { after: {} } }), receiver };
    const verdict = await judge(alternatingBit({ machines }), 'a copy is sent while another is under way');
    expect(verdict).toMatchObject({ verdict: 'violated' });
  });

  test('without timers one loss is the end', async () => {
    const machines = {
      sender: rewire(sender, { waiting: { after: {} } }),
      receiver: rewire(receiver, { listening: { after: {} } }),
    };
    expect(await judge(alternatingBit({ machines }), 'never stuck')).toMatchObject({
      verdict: 'violated',
      trace: { steps: { length: 2 } },
    });
  });

  test('what is sent is acknowledged, as long as deliveries are treated with strong fairness', async () => {
    const name = 'what is sent is acknowledged';
    expect(await judge(alternatingBit(), name)).toMatchObject({ verdict: 'holds' });
    const weak = await judge(alternatingBit({ fairness: weaklyFair }), name);
    // Sent once, then lost and repeated for ever.
    expect(weak).toMatchObject({ verdict: 'violated', trace: { steps: { length: 7 }, loop: 1 } });
  });

  test('what is sent is not acknowledged by a sender that never repeats', async () => {
    const machines = { sender: rewire(sender, { waiting: { after: {} } }), receiver };
    const verdict = await judge(alternatingBit({ machines }), 'what is sent is acknowledged');
    expect(verdict).toMatchObject({ verdict: 'violated' });
  });
});
