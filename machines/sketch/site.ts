import { and, assign, not, type SnapshotFrom, setup, stateIn } from 'xstate';
import type { SiteId } from '../actor.ts';
import type { SketchEvent, SketchMessage } from './messages.ts';

/** The sketch's globals. A port is a site's name. A `next` of -1 is `null`. */
export interface SketchContext {
  readonly port: SiteId;
  readonly root_port: SiteId;
  /**
   * The site to which a request goes. `root_port` also means "I am the root": the sketch has no other way to
   * express it.
   */
  readonly last: SiteId;
  readonly next: SiteId | null;
  readonly hastoken: boolean;
  /** 1 once the token here has been used: "évite que le même site rentre 2 fois en SC". */
  readonly cptSC: 0 | 1;
}

export interface SketchInput {
  readonly port: SiteId;
  readonly root_port: SiteId;
}

type Send = { readonly target: SiteId; readonly message: SketchMessage };

const sendCSRequest = {
  type: 'send',
  params: ({ context }: { context: SketchContext }): Send => ({
    target: context.last,
    message: { type: 'TOKENREQUEST', port: context.port },
  }),
} as const;

const sendToken = {
  type: 'send',
  params: ({ context }: { context: SketchContext }): Send => ({
    target: context.next!,
    message: { type: 'TOKEN' },
  }),
} as const;

/**
 * The program from which Baton grew, as it is written, with its faults. It is a test subject for the checker.
 * Each region is one of its threads. Each event is a section that runs without interruption by another
 * thread. `handlemessage`, which every reader runs under `verrouMsgGlobal`, belongs to no region.
 *
 * Assumptions where the sketch says nothing: `initialize`, `acceptneighbors` and `connectneighbors` are over,
 * all sites are connected, and `sendCSRequest` is one section. A closed socket swallows all data written to
 * it.
 */
export const sketchMachine = setup({
  types: {} as { context: SketchContext; events: SketchEvent; input: SketchInput },
  actions: {
    send: (_, _params: Send) => {},
    grant: () => {},
    unexpected: (_, _params: { event: SketchEvent }) => {},
    lastIsRootPort: assign({ last: ({ context }) => context.root_port }),
    count: assign({ cptSC: 1 }),
    updateVariables: assign({ next: null, hastoken: false, cptSC: 0 }),
  },
  guards: {
    hastoken: ({ context }) => context.hastoken,
    mayEnter: ({ context }) => context.hastoken && context.cptSC === 0,
    lastIsRoot: ({ context }) => context.last === context.root_port,
    nextIsSet: ({ context }) => context.next !== null,
    // The root does not dial itself under its own port: neighbors[root_port] is -1 there.
    lastHasSocket: ({ context }) => context.last !== context.port,
  },
}).createMachine({
  id: 'sketch',
  context: ({ input: { port, root_port } }) => ({
    port,
    root_port,
    last: root_port,
    next: null,
    hastoken: port === root_port,
    cptSC: 0,
  }),
  initial: 'running',
  states: {
    running: {
      type: 'parallel',
      on: {
        // handlemessage: the emitter is globalMessage.port, which is not the requesting site.
        TOKENREQUEST: [
          {
            guard: 'lastIsRoot',
            actions: assign({ next: ({ event }) => event.port, last: ({ event }) => event.port }),
          },
          {
            actions: [
              {
                type: 'send',
                params: ({ context, event }) => ({ target: context.last, message: event.contenu }),
              },
              assign({ last: ({ event }) => event.port }),
            ],
          },
        ],
        TOKEN: { actions: assign({ hastoken: true }) },
        // The end of main: "fermer toutes les sockets", and every thread ends with the process.
        quit: 'exited',
      },
      states: {
        // The user's view of the program. The sketch itself never reads it: `ask` sends another request each
        // time.
        main: {
          initial: 'menu',
          states: { menu: {}, told: {}, waiting: {}, served: { on: { exit: 'menu' } } },
          on: {
            ask: [
              { guard: stateIn({ running: { CriticalSection: 'inSC' } }) },
              // Prints "tu as le jeton" and does nothing else.
              { guard: 'hastoken', target: '.told' },
              { guard: 'lastHasSocket', target: '.waiting', actions: [sendCSRequest, 'lastIsRootPort'] },
              { target: '.waiting', actions: 'lastIsRootPort' },
            ],
            enter: {
              guard: and(['mayEnter', not(stateIn({ running: { main: 'menu' } }))]),
              target: '.served',
            },
          },
        },
        CriticalSection: {
          initial: 'polling',
          states: {
            polling: {
              on: { enter: { guard: 'mayEnter', target: 'inSC', actions: ['count', 'grant'] } },
            },
            inSC: { on: { exit: 'polling' } },
          },
        },
        sendToken: {
          initial: 'notStarted',
          states: {
            notStarted: { on: { exit: 'waitingForNext' } },
            waitingForNext: {
              on: { sendToken: { guard: 'nextIsSet', target: 'sent', actions: sendToken } },
            },
            // The token is on its way, and still here.
            sent: { on: { giveUp: { target: 'notStarted', actions: 'updateVariables' } } },
          },
        },
      },
    },
    exited: { on: { TOKENREQUEST: {}, TOKEN: {} } },
  },
  on: { '*': { actions: { type: 'unexpected', params: ({ event }) => ({ event }) } } },
});

export type SketchSnapshot = SnapshotFrom<typeof sketchMachine>;
