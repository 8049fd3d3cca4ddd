import { assign, fromPromise, setup } from 'xstate';

export { events, outcomes } from './checked.ts';

/** Without a bid nothing is sold, and a charge that fails is not the end of the auction. */
export default setup({
  types: {} as {
    context: { best: { bidder: string; amount: number } | null };
    events: { type: 'bid'; bidder: string; amount: number };
  },
  actors: {
    charge: fromPromise<string, { bidder: string }>(async () => {
      throw new Error('no payment service here');
    }),
  },
  delays: { duration: 60_000 },
  guards: { hasBid: ({ context }) => context.best !== null },
}).createMachine({
  id: 'auction',
  context: { best: null },
  initial: 'open',
  states: {
    open: {
      on: {
        bid: {
          guard: ({ context, event }) => event.amount > (context.best?.amount ?? 0),
          actions: assign({ best: ({ event: { bidder, amount } }) => ({ bidder, amount }) }),
        },
      },
      after: { duration: [{ guard: 'hasBid', target: 'charging' }, { target: 'unsold' }] },
    },
    charging: {
      invoke: {
        src: 'charge',
        input: ({ context }) => ({ bidder: context.best!.bidder }),
        onDone: 'sold',
        onError: 'unsold',
      },
    },
    sold: { type: 'final' },
    unsold: { type: 'final' },
  },
});
