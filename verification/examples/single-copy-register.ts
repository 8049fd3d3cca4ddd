import { assign, createMachine } from 'xstate';
import { isLinearizable, type Operations, operationsOf } from '../system/linearizability.ts';
import { each, role, system } from '../system/typed.ts';

/**
 * A register that one server keeps, for clients that each write once and then read: Stateright's `single-copy-register`, with
 * its 93 states for two clients. With a second server, where each client writes to one and reads from the other, they see
 * no single register.
 */
type Put = { type: 'PUT'; by: string; value: string };
type Get = { type: 'GET'; by: string };

const server = createMachine({
  types: {} as { context: { value: string }; events: Put | Get },
  id: 'server',
  context: { value: '' },
  on: {
    PUT: { actions: [assign({ value: ({ event }) => event.value }), answer(() => ({ type: 'PUT_OK' }))] },
    GET: { actions: answer(({ context }) => ({ type: 'GET_OK', value: context.value })) },
  },
});

function answer(message: (args: { context: { value: string } }) => object) {
  return {
    type: 'send',
    params: (args: { context: { value: string }; event: Put | Get }) => ({
      target: args.event.by,
      message: message(args),
    }),
  };
}

interface Client {
  readonly self: string;
  /** One to write to, and one to read from. */
  readonly servers: readonly [string, string];
}

const put = (self: string): Put => ({ type: 'PUT', by: self, value: self });
const get = (self: string): Get => ({ type: 'GET', by: self });

const client = createMachine({
  types: {} as {
    context: Client;
    events: { type: 'PUT_OK' } | { type: 'GET_OK'; value: string };
    input: Client;
  },
  id: 'client',
  context: ({ input }) => input,
  initial: 'writing',
  states: {
    writing: { entry: ask(put), on: { PUT_OK: 'reading' } },
    reading: { entry: ask(get), on: { GET_OK: 'done' } },
    done: {},
  },
});

function ask(message: (self: string) => Put | Get) {
  return {
    type: 'send',
    params: ({ context }: { context: Client }) => ({
      target: context.servers[message === put ? 0 : 1],
      message: message(context.self),
    }),
  };
}

const register = {
  initial: '',
  apply: (value: unknown, operation: unknown) => {
    const written = (operation as { write?: string }).write;
    return written === undefined ? { state: value, answer: value } : { state: written, answer: null };
  },
};

export function singleCopyRegister({ servers = 1, clients = 2 } = {}) {
  const ids = Array.from({ length: servers }, (_, index) => `server ${index + 1}`);
  const names = Array.from({ length: clients }, (_, index) => `client ${index + 1}`);
  return system('single-copy register', {
    ...each(ids, () => role(server)),
    ...each(names, (self, index) =>
      role(client, { input: { self, servers: [ids[index % servers]!, ids[(index + 1) % servers]!] } }),
    ),
  })
    .over({ order: 'unordered' })
    .remembering(
      operationsOf({
        answers: ['PUT_OK', 'GET_OK'],
        invoked: ({ type, ...message }) =>
          type === 'PUT' ? { write: (message as Put).value } : type === 'GET' ? { read: true } : null,
        answered: (message) => (message as { value?: string }).value ?? null,
      }),
    )
    .always('linearizable', (_, __, past) => isLinearizable(past as Operations, register))
    .sometimes('a value is read', (_, __, past) =>
      Object.values((past as Operations).done).some((done) => done.length === 2),
    );
}

export default singleCopyRegister();
