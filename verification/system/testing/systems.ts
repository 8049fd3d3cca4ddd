import { type AnyStateMachine, assign, createMachine, setup } from 'xstate';
import type { ActorSpec, Network, System } from '../system.ts';

/** Small systems whose states can be counted by hand. */

export function systemOf(
  actors: Readonly<Record<string, ActorSpec>>,
  rest: Partial<Omit<System, 'actors'>> = {},
): System {
  return { name: 'small', network: { order: 'fifo' }, properties: [], ...rest, actors };
}

/** One actor `a` of `machine`. */
export function alone(machine: AnyStateMachine, spec: Partial<ActorSpec> = {}): System {
  return systemOf({ a: { machine, ...spec } });
}

/** Sends M with n = 1, 2, ..., `count` to b when it starts. */
function sender(count: number): AnyStateMachine {
  const sends = Array.from({ length: count }, (_, index) => ({
    type: 'send',
    params: { target: 'b', message: { type: 'M', n: index + 1 } },
  }));
  return createMachine({ id: 'sender', entry: sends });
}

/** Records each `n` that it receives, in order. */
const listener = createMachine({
  id: 'listener',
  context: { got: [] as number[] },
  on: { M: { actions: assign(({ context, event }) => ({ got: [...context.got, event['n'] as number] })) } },
});

/** Records only whether it received anything. */
const flag = createMachine({
  id: 'flag',
  context: { got: false },
  on: { M: { actions: assign({ got: true }) } },
});

/** `count` messages are under way from a to b, which lists them; `forgetful`: b knows only that it got some. */
export function envelopes(count: number, network: Network, forgetful = false): System {
  return systemOf(
    { a: { machine: sender(count) }, b: { machine: forgetful ? flag : listener } },
    { network },
  );
}

/**
 * Three interchangeable holders pass a token to every holder that asks for it. They compare ids for equality
 * only.
 */
export function tokenPassing(ids: readonly string[], network: Network = { order: 'fifo' }): System {
  return systemOf(Object.fromEntries(ids.map((self) => [self, holder(ids, self)])), {
    network,
    symmetry: ids,
  });
}

const holderMachine = setup({
  types: {} as {
    context: { self: string; token: boolean };
    input: { self: string; token: boolean };
    events: { type: 'ASK'; origin: string } | { type: 'TOKEN' } | { type: 'ask' };
  },
  actions: {
    send: (_, _params: { target: string; message: { type: 'TOKEN' } }) => {},
    broadcast: (_, _params: { message: { type: 'ASK'; origin: string } }) => {},
  },
}).createMachine({
  id: 'holder',
  context: ({ input }) => input,
  on: {
    ASK: {
      guard: ({ context }) => context.token,
      actions: [
        { type: 'send', params: ({ event }) => ({ target: event.origin, message: { type: 'TOKEN' } }) },
        assign({ token: false }),
      ],
    },
    TOKEN: { actions: assign({ token: true }) },
    ask: {
      actions: {
        type: 'broadcast',
        params: ({ context }) => ({ message: { type: 'ASK', origin: context.self } }),
      },
    },
  },
});

function holder(ids: readonly string[], self: string): ActorSpec {
  return {
    machine: holderMachine,
    input: { self, token: self === ids[0] },
    environment: [{ event: { type: 'ask' }, times: 1, when: ({ context }) => context['token'] === false }],
  };
}
