import { afterEach, expect, test, vi } from 'vitest';
import { assign } from 'xstate';
import { abortBoxes, post, texts } from '../../testing/box.ts';
import { eventually } from '../../testing/eventually.ts';
import { closeRelays, numbers, openOverRelay } from '../../testing/over-relay.ts';

vi.mock(import('../../../machines/link/link.ts'), async (original) => {
  const { linkMachine, ...rest } = await original();
  const forgetful = linkMachine.provide({ actions: { part: assign({ connection: null, outbox: [] }) } });
  return { ...rest, linkMachine: forgetful };
});

afterEach(() => {
  abortBoxes();
  closeRelays();
});

test('a link that sends nothing again is seen to lose what was under way', async () => {
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
