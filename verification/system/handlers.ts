import { isDeepStrictEqual } from 'node:util';
import {
  type AnyStateMachine,
  createMachine,
  type EventObject,
  enqueueActions,
  type MachineContext,
  type MetaObject,
  type NonReducibleUnknown,
  type ParameterizedObject,
  type ProvidedActor,
  type StateMachine,
  type StateValue,
} from 'xstate';
import type { SiteId } from '../../machines/actor.ts';

/** The changes that a handler makes to its context, and the messages that it sends, each with its target. */
export type Handled<Context> = readonly [Partial<Context>, ...Sent[]];
/** A message, and its target. */
export type Sent = readonly [SiteId, { readonly type: string; readonly [field: string]: unknown }];

/** For each type of event, its handler; a handler returns `null` where the event is not taken now. */
export type Handlers<Context, Event extends { readonly type: string }> = {
  readonly [Type in Event['type']]?: (context: Context, event: Event) => Handled<Context> | null;
};

type AnyConfig =
  AnyStateMachine extends StateMachine<
    infer _C,
    infer _E,
    infer _H,
    infer _A,
    infer _N,
    infer _G,
    infer _D,
    infer _V,
    infer _T,
    infer _I,
    infer _O,
    infer _M,
    infer _X,
    infer Config
  >
    ? Config
    : never;

/** Sends the same message to each target: `...toEach(peers, message)`. */
export const toEach = (targets: readonly SiteId[], message: Sent[1]): readonly Sent[] =>
  targets.map((target) => [target, message]);

/** The machine of `machineOf`. */
export type HandlerMachine<Context extends object, Event extends EventObject, Input> = StateMachine<
  Context & MachineContext,
  Event,
  Record<string, never>,
  ProvidedActor,
  ParameterizedObject,
  ParameterizedObject,
  string,
  StateValue,
  string,
  Input,
  NonReducibleUnknown,
  EventObject,
  MetaObject,
  AnyConfig
>;

/**
 * A machine of one state from pure functions, one for each type of event, for a model that is carried over from TLA+ or
 * Stateright: the context is all of its state. An event that its handler does not take is no transition.
 *
 *     machineOf<Event>()('server', () => ({ value: '' }), {
 *       PUT: (_, { from, value }) => [{ value }, [from, { type: 'PUT_OK' }]],
 *     })
 *
 * The type of events comes first and alone, so that the compiler infers the others. `disk` gives the part of the context that
 * outlives a crash: it is written before the step sends, when it has changed. Default: nothing.
 */
export const machineOf =
  <Event extends EventObject>() =>
  <Context extends object, Input extends object>(
    id: string,
    start: (input: Input) => Context,
    handlers: Handlers<Context, Event>,
    disk?: (context: Context) => object,
  ): HandlerMachine<Context, Event, Input> => {
    type Handler = (context: Context, event: Event) => Handled<Context> | null;
    const on = Object.entries(handlers).map(([type, given]) => {
      const handler = given as Handler;
      const transition = {
        guard: ({ context, event }: { context: MachineContext; event: EventObject }) =>
          handler(context as Context, event as Event) !== null,
        actions: enqueueActions(({ context, event, enqueue }) => {
          const [change, ...sends] = handler(context as Context, event as unknown as Event)!;
          enqueue.assign(change as object);
          const [before, after] = [context, { ...context, ...change }].map((one) => disk?.(one as Context));
          if (!isDeepStrictEqual(before, after)) enqueue({ type: 'persist', params: after } as never);
          for (const [target, message] of sends)
            enqueue({ type: 'send', params: { target, message } } as never);
        }),
      };
      return [type, transition];
    });
    return createMachine({
      id,
      context: ({ input }: { input: Input }) => start(input),
      on: Object.fromEntries(on),
    } as never) as unknown as HandlerMachine<Context, Event, Input>;
  };
