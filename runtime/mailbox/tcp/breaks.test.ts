import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { abortBoxes, type Box, beliefs, post, texts } from '../../testing/box.ts';
import { codes } from '../../testing/cluster.ts';
import { eventually } from '../../testing/eventually.ts';
import { closeRelays, numbers, openOverRelay } from '../../testing/over-relay.ts';

afterEach(() => {
  abortBoxes();
  closeRelays();
});

async function postBothWays(a: Box, b: Box, count: number, pause: () => Promise<unknown>) {
  for (const number of numbers(count)) {
    post(a, 'b', number);
    post(b, 'a', number);
    await pause();
  }
}

const bothReceived = (a: Box, b: Box, count: number) =>
  eventually(() => expect([a.received.length, b.received.length]).toEqual([count, count]));

describe('a connection that breaks is only delay', () => {
  test('wherever it is cut, each message arrives once and in order, both ways', async () => {
    // A handshake is some 100 bytes, a message some 20: cuts fall into both, and into the next.
    const budgets = fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 30 });
    const runs = fc.asyncProperty(budgets, async (cuts) => {
      const left = [...cuts];
      const { a, b, relay } = await openOverRelay(() => left.shift() ?? Number.POSITIVE_INFINITY);
      await postBothWays(a, b, 60, () => new Promise(setImmediate));
      await bothReceived(a, b, 60);
      expect([texts(a), texts(b)]).toEqual([numbers(60), numbers(60)]);
      expect([...codes(a.notices), ...codes(b.notices)]).toEqual([]);
      expect([...a.mailbox.refused, ...b.mailbox.refused]).toEqual([]);
      abortBoxes();
      relay.close();
    });
    await fc.assert(runs, { numRuns: 30, seed: 11 });
  });

  test('again and again under load, and nobody takes the other for dead', async () => {
    const { a, b, relay } = await openOverRelay();
    let resets = 0;
    const breaking = setInterval(() => {
      relay.reset();
      resets += 1;
    }, 100);
    await postBothWays(a, b, 1_000, () => new Promise((resolve) => setTimeout(resolve, 1)));
    clearInterval(breaking);
    await bothReceived(a, b, 1_000);
    expect([texts(a), texts(b)]).toEqual([numbers(1_000), numbers(1_000)]);
    expect(resets).toBeGreaterThan(8);
    expect(relay.accepted).toBeGreaterThan(8);
    expect([beliefs(a), beliefs(b)]).toEqual([['b up'], ['a up']]);
    const breaks = a.notices.filter(({ type }) => type === 'connection-lost').length;
    expect(breaks).toBeGreaterThan(8);
  });
});
