import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { assign } from 'xstate';
import { linkMachine } from '../../../machines/link/link.ts';
import { abortBoxes, type Box, beliefs, nowhere, openBox, post, texts } from '../../testing/box.ts';
import { codes } from '../../testing/cluster.ts';
import { eventually } from '../../testing/eventually.ts';
import { Relay } from '../../testing/relay.ts';

const relays: Relay[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  abortBoxes();
  for (const relay of relays.splice(0)) relay.close();
});

/** `a` and `b` over a relay that resets the connection after so many bytes, again and again. */
async function openOverRelay(budget?: () => number, options = {}) {
  const b = await openBox('b', { a: nowhere }, options);
  const relay = await Relay.open(b.mailbox.address, budget);
  relays.push(relay);
  const a = await openBox('a', { b: relay.address }, { dialMinMs: 1, dialMaxMs: 5, ...options });
  return { a, b, relay };
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i));

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
    // A handshake is some 500 bytes, a message some 150: cuts fall into both, and into the next.
    const budgets = fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 30 });
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

  test('which is seen here: a link that sends nothing again loses what was under way', async () => {
    const forgetful = linkMachine.provide({ actions: { part: assign({ connection: null, outbox: [] }) } });
    const provide = forgetful.provide.bind(forgetful);
    vi.spyOn(linkMachine, 'provide').mockImplementation(provide);
    const { a, b, relay } = await openOverRelay();
    await eventually(() => expect(a.mailbox.connected()).toEqual(['b']));
    relay.stall(true);
    for (const number of numbers(10)) post(a, 'b', number);
    await new Promise((resolve) => setTimeout(resolve, 20));
    relay.reset();
    relay.stall(false);
    await eventually(() => expect([relay.accepted, a.mailbox.connected()]).toEqual([2, ['b']]));
    post(a, 'b', 'last');
    await eventually(() => expect(texts(b)).toContain('last'));
    expect(texts(b)).toEqual(['last']);
  });
});
