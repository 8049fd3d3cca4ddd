import { describe, expect, test } from 'vitest';
import { check } from '../check/check.ts';
import { deliveries, timers, weakly } from '../system/properties.ts';
import { alternatingBit, receiver, sender, starts } from './alternating-bit.ts';
import { judge, rewire } from './testing/mutate.ts';

const unrepeating = alternatingBit().replacing(sender, rewire(sender, { waiting: { after: {} } }));

describe('alternating bit', () => {
  test('has 228 states from its default start', async () => {
    expect(await check(alternatingBit())).toMatchObject({ states: 228, depth: 13, complete: true });
  });

  test('has the published 240 states from all eight starts together', async () => {
    const report = await check(alternatingBit().startingWith(...starts));
    expect(report).toMatchObject({ states: 240, complete: true });
  });

  test.each([
    'an acknowledged message was received',
    'a copy is sent while another is under way',
    'never stuck',
  ])('%s', async (name) => {
    expect(await judge(alternatingBit(), name)).toMatchObject({ verdict: 'holds' });
  });

  test('one bit is too little where the order is not kept', async () => {
    const network = { order: 'unordered', loss: 'unbounded', capacity: 2 } as const;
    const verdict = await judge(alternatingBit().over(network), 'an acknowledged message was received');
    expect(verdict).toMatchObject({ verdict: 'violated' });
  });

  test('a sender that takes any acknowledgement for its own is wrong', async () => {
    const credulous = alternatingBit().edited(sender, ({ remove }) => remove('waiting.on.ACK.guard'));
    const verdict = await judge(credulous, 'an acknowledged message was received');
    expect(verdict).toMatchObject({ verdict: 'violated' });
  });

  test('a sender that never repeats sends no copy', async () => {
    const verdict = await judge(unrepeating, 'a copy is sent while another is under way');
    expect(verdict).toMatchObject({ verdict: 'violated' });
  });

  test('without timers one loss is the end', async () => {
    const dumb = unrepeating.replacing(receiver, rewire(receiver, { listening: { after: {} } }));
    expect(await judge(dumb, 'never stuck')).toMatchObject({
      verdict: 'violated',
      trace: { steps: { length: 2 } },
    });
  });

  test('a sent message is acknowledged, as long as deliveries are treated with strong fairness', async () => {
    const name = 'a sent message is acknowledged';
    expect(await judge(alternatingBit(), name)).toMatchObject({ verdict: 'holds' });
    const weak = await judge(alternatingBit({ fairness: weakly(timers, deliveries) }), name);
    // Sent once, then lost and repeated for ever.
    expect(weak).toMatchObject({ verdict: 'violated', trace: { steps: { length: 7 }, loop: 1 } });
  });

  test('a message of a sender that never repeats is not acknowledged', async () => {
    const verdict = await judge(unrepeating, 'a sent message is acknowledged');
    expect(verdict).toMatchObject({ verdict: 'violated' });
  });
});
