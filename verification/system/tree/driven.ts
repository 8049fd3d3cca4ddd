import { isDeepStrictEqual } from 'node:util';
import {
  type AnyActor,
  type AnyActorLogic,
  type AnyStateMachine,
  createActor,
  type EventObject,
  fromCallback,
  fromEventObservable,
  fromObservable,
  fromPromise,
  type InspectionEvent,
  type Observer,
} from 'xstate';
import { SystemError } from '../errors.ts';
import { withoutClockAndChance } from '../purity.ts';
import { shown, write } from './canonical.ts';
import type { Chance, ChanceDoor } from './chance.ts';
import { apart, carryOut, inside, nameOf, processing } from './live.ts';
import { type Invoked, kindOf, type Outcome, type Outcomes } from './outcomes.ts';

/** An event of a machine and the actors below it. */
export type Happening =
  /** An event comes from outside. */
  | { readonly event: { readonly type: string } }
  /** A timer fires, by its id; below the root `ID of PATH`. */
  | { readonly timer: string }
  /** An outcome of what the actor with this path invokes, as traces tell it: `xstate.done.actor.ID` with its `output`. */
  | { readonly outcome: { readonly type: string; readonly actor: string; readonly [key: string]: unknown } };

/** The controls of a promise, callback or observable. */
interface Handle {
  readonly self: AnyActor;
  readonly name: string;
  readonly done?: (value: unknown) => void;
  readonly error?: (error: unknown) => void;
  readonly next?: (value: unknown) => void;
}

interface Scheduled {
  readonly event: EventObject;
  readonly id: string;
  readonly source: AnyActor;
  readonly fire: () => void;
}

/**
 * XState's own actor of a machine, running. A test controls its clock, promises, callbacks and observables: none of
 * them does anything by itself.
 */
export class DrivenActor {
  readonly actor: AnyActor;
  /** The custom actions of the last happening, and the events that were emitted, in order. */
  readonly done: string[] = [];
  readonly #timers = new Map<number, Scheduled>();
  readonly #handles: Handle[] = [];
  readonly #outcomes: Outcomes;
  readonly #chance: Chance | undefined;
  /** The values that the clock and random numbers give in this event, in order. `null`: the actor starts, and gets the first declared value. */
  #drawn: unknown[] | null = null;
  #next = 0;
  #isTame = false;

  /** `chance`: the values that the clock and chance may give; a happening says which they give. Default: they are as they are. */
  constructor(machine: AnyStateMachine, outcomes: Outcomes = {}, input?: unknown, chance?: Chance) {
    this.#outcomes = outcomes;
    this.#chance = chance;
    const seen = new Set<unknown>();
    const clock = {
      setTimeout: (fire: () => void) => {
        const { _scheduledEvents: all } = (this.actor.system as unknown as System)._snapshot;
        const scheduled = Object.values(all).find((event) => !seen.has(event))!;
        seen.add(scheduled);
        const number = this.#next++;
        const run = () => {
          this.#timers.delete(number);
          fire();
        };
        this.#timers.set(number, { ...scheduled, fire: run });
        return number;
      },
      clearTimeout: (number: number) => this.#timers.delete(number),
    };
    const inspect = (event: InspectionEvent) => {
      if (event.type === '@xstate.actor') this.#take(event.actorRef as AnyActor);
      else if (event.type === '@xstate.action' && !event.action.type.startsWith('xstate.'))
        this.done.push(toldOf(event.action.type, event.action.params));
    };
    this.actor = createActor(machine, { clock, inspect, input, logger: () => {} } as never) as AnyActor;
    // Without an observer XState throws the error of a root from a timer.
    this.actor.subscribe({ error: () => {} });
    this.actor.start();
  }

