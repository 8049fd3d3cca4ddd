import { describe, expect, test } from 'vitest';
import type { StampedEnvelope } from '../frame/frames.ts';
import { MemoryHub } from './memory.ts';

const envelope = (source: string, target: string, type: string): StampedEnvelope => ({
  source,
  target,
  lock: 'main',
  message: { type },
  stamp: { seq: 1, clock: { [source]: 1 } },
});

async function openThree() {
  const seen = { woken: 0, arrived: [] as string[] };
  const hub = new MemoryHub(() => {
    seen.woken += 1;
  });
  const open = async (id: string) => {
    const mailbox = hub.mailbox(id);
    await mailbox.open(({ source, target, message }) =>
      seen.arrived.push(`${source}>${target} ${message.type}`),
    );
    return mailbox;
  };
  return { hub, seen, a: await open('a'), b: await open('b'), c: await open('c') };
}

describe('a hub of mailboxes', () => {
  test('delivers nothing by itself, and tells once that there is something', async () => {
    const { hub, seen, a, b } = await openThree();
    a.post(envelope('a', 'b', 'ONE'));
    b.post(envelope('b', 'c', 'TWO'));
    expect(seen).toEqual({ woken: 1, arrived: [] });
    expect(hub.pending()).toEqual([
      { source: 'a', target: 'b' },
      { source: 'b', target: 'c' },
    ]);
  });

  test('is FIFO for each ordered pair, and the caller orders the pairs', async () => {
    const { hub, seen, a, c } = await openThree();
    a.post(envelope('a', 'b', 'ONE'));
    a.post(envelope('a', 'b', 'TWO'));
    c.post(envelope('c', 'b', 'THREE'));
    hub.run((pending) => pending.at(-1)!);
    expect(seen.arrived).toEqual(['c>b THREE', 'a>b ONE', 'a>b TWO']);
    expect(() => hub.deliver({ source: 'a', target: 'b' })).toThrow(RangeError);
  });

  test('loses nothing in silence: neither from a closed mailbox nor to one', async () => {
    const { hub, a, b } = await openThree();
    a.post(envelope('a', 'b', 'ONE'));
    await b.close('left');
    expect(a.connected()).toEqual(['c']);
    expect(() => hub.run()).toThrow(expect.objectContaining({ code: 'UNDELIVERED' }));
    expect(() => b.post(envelope('b', 'a', 'TWO'))).toThrow(
      expect.objectContaining({ code: 'MAILBOX_CLOSED' }),
    );
  });
});
