import { isDeepStrictEqual } from 'node:util';
import {
  type AnyActor,
  type AnyActorLogic,
  createActor,
  type EventObject,
  fromCallback,
  fromEventObservable,
  fromObservable,
  fromPromise,
  type InspectionEvent,
  type Observer,
} from 'xstate';
import { Interner } from '../../interner.ts';
import type { InternedSnapshot } from '../../stepper.ts';
import { write } from '../canonical.ts';
import { inside, LOST, nameOf, PASSED, processing } from '../live.ts';
import { type Invoked, kindOf, type Outcome, type Outcomes } from '../outcomes.ts';
import { type Pending, TreeStepper } from '../stepper.ts';
import type { App } from './trees.ts';

/*
 * A live system of actors with its own mailboxes, promises, callbacks and timers, moved by the same random choices as the
 * tree: the same state of every actor, the same timers, and the same actions and emitted events in the same order.
 */

/** The tree and the live actors differ; the message says in what. */
export class Difference extends Error {}

interface Scheduled {
  readonly event: EventObject;
  readonly id: string;
  readonly source: AnyActor;
  readonly fire: () => void;
}

/** The controls of a live promise, callback or observable. */
interface Handle {
  readonly self: AnyActor;
  readonly done: (value: unknown) => void;
  readonly error: () => void;
  readonly send: (event: EventObject) => void;
  readonly next: (value: unknown) => void;
}

/** The keys under which the actor and its parents are children. */
function pathOf(actor: AnyActor): string {
  const { _parent: parent, id } = inside(actor);
  if (!parent) return '';
  const { children = {} } = (parent.getSnapshot() ?? {}) as Partial<Shown>;
  const [key] = Object.entries(children).find(([, child]) => child === actor) ?? [id];
  const above = pathOf(parent);
  return above === '' ? key : `${above}/${key}`;
}

/** Each rejects, or fails, with the first error that is declared for it. */
class LiveApp {
  readonly done: string[] = [];
  readonly timers = new Map<number, Scheduled>();
  readonly actor: AnyActor;
  readonly #handles: Handle[] = [];
  readonly #named = new Set<AnyActor>();
  readonly #outcomes: Outcomes;
  #next = 0;
  #errors: unknown[] = [];

  constructor({ machine, outcomes, input }: App) {
    this.#outcomes = outcomes;
    const seen = new Set<unknown>();
    const clock = {
      setTimeout: (fire: () => void) => {
        const { _scheduledEvents: all } = (this.actor.system as unknown as System)._snapshot;
        const scheduled = Object.values(all).find((event) => !seen.has(event))!;
        seen.add(scheduled);
        const number = this.#next++;
        const run = () => {
          this.timers.delete(number);
          fire();
        };
        this.timers.set(number, { ...scheduled, fire: run });
        return number;
      },
      clearTimeout: (number: number) => this.timers.delete(number),
    };
    const inspect = (event: InspectionEvent) => {
      if (event.type === '@xstate.actor') this.#take(event.actorRef as AnyActor);
      else if (event.type === '@xstate.action' && !event.action.type.startsWith('xstate.'))
        this.done.push(toldOf(event.action.type, event.action.params));
    };
    const actor = createActor(machine, { clock, inspect, input, logger: () => {} } as never) as AnyActor;
    this.actor = actor;
    actor.subscribe({ error: (error) => this.#errors.push(error) });
    actor.start();
  }

  /** The test controls each actor that would start something outside. */
  #take(actor: AnyActor): void {
    if (this.#named.size === 0) this.#tame(actor);
    this.#named.add(actor);
    actor.on('*' as never, (event: { type: string }) => this.done.push(`emit ${event.type}`));
    const logic = inside(actor).logic;
    const name = nameOf(actor);
    const kind = kindOf(logic, name);
    if (kind === 'machine' || kind === 'transition') return;
    inside(actor).logic = this.#handled(kind, this.#outcomes[name] ?? {});
  }

  /** XState draws an id for a timer that has none. Here it is the type of its event, and the rest of it is not shown. */
  #tame({ system }: AnyActor): void {
    const { scheduler } = system as unknown as { scheduler: { schedule: (...given: unknown[]) => void } };
    const { schedule } = scheduler;
    let number = 0;
    let booked = 1;
    // Ids that XState draws are counted over the whole process.
    Object.assign(system, { _bookId: () => `x:${booked++}` });
    scheduler.schedule = (source, target, event, delay, id) =>
      schedule(source, target, event, delay, id ?? `${(event as EventObject).type}\0${number++}`);
  }

  #handled(kind: Invoked['kind'], outcome: Outcome): AnyActorLogic {
    const { error, atStart = [] } = outcome;
    const failure = Array.isArray(error) ? error[0] : undefined;
    const none = () => {};
    if (kind === 'promise') {
      return fromPromise(
        ({ self }) =>
          new Promise((resolve, reject) => {
            const [done, fail] = [resolve, () => reject(failure)];
            this.#handles.push({
              self: self as unknown as AnyActor,
              done,
              error: fail,
              send: none,
              next: none,
            });
          }),
      );
    }
    if (kind === 'callback') {
      return fromCallback(({ self, sendBack }) => {
        for (const event of atStart) sendBack(event);
        this.#handles.push({
          self: self as unknown as AnyActor,
          done: none,
          error: none,
          send: sendBack,
          next: none,
        });
      });
    }
    const creator = ({ self }: { self: unknown }) => ({
      subscribe: (given: unknown) => {
        const observer = given as Required<Observer<unknown>>;
        const next = (value: unknown) => observer.next(value);
        const error = () => observer.error(failure);
        const done = () => observer.complete();
        this.#handles.push({ self: self as AnyActor, done, error, send: next, next });
        return { unsubscribe: none };
      },
    });
    return kind === 'event observable' ? fromEventObservable(creator as never) : fromObservable(creator);
  }

  /** `false`: it does not know what is to move. */
  async take(pending: Pending | EventObject): Promise<boolean> {
    this.done.length = 0;
    if (!('internal' in pending)) this.actor.send(pending);
    else if (pending.kind === 'timer') this.#fire(pending as Pending);
    else if (!this.#move((pending as Pending).event as never)) return false;
    for (let turns = 0; turns < 6; turns++) await Promise.resolve();
    return true;
  }

  #fire({ timer }: Pending): void {
    [...this.timers.values()].find((armed) => timer === nameOfTimer(armed))!.fire();
  }

  #move({
    type,
    actor,
    ...rest
  }: {
    type: string;
    actor: string;
    output?: unknown;
    value?: unknown;
  }): boolean {
    const isActive = (self: AnyActor) => inside(self)._processingStatus === processing.running;
    const [handle, ...others] = this.#handles.filter(({ self }) => isActive(self) && pathOf(self) === actor);
    // Two that share a key are not told from each other by it.
    if (handle === undefined || others.length > 0) return false;
    if (type.startsWith('xstate.done')) handle.done(rest.output);
    else if (type.startsWith('xstate.error')) handle.error();
    else if (type.startsWith('xstate.snapshot')) handle.next(rest.value);
    else handle.send({ ...rest, type });
    return true;
  }

  /** Every actor that can be reached, as text. */
  state(): unknown {
    const all: Record<string, unknown> = {};
    const visit = (actor: AnyActor) => {
      const { status, value = null, context, children = {}, output } = actor.getSnapshot() as Shown;
      all[pathOf(actor)] = comparable({ status, value, context, output });
      for (const child of Object.values(children)) if (child) visit(child);
    };
    visit(this.actor);
    return all;
  }

  armed(): readonly string[] {
    return [...this.timers.values()].map(nameOfTimer).sort();
  }

  get failed(): boolean {
    return this.actor.getSnapshot().status === 'error';
  }
}