  /**
   * Makes the event happen and waits for its effects. `false`: it cannot happen now. `drawn`: the values of the clock and of random
   * numbers that it reads, in order.
   */
  async happen(happening: Happening, drawn: readonly unknown[] = []): Promise<boolean> {
    this.done.length = 0;
    this.#drawn = [...drawn];
    if ('event' in happening) this.actor.send(happening.event);
    else if ('timer' in happening ? !this.#fire(happening.timer) : !this.#settle(happening.outcome))
      return false;
    for (let turns = 0; turns < 6; turns++) await Promise.resolve();
    return true;
  }

  /** Every actor that can be reached through children, by its path, as `show` tells it. */
  state(show: (held: unknown) => unknown): Readonly<Record<string, unknown>> {
    const all: Record<string, unknown> = {};
    const visit = (actor: AnyActor) => {
      const { status, value = null, context, children = {}, output } = actor.getSnapshot() as Shown;
      all[pathOf(actor)] = show({ status, value, context, output });
      for (const child of Object.values(children)) if (child) visit(child);
    };
    visit(this.actor);
    return all;
  }

  /** The names of the timers that are armed. */
  get timers(): readonly string[] {
    return [...this.#timers.values()].map(nameOfTimer).sort();
  }

  get failed(): boolean {
    return this.actor.getSnapshot().status === 'error';
  }

  stop(): void {
    this.actor.stop();
  }

  /** The test controls each actor that would start something outside. */
  #take(actor: AnyActor): void {
    if (!this.#isTame) this.#tame(actor);
    this.#isTame = true;
    actor.on('*' as never, (event: { type: string }) => this.done.push(`emit ${event.type}`));
    const { logic, _actorScope: scope } = inside(actor);
    const name = nameOf(actor);
    const kind = kindOf(logic, name);
    if (kind !== 'machine' && kind !== 'transition') inside(actor).logic = this.#handled(kind, name);
    else if (this.#chance !== undefined) inside(actor).logic = this.#given(logic);
    const execute = scope.actionExecutor;
    Object.assign(scope, {
      actionExecutor: (action: Parameters<typeof execute>[0]) => execute(withoutReach(action)),
    });
  }

  /** Logic for which the clock and chance give the values of this happening. */
  #given(logic: AnyActorLogic): AnyActorLogic {
    const refuse = (door: string) =>
      new SystemError(
        'MACHINE_IMPURE',
        `The actor reads ${door} more often than the model does in this step.`,
      );
    const supply = (door: string) => {
      if (this.#drawn === null) return { value: this.#chance![door as ChanceDoor]?.[0] };
      return this.#drawn.length === 0 ? undefined : { value: this.#drawn.shift() };
    };
    const during =
      <Given extends unknown[], Result>(step: (...given: Given) => Result) =>
      (...given: Given) =>
        withoutClockAndChance(() => step.apply(logic, given), refuse, supply);
    return Object.assign(Object.create(logic) as AnyActorLogic, {
      transition: during(logic.transition),
      getInitialSnapshot: during(logic.getInitialSnapshot),
    });
  }

  /** XState draws an id for a timer that has none. Here it is the type of its event, and the rest of it is not shown. */
  #tame({ system }: AnyActor): void {
    const { scheduler } = system as unknown as { scheduler: { schedule: (...given: unknown[]) => void } };
    const { schedule } = scheduler;
    let timers = 0;
    let actors = 1;
    // Ids that XState draws are counted over the whole process.
    Object.assign(system, { _bookId: () => `x:${actors++}` });
    scheduler.schedule = (source, target, event, delay, id) =>
      schedule(source, target, event, delay, id ?? `${(event as EventObject).type}\0${timers++}`);
  }

  #handled(kind: Invoked['kind'], name: string): AnyActorLogic {
    const { atStart = [] }: Outcome = this.#outcomes[name] ?? {};
    const hold = (self: unknown, handle: Omit<Handle, 'self' | 'name'>) =>
      this.#handles.push({ self: self as AnyActor, name, ...handle });
    if (kind === 'promise') {
      return fromPromise(({ self }) => new Promise((done, error) => void hold(self, { done, error })));
    }
    if (kind === 'callback') {
      return fromCallback(({ self, sendBack }) => {
        for (const event of atStart) sendBack(event);
        hold(self, { next: sendBack as (value: unknown) => void });
      });
    }
    const creator = ({ self }: { self: unknown }) => ({
      subscribe: (given: unknown) => {
        const { next, error, complete } = given as Required<Observer<unknown>>;
        hold(self, { next, error, done: complete });
        return { unsubscribe: () => {} };
      },
    });
    return kind === 'event observable' ? fromEventObservable(creator as never) : fromObservable(creator);
  }

  #fire(timer: string): boolean {
    const [armed, ...others] = [...this.#timers.values()].filter(
      (scheduled) => timer === nameOfTimer(scheduled),
    );
    // Timers of two actors that share a key are not told from each other by it.
    if (armed === undefined || others.some(({ source }) => source !== armed.source)) return false;
    armed.fire();
    return true;
  }

