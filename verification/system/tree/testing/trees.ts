import {
  type AnyActorRef,
  type AnyStateMachine,
  assign,
  cancel,
  emit,
  enqueueActions,
  forwardTo,
  fromCallback,
  fromPromise,
  fromTransition,
  sendParent,
  sendTo,
  setup,
  spawnChild,
  stopChild,
} from 'xstate';
import type { Outcomes } from '../outcomes.ts';

/* Apps that use what XState has for actors, and what drives them. */

export interface App {
  readonly machine: AnyStateMachine;
  readonly outcomes: Outcomes;
  readonly events: readonly { readonly type: string }[];
  readonly input?: unknown;
}

const promise = () => fromPromise(async () => undefined);

const callback = () => fromCallback(() => {});

const note = (of: string) => ({ type: 'note', params: { of } });
const untyped = (config: object) => config as never;
const machineOf = (machine: unknown) => machine as AnyStateMachine;

const failed = new Error('no');

/** A form that loads, retries after a time, and gives up. */
const fetching: App = {
  machine: machineOf(
    setup({ actors: { load: promise() }, actions: { note: () => {} } })
      .createMachine(
        untyped({
          id: 'fetching',
          context: { got: null, tries: 0 },
          initial: 'idle',
          states: {
            idle: { on: { load: 'loading' } },
            loading: {
              entry: assign({
                tries: ({ context }: { context: { tries: number } }) => (context.tries + 1) % 3,
              }),
              exit: note('exit'),
              invoke: {
                id: 'it',
                src: 'load',
                input: ({ context }: { context: { tries: number } }) => context.tries,
                onDone: {
                  target: 'done',
                  actions: [assign({ got: ({ event }: Done) => event.output }), note('done')],
                },
                onError: { target: 'failed', actions: assign({ got: ({ event }: Done) => event.error }) },
              },
              after: { 1000: { target: 'failed', actions: note('late') } },
              on: { load: { target: 'loading', reenter: true }, stop: 'idle' },
            },
            failed: { after: { retry: 'loading' }, on: { load: 'loading' } },
            done: { on: { load: 'loading' } },
          },
        }),
      )
      .provide({ delays: { retry: 50 } } as never),
  ),
  outcomes: { load: { done: [1, { text: 'x' }], error: [failed] } },
  events: [{ type: 'load' }, { type: 'stop' }],
};

interface Done {
  readonly event: { readonly output: unknown; readonly error: unknown };
}

/** Children are spawned into the context, send to their parent and to each other through the system, and end. */
const item = setup({ actors: { save: promise() }, actions: { note: () => {} } }).createMachine(
  untyped({
    id: 'item',
    context: ({ input }: { input: { name: string } }) => ({ name: input.name, pokes: 0 }),
    initial: 'open',
    states: {
      open: {
        entry: sendParent(({ context }: { context: { name: string } }) => ({
          type: 'opened',
          name: context.name,
        })),
        exit: note('item exit'),
        on: {
          poke: {
            actions: [
              assign({ pokes: ({ context }: { context: { pokes: number } }) => (context.pokes + 1) % 3 }),
              sendParent({ type: 'poked' }),
            ],
          },
          save: 'saving',
        },
      },
      saving: {
        invoke: {
          src: 'save',
          id: 'saving',
          onDone: 'saved',
          // A failure is that of the item, and of its parent.
        },
        on: { poke: { actions: note('not now') } },
      },
      saved: { type: 'final', entry: note('saved') },
    },
    output: ({ context }: { context: unknown }) => context,
  }),
);

const list: App = {
  machine: machineOf(
    setup({ actors: { item }, actions: { note: () => {} } }).createMachine(
      untyped({
        id: 'list',
        context: { items: {}, heard: 0 },
        on: {
          add: {
            guard: ({ context }: Items) => Object.keys(context.items).length < 2,
            actions: assign(
              ({ context, spawn }: Items & { spawn: (src: string, options: object) => AnyActorRef }) => {
                const name = `item-${Object.keys(context.items).length}`;
                const options = { id: name, systemId: name, input: { name } };
                return { items: { ...context.items, [name]: spawn('item', options) } };
              },
            ),
          },
          poke: {
            actions: [note('f'), forwardTo('item-0'), note('g')],
            guard: ({ context }: Items) => 'item-0' in context.items,
          },
          'poke.other': {
            actions: ({ system }: { system: { get(id: string): AnyActorRef | undefined } }) =>
              system.get('item-1')?.send({ type: 'poke' }),
          },
          save: {
            guard: ({ context }: Items) => 'item-1' in context.items,
            actions: sendTo(({ context }: Items) => context.items['item-1']!, { type: 'save' }),
          },
          drop: {
            guard: ({ context }: Items) => 'item-0' in context.items,
            actions: [
              stopChild('item-0'),
              assign(({ context }: Items) => {
                const { 'item-0': _, ...items } = context.items;
                return { items };
              }),
            ],
          },
          opened: { actions: [note('opened'), assign({ heard: 1 })] },
          poked: { actions: [note('poked'), assign({ heard: 2 }), emit({ type: 'heard' })] },
          'xstate.done.actor.*': { actions: note('an item is done') },
        },
      }),
    ),
  ),
  outcomes: { save: { done: [undefined], error: [failed] } },
  events: ['add', 'poke', 'poke.other', 'save', 'drop'].map((type) => ({ type })),
};

interface Items {
  readonly context: { readonly items: Readonly<Record<string, AnyActorRef>> };
}

/** A callback that opens as it starts, a reducer, inline functions, and actions that are enqueued. */
const socket: App = {
  machine: machineOf(
    setup({
      actors: {
        socket: callback(),
        total: fromTransition(
          (total: number, event: { type: string; by?: number }) => (total + (event.by ?? 0)) % 4,
          0,
        ),
      },
      actions: { note: () => {} },
    }).createMachine(
      untyped({
        id: 'socket',
        context: { n: 0, total: 0 },
        entry: spawnChild('total' as never, { id: 'total', syncSnapshot: true } as never),
        on: {
          'xstate.snapshot.total': {
            actions: assign({
              total: ({ event }: { event: { snapshot: { context: number } } }) => event.snapshot.context,
            }),
          },
        },
        initial: 'closed',
        states: {
          closed: { on: { open: 'opening' } },
          opening: {
            invoke: { id: 'line', src: 'socket' },
            initial: 'waiting',
            states: {
              waiting: { on: { opened: 'ready' } },
              ready: {
                on: {
                  data: {
                    actions: enqueueActions(({ enqueue, context }: Enqueue) => {
                      enqueue.assign({ n: (context.n + 1) % 3 });
                      enqueue(note('data'));
                      if (context.n === 1) enqueue.sendTo('total', { type: 'add', by: 1 });
                      enqueue.sendTo('line', { type: 'ack' });
                      enqueue.raise({ type: 'raised' }, { delay: 20, id: 'idle' });
                    }),
                  },
                  raised: { actions: note('raised') },
                },
              },
            },
            on: {
              close: { target: 'closed', actions: cancel('idle') },
              ping: {
                actions: ({ self }: { self: AnyActorRef }) => {
                  self.send({ type: 'data' });
                },
              },
            },
          },
        },
      }),
    ),
  ),
  outcomes: { socket: { atStart: [{ type: 'opened' }], sends: [{ type: 'data' }] } },
  events: ['open', 'close', 'ping'].map((type) => ({ type })),
};

interface Enqueue {
  readonly context: { readonly n: number };
  // XState's own type of it is as wide as all actions.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly enqueue: any;
}

export const apps: Readonly<Record<string, App>> = { fetching, list, socket };
