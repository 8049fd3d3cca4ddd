import { assign, fromPromise, setup } from 'xstate';

/** An auction that ends by the clock, and then charges the highest bidder. */
export const auction = setup({
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
      after: { duration: 'charging' },
    },
    charging: {
      invoke: {
        src: 'charge',
        input: ({ context }) => ({ bidder: context.best!.bidder }),
        onDone: 'sold',
      },
    },
    sold: { type: 'final' },
  },
});
