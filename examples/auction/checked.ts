export { auction as default } from './auction.ts';

/** All that may come of what the machine invokes. */
export const outcomes = {
  charge: { done: ['receipt'], error: [new Error('card refused')] },
};

/** The events that may come from outside, at any time. */
export const events = [
  { type: 'bid', bidder: 'ann', amount: 1 },
  { type: 'bid', bidder: 'bob', amount: 2 },
];
