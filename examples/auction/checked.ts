import type { OutcomesOf } from '../../verification/index.ts';
import type { auction } from './auction.ts';

export { auction as default } from './auction.ts';

/** All outcomes of the logic that the machine invokes. */
export const outcomes = {
  charge: { done: ['receipt'], error: [new Error('card refused')] },
} satisfies OutcomesOf<typeof auction>;

/** The events that may come from outside, at any time. */
export const events = [
  { type: 'bid', bidder: 'ann', amount: 1 },
  { type: 'bid', bidder: 'bob', amount: 2 },
];
