import { type AnyStateMachine, createMachine } from 'xstate';
import { isLinearizable, type Operations, operationsOf } from '../system/linearizability.ts';
import { each, role, system } from '../system/typed.ts';

/** A server, and the others. */
export type Peer = { readonly self: string; readonly peers: readonly string[] };
export type Size = { readonly servers?: number; readonly clients?: number };

/**
 * A register of servers, and clients that each write their name to it and then read it: the harness of Stateright's
 * examples. Each client reads from the server after the one to which it writes. A message names its sender in `from`.
 */
export function registerOf(name: string, server: AnyStateMachine, { servers = 1, clients = 2 }: Size) {
  const ids = numbered('server', servers);
  const serverOf = (self: string) =>
    role(server, {
      input: { self, peers: ids.filter((id) => id !== self) },
      deliver: (message, from) => ({ ...message, from }),
      accepts: 'taken',
    });
  const clientOf = (self: string, index: number) =>
    role(client, {
      input: { self, to: ids[index % servers]!, from: ids[(index + 1) % servers]! },
      accepts: 'taken',
    });
  return system(name, { ...each(ids, serverOf), ...each(numbered('client', clients), clientOf) })
    .over({ order: 'unordered' })
    .remembering(operations)
    .always('linearizable', (_, __, past) => isLinearizable(past as Operations, register))
    .sometimes('a value is read', (_, all) =>
      all.some(({ inbox }) =>
        inbox.some(({ message }) => 'value' in message && message.value !== '' && message.type === 'GET_OK'),
      ),
    );
}

const numbered = (what: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${what} ${index + 1}`);

type Client = { readonly self: string; readonly to: string; readonly from: string };
const write = {
  type: 'send',
  params: ({ context }: { context: Client }) => ({
    target: context.to,
    message: { type: 'PUT', value: context.self },
  }),
};
const read = {
  type: 'send',
  params: ({ context }: { context: Client }) => ({ target: context.from, message: { type: 'GET' } }),
};

const client = createMachine({
  types: {} as { context: Client; events: { type: 'PUT_OK' } | { type: 'GET_OK' }; input: Client },
  id: 'client',
  context: ({ input }) => input,
  initial: 'writing',
  states: {
    writing: { entry: write, on: { PUT_OK: 'reading' } },
    reading: { entry: read, on: { GET_OK: 'done' } },
    done: {},
  },
});

const operations = operationsOf({
  answers: ['PUT_OK', 'GET_OK'],
  invoked: ({ type, ...rest }) => (type === 'PUT' ? { write: rest } : type === 'GET' ? {} : null),
  answered: ({ type, ...rest }) => (type === 'GET_OK' ? rest : null),
});

const register = {
  initial: { value: '' },
  apply: (state: unknown, operation: unknown) => {
    const { write } = operation as { readonly write?: unknown };
    return write === undefined ? { state, answer: state } : { state: write, answer: null };
  },
};