function nameOfTimer({ source, id }: Scheduled): string {
  const [name] = id.split('\0') as [string];
  return pathOf(source) === '' ? name : `${name} of ${pathOf(source)}`;
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

/** A named action, as both sides tell it. */
function toldOf(type: string, params: unknown): string {
  const of = (params as { readonly of?: unknown } | undefined)?.of;
  return of === undefined ? type : `${type} ${String(of)}`;
}

const isPlace = (name: string | undefined) => name !== undefined && / of /.test(name);

/** Actors by their path. */
function comparable(value: unknown): string {
  const paths: string[] = [];
  const written = write(value, (actor) => paths.push(pathOf(actor)), 'live');
  return JSON.stringify([sorted(written), paths]);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}

/**
 * Moves the tree of `app` and the actors of `live` by the same choices, each of which picks from what may happen.
 * Gives how many steps were taken. Throws `Difference` where they differ, and the error that refuses the machine.
 */
export async function follow(app: App, live: App, choices: readonly number[]): Promise<number> {
  const values = new Interner([]);
  const tree = new TreeStepper(app.machine, values, { outcomes: app.outcomes });
  let stepped = tree.start(app.input);
  const actors = new LiveApp(live);
  for (const [taken, choice] of choices.entries()) {
    same('whether it failed', 'fault' in stepped, actors.failed);
    if ('fault' in stepped) return taken;
    const { snapshot } = stepped;
    same('the state', renumbered(tree.state(snapshot, comparable)), renumbered(actors.state()));
    const { armed, done } = values.value(snapshot) as unknown as InternedSnapshot;
    same('the timers', [...armed!].sort(), actors.armed());
    if (done) return taken;
    const pending = [...app.events, ...tree.pending(snapshot)];
    if (pending.length === 0) return taken;
    const next = pending[choice % pending.length]!;
    stepped = tree.take(snapshot, 'internal' in next ? next.internal : values.intern(next, 'an event'));
    if (!(await actors.take(next))) return taken;
    if ('fault' in stepped) continue;
    const own = stepped.effects.filter(({ type }) => type !== LOST && type !== PASSED);
    const told = own.map(({ type, ...params }) => toldOf(type, params));
    // A function that stands as an action has a place in the tree, and its own name in XState.
    same(
      'what it does',
      told,
      actors.done.map((name, index) => (isPlace(told[index]) ? told[index] : name)),
    );
  }
  actors.actor.stop();
  return choices.length;
}

/** Drawn ids by their first occurrence: the tree gives those of actors that are gone again. */
function renumbered(state: unknown): string {
  const ids: string[] = [];
  return JSON.stringify(state).replaceAll(/\bx:\d+/g, (id) => {
    if (!ids.includes(id)) ids.push(id);
    return `x:${ids.indexOf(id)}`;
  });
}

function same(what: string, tree: unknown, live: unknown): void {
  if (isDeepStrictEqual(tree, live)) return;
  throw new Difference(`${what}: the tree has ${JSON.stringify(tree)}, live actors ${JSON.stringify(live)}`);
}
