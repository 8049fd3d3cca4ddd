import { type BoxOptions, nowhere, openBox } from './box.ts';
import { Relay } from './relay.ts';

const relays: Relay[] = [];

/** To be called after each test. */
export function closeRelays(): void {
  for (const relay of relays.splice(0)) relay.close();
}

/** Boxes `a` and `b` over a relay that resets each connection after a number of bytes. Default: never. */
export async function openOverRelay(budget?: () => number, options: BoxOptions = {}) {
  const b = await openBox('b', { a: nowhere }, options);
  const relay = await Relay.open(b.mailbox.address, budget);
  relays.push(relay);
  const a = await openBox('a', { b: relay.address }, { dialMinMs: 1, dialMaxMs: 5, ...options });
  return { a, b, relay };
}

export const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i));