  #settle({ type, actor, ...rest }: { type: string; actor: string; [key: string]: unknown }): boolean {
    const isActive = (self: AnyActor) => inside(self)._processingStatus === processing.running;
    const [handle, ...others] = this.#handles.filter(({ self }) => isActive(self) && pathOf(self) === actor);
    // Two handles with one key cannot be distinguished by it.
    if (handle === undefined || others.length > 0) return false;
    const declared = this.#outcomes[handle.name] ?? {};
    const input = (handle.self.getSnapshot() as { readonly input?: unknown }).input;
    const declaredOf = (values: Outcome['done'], told: unknown) =>
      (typeof values === 'function' ? values(input) : (values ?? [])).find((value) =>
        isDeepStrictEqual(plain(told), plain(visible(value))),
      );
    if (type.startsWith('xstate.done')) handle.done!(declaredOf(declared.done, rest['output']));
    else if (type.startsWith('xstate.error')) handle.error!(declaredOf(declared.error, rest['error']));
    else if (type.startsWith('xstate.snapshot')) handle.next!(declaredOf(declared.next, rest['value']));
    else handle.next!({ ...rest, type });
    return true;
  }
}

/** A custom action reaches nothing outside, as in the model: no console, no requests, nothing that only a browser has. */
function withoutReach<Executable extends { readonly type: string; exec?: unknown }>(
  action: Executable,
): Executable {
  const exec = action.exec as ((...given: unknown[]) => void) | undefined;
  if (exec === undefined || action.type.startsWith('xstate.')) return action;
  return { ...action, exec: (...given: unknown[]) => apart(() => carryOut(() => exec(...given))) };
}

/** A value as predicates and traces show it. */
export function visible(value: unknown, pathOf: (actor: AnyActor) => string = () => ''): unknown {
  const actors: AnyActor[] = [];
  const written = write(value, (actor) => actors.push(actor) - 1, 'a value');
  return shown(written, (row) => pathOf(actors[row]!));
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify({ value }));

/** The keys under which the actor and its parents are children, from the root down. */
export function pathOf(actor: AnyActor): string {
  const { _parent: parent, id } = inside(actor);
  if (!parent) return '';
  const { children = {} } = (parent.getSnapshot() ?? {}) as Partial<Shown>;
  const [key] = Object.entries(children).find(([, child]) => child === actor) ?? [id];
  const above = pathOf(parent);
  return above === '' ? key : `${above}/${key}`;
}

function nameOfTimer({ source, id }: Scheduled): string {
  const [name] = id.split('\0') as [string];
  const path = pathOf(source);
  return path === '' ? name : `${name} of ${path}`;
}

/** A named action with the place that it stands in, if known. */
export function toldOf(type: string, params: unknown): string {
  const of = (params as { readonly of?: unknown } | undefined)?.of;
  return of === undefined ? type : `${type} ${String(of)}`;
}

interface System {
  readonly _snapshot: { readonly _scheduledEvents: Readonly<Record<string, Omit<Scheduled, 'fire'>>> };
}

interface Shown {
  readonly status: string;
  readonly value?: unknown;
  readonly context: unknown;
  readonly output: unknown;
  readonly children?: Readonly<Record<string, AnyActor | undefined>>;
}
