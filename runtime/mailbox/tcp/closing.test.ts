import { afterEach, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../api/clock.ts';
import { abortBoxes, nowhere, openBox, post } from '../../testing/box.ts';
import { eventually } from '../../testing/eventually.ts';

afterEach(abortBoxes);

/** Node's clock, and how many of its timers run. */
function counting(): Clock & { readonly running: () => number } {
  const timers = new Set<object>();
  return {
    ...systemClock,
    after: (delayMs, action) => {
      const timer = {};
      timers.add(timer);
      const cancel = systemClock.after(delayMs, () => {
        timers.delete(timer);
        action();
      });
      return () => {
        timers.delete(timer);
        cancel();
      };
    },
    running: () => timers.size,
  };
}

test('a closed mailbox waits for nothing more, though others spoke until the end', async () => {
  for (let round = 0; round < 20; round++) {
    const clock = counting();
    const b = await openBox('b', { a: nowhere }, { clock });
    const a = await openBox('a', { b: b.mailbox.address }, { clock });
    await eventually(() => expect([a.mailbox.connected(), b.mailbox.connected()]).toEqual([['b'], ['a']]));
    let closed = false;
    const speaks = (async () => {
      while (!closed) {
        post(b, 'a', 'x');
        await new Promise(setImmediate);
      }
    })();
    await a.mailbox.close('left');
    closed = true;
    await speaks;
    await b.mailbox.close('left');
    expect(clock.running()).toBe(0);
  }
});

test('one that was aborted closes at once, and says nothing more', async () => {
  const b = await openBox('b', { a: nowhere });
  const a = await openBox('a', { b: b.mailbox.address, c: nowhere }, { closeTimeoutMs: 60_000 });
  await eventually(() => expect(a.mailbox.connected()).toEqual(['b']));
  for (const peer of ['b', 'c']) post(a, peer, 'x');
  a.mailbox.abort();
  const told = a.notices.length;
  await a.mailbox.close('left');
  expect(a.notices).toHaveLength(told);
});
