import { type AnyStateMachine, type AnyStateNode, matchesState, type StateValue } from 'xstate';
import type { Message, NamedAction, SiteId } from '../../machines/actor.ts';
import { SystemError } from './errors.ts';
import type { HistoryVariable } from './history-variable.ts';
import { ANYONE, DOWN, type Locals } from './locals.ts';
import { Memo } from './memo.ts';
import { hint } from './shape.ts';
import type { InternedSnapshot } from './stepper.ts';
import { isOfAny, refusingPrototype } from './strict.ts';
import type { ActorView, ChildView, InFlight, Network, StateRecord, StateView } from './system.ts';
import { PASSED } from './tree/live.ts';

/** The effects of the machine of a process, from an interned snapshot on an event. */
export type Answer = (
  process: number,
  snapshot: number,
  event: { readonly type: string },
) => readonly NamedAction[];

/** Reports whether a transition of the machine of a process takes an event in an interned snapshot. */
export type Takes = (process: number, snapshot: number, event: { readonly type: string }) => boolean;

/** The effects of every step that the actor in a process may take next. */
export type Foresee = (process: number, core: number, inbox: number) => Iterable<readonly NamedAction[]>;

/** A key of a context that a function read and no state has. */
export interface Absent {
  readonly actor: SiteId;
  readonly key: string;
  /** The keys that its context has in some state. */
  readonly known: readonly string[];
}

/** Turns integers back into the values that predicates and reports show. */
export class Views {
  readonly #ids: readonly SiteId[];
  readonly #locals: Locals;
  readonly #isQueue: boolean;
  readonly #chronicle: HistoryVariable;
  readonly #answer: Answer;
  readonly #takes: Takes;
  readonly #machines: readonly AnyStateMachine[];
  readonly #statePaths: ReadonlySet<string>;
  /** The paths of the states of each process's machine. */
  readonly #ownPaths: readonly ReadonlySet<string>[];
  readonly #judged: readonly Map<number, Readonly<Record<string, unknown>>>[];
  /**
   * For each process, the keys that its context did not have, and whether the actor was requested by name.
   */
  readonly #absent: readonly Map<string, boolean>[];
  readonly #stateValues = new Map<number, unknown>();
  readonly #inboxes: (readonly InFlight[])[] = [];
  readonly #matches = new Memo<string, boolean>();
  readonly #passes = new Map<string, ReadonlySet<string>>();
  readonly #begun = new Map<string, readonly string[]>();
  #inboxRead = false;
  /** Set by the part that makes the moves. */
  foresee: Foresee = () => [];

  constructor(
    ids: readonly SiteId[],
    locals: Locals,
    order: Network['order'],
    chronicle: HistoryVariable,
    { answer, takes }: { readonly answer: Answer; readonly takes: Takes },
    machines: Iterable<AnyStateMachine>,
  ) {
    this.#ids = ids;
    this.#locals = locals;
    this.#isQueue = order === 'fifo';
    this.#chronicle = chronicle;
    this.#answer = answer;
    this.#takes = takes;
    this.#machines = [...machines];
    this.#ownPaths = this.#machines.map(({ root }) => new Set(pathsIn(root)));
    this.#statePaths = new Set(this.#ownPaths.flatMap((paths) => [...paths]));
    this.#judged = ids.map(() => new Map());
    this.#absent = ids.map(() => new Map());
  }

  actor(process: number, local: number): ActorView {
    return this.of(process, this.#locals.coreOf(process, local), this.#locals.inboxOf(process, local));
  }

  /** Returns an actor that was requested by name: a state that its own machine does not have is refused. */
  named(process: number, local: number): ActorView {
    return new NamedActor(
      this,
      process,
      this.#locals.coreOf(process, local),
      this.#locals.inboxOf(process, local),
    );
  }

  of(process: number, core: number, inbox: number): ActorView {
    return new DecodedActor(this, process, core, inbox);
  }

  /**
   * Returns an actor for a function that must not look at the inbox. `what`: its name in the error of a
   * function that does.
   */
  withoutInbox(process: number, core: number, what: string): ActorView {
    return new ActorWithoutInbox(this, process, core, what);
  }

  /** An actor of `withoutInbox` as one that may be shown, with an empty inbox. */
  whole(actor: ActorView): ActorView {
    return actor instanceof ActorWithoutInbox ? actor.whole : actor;
  }

  /** `look`, called once for each core as long as it does not read the inbox. */
  remembered<Seen>(look: (actor: ActorView) => Seen): (process: number, core: number, inbox: number) => Seen {
    const byCore = this.#ids.map(() => new Map<number, Seen>());
    return (process, core, inbox) => {
      const known = byCore[process]!;
      const before = known.get(core);
      if (before !== undefined || known.has(core)) return before as Seen;
      const outer = this.#inboxRead;
      this.#inboxRead = false;
      try {
        const seen = look(new JudgedActor(this, process, core, inbox));
        if (!this.#inboxRead) known.set(core, seen);
        return seen;
      } finally {
        this.#inboxRead ||= outer;
      }
    };
  }

  /** `remembered`, for a local. */
  observed<Seen>(look: (actor: ActorView) => Seen): (process: number, local: number) => Seen {
    const seen = this.remembered(look);
    return (process, local) =>
      seen(process, this.#locals.coreOf(process, local), this.#locals.inboxOf(process, local));
  }

  inboxOf(process: number, local: number): number {
    return this.#locals.inboxOf(process, local);
  }

  /** Returns the same number for equal values. */
  numberOf(value: unknown): number {
    return this.#locals.values.intern(value, 'a value that a predicate reads');
  }

  get historyProcess(): number {
    return this.#chronicle.process;
  }

  history(state: ArrayLike<number>): unknown {
    return this.#chronicle.value(state);
  }

  state(state: ArrayLike<number>): StateView {
    const actors = this.#ids.map((_, process) => this.actor(process, state[process]!));
    return {
      actors,
      history: this.history(state),
      actor: (id) => {
        const process = this.#ids.indexOf(id);
        if (process >= 0) return this.named(process, state[process]!);
        throw new SystemError(
          'PREDICATE_INVALID',
          `A predicate asks for actor '${id}'. The actors are: ${this.#ids.join(', ')}.`,
        );
      },
    };
  }

  /** The record of a state does not depend on the states explored before. */
  record(state: ArrayLike<number>): StateRecord {
    return Object.fromEntries(
      this.state(state).actors.map((actor, process) => {
        const { up, value, context, timers, fault } = actor;
        const inbox = this.#written(this.#locals.inboxOf(process, state[process]!));
        return [actor.id, { up, value, context, inbox, timers, ...(fault === undefined ? {} : { fault }) }];
      }),
    );
  }

  /** A queue in its order; a bag, which has none, by source and text. */
  #written(inbox: number): readonly InFlight[] {
    const envelopes = this.inbox(inbox);
    if (this.#isQueue) return envelopes;
    const place = ({ source, message }: InFlight) => `${source} ${JSON.stringify(message)}`;
    return envelopes.toSorted((left, right) => (place(left) < place(right) ? -1 : 1));
  }

  id(process: number): SiteId {
    return this.#ids[process]!;
  }

  core(id: number) {
    return this.#locals.core(id);
  }

  snapshot(id: number): InternedSnapshot {
    return this.#locals.values.value(id) as unknown as InternedSnapshot;
  }

  stateValue(snapshot: number): unknown {
    let value = this.#stateValues.get(snapshot);
    if (value === undefined) {
      value = deepFreeze(JSON.parse(this.snapshot(snapshot).value));
      this.#stateValues.set(snapshot, value);
    }
    return value;
  }

  /** Returns the context of a snapshot for judging: reads of absent keys are recorded. */
  judgedContext(process: number, snapshot: number): Readonly<Record<string, unknown>> {
    const known = this.#judged[process]!.get(snapshot);
    if (known !== undefined) return known;
    const context = new Proxy(this.snapshot(snapshot).context, {
      get: (target, key) => {
        if (!Object.hasOwn(target, key) && !isOfAny(key)) this.noteAbsent(process, key as string, false);
        return Reflect.get(target, key);
      },
    });
    this.#judged[process]!.set(snapshot, context);
    return context;
  }

  /**
   * Records that a function read a key that the context of the actor did not have. `isNamed`: the actor was
   * requested by name.
   */
  noteAbsent(process: number, key: string, isNamed: boolean): void {
    const keys = this.#absent[process]!;
    keys.set(key, isNamed || keys.get(key) === true);
  }

  /**
   * Returns the keys of contexts that were read and that no state so far has, with the existing keys: those
   * of one machine if its actor was requested by name, of all machines if a function looks at one actor after
   * the other.
   */
  absent(): readonly Absent[] {
    return this.#absent.flatMap((keys, process) =>
      [...keys].flatMap(([key, isNamed]) => {
        const known = isNamed ? this.#contextKeys(this.#machines[process]!) : this.#contextKeys(null);
        return known.has(key) ? [] : [{ actor: this.#ids[process]!, key, known: [...known] }];
      }),
    );
  }

  /** The keys that the contexts of a machine have in some state; `null`: of all machines. */
  #contextKeys(machine: AnyStateMachine | null): ReadonlySet<string> {
    const keys = new Set<string>();
    for (const [process, of] of this.#machines.entries()) {
      if (machine !== null && of !== machine) continue;
      for (let local = 0; local < this.#locals.count(process); local++) {
        const { snapshot } = this.core(this.#locals.coreOf(process, local));
        if (snapshot !== DOWN) for (const key of Object.keys(this.snapshot(snapshot).context)) keys.add(key);
      }
    }
    return keys;
  }

  matches(snapshot: number, path: string): boolean {
    return this.#matches.get(snapshot, path, () => {
      this.refuseUnknown(path);
      return matchesState(path, this.stateValue(snapshot) as StateValue);
    });
  }

  /**
   * Throws `PREDICATE_INVALID` if no machine of the system has a state `path`; with `process`, if the machine
   * of that actor, requested by name, does not have it.
   */
  refuseUnknown(path: string, process: number | null = null): void {
    if (process !== null && !this.#ownPaths[process]!.has(path))
      throw noState(
        path,
        this.#ownPaths[process]!,
        `machine '${this.#machines[process]!.id}' of '${this.#ids[process]}' has none`,
      );
    if (!this.#statePaths.has(path)) throw noState(path, this.#statePaths, 'no machine has it');
  }

  answer(process: number, snapshot: number, event: { readonly type: string }): readonly NamedAction[] {
    return this.#answer(process, snapshot, event);
  }

  takes(process: number, snapshot: number, event: { readonly type: string }): boolean {
    return this.#takes(process, snapshot, event);
  }

  /** Records the effects of the start of an actor's first core, because no step leads there. */
  begins(process: number, core: number, effects: readonly NamedAction[]): void {
    this.#begun.set(`${process} ${core} 0`, passedBy(effects));
  }

  passes(process: number, core: number, inbox: number): ReadonlySet<string> {
    this.#inboxRead = true;
    const key = `${process} ${core} ${inbox}`;
    const known =
      this.#passes.get(key) ??
      new Set([
        ...(this.#begun.get(key) ?? []),
        ...[...this.foresee(process, core, inbox)].flatMap(passedBy),
      ]);
    this.#passes.set(key, known);
    return known;
  }

  inbox(id: number): readonly InFlight[] {
    this.#inboxRead = true;
    this.#inboxes[id] ??= Object.freeze(
      this.#locals.inbox(id).map((envelope) => {
        const { source, message } = this.#locals.envelope(envelope);
        return Object.freeze({
          source: source === ANYONE ? null : this.#ids[source]!,
          message: this.#locals.values.value(message) as unknown as Message,
        });
      }),
    );
    return this.#inboxes[id];
  }
}

/** Decodes only the values that are read: a predicate usually reads few. */
class DecodedActor implements ActorView {
  readonly id: SiteId;
  readonly up: boolean;
  protected readonly views: Views;
  protected readonly process: number;
  readonly #core: number;
  readonly #inbox: number;
  protected readonly snapshot: number;

  constructor(views: Views, process: number, core: number, inbox: number) {
    this.views = views;
    this.process = process;
    this.#core = core;
    this.#inbox = inbox;
    this.id = views.id(process);
    const { snapshot } = views.core(core);
    this.snapshot = snapshot;
    this.up = snapshot !== DOWN;
  }

  get fault(): string {
    // Absent unless the machine has failed, as the type of a view states.
    return (this.views.core(this.#core).fault ?? undefined) as string;
  }

  get value(): unknown {
    return this.up ? this.views.stateValue(this.snapshot) : null;
  }

  get context(): Readonly<Record<string, unknown>> {
    return this.up ? this.views.snapshot(this.snapshot).context : {};
  }

  get crashes(): number {
    return this.views.core(this.#core).spent.at(-1)!;
  }

  get inbox(): readonly InFlight[] {
    return this.views.inbox(this.#inbox);
  }

  get timers(): readonly string[] {
    const { timers, snapshot } = this.views.core(this.#core);
    const ids = timers.map(({ id }) => id);
    return snapshot === DOWN ? ids : [...ids, ...(this.views.snapshot(snapshot).armed ?? [])];
  }

  get done(): boolean {
    return this.up && this.views.snapshot(this.snapshot).done;
  }

  get children(): Readonly<Record<string, ChildView>> {
    return ((this.up && this.views.snapshot(this.snapshot).children) || {}) as unknown as Record<
      string,
      ChildView
    >;
  }

  in(path: string): boolean {
    if (this.up) return this.views.matches(this.snapshot, path);
    this.views.refuseUnknown(path);
    return false;
  }

  answer(event: { readonly type: string }): readonly NamedAction[] {
    return this.#isAwake ? this.views.answer(this.process, this.snapshot, event) : [];
  }

  takes(event: { readonly type: string }): boolean {
    return this.#isAwake && this.views.takes(this.process, this.snapshot, event);
  }

  passes(path: string): boolean {
    this.views.refuseUnknown(path);
    return this.views.passes(this.process, this.#core, this.#inbox).has(path);
  }

  get #isAwake(): boolean {
    return this.up && !this.views.snapshot(this.snapshot).done;
  }
}

/** The keys of an actor, as predicates see it. */
const actorKeys = [
  'id',
  'up',
  'crashes',
  'done',
  'value',
  'context',
  'in',
  'answer',
  'takes',
  'passes',
  'children',
  'inbox',
  'timers',
  'fault',
];
export const strictActor = refusingPrototype('an actor', actorKeys, { matches: 'write in(path)' });
Object.setPrototypeOf(DecodedActor.prototype, strictActor);

/**
 * An actor for a function of the system's author: reads of keys that its context does not have are recorded.
 */
class JudgedActor extends DecodedActor {
  override get context(): Readonly<Record<string, unknown>> {
    return this.up ? this.views.judgedContext(this.process, this.snapshot) : {};
  }
}

class NamedActor extends DecodedActor {
  override in(path: string): boolean {
    this.views.refuseUnknown(path, this.process);
    return super.in(path);
  }

  override passes(path: string): boolean {
    this.views.refuseUnknown(path, this.process);
    return super.passes(path);
  }
}

class ActorWithoutInbox extends JudgedActor {
  readonly whole: ActorView;
  readonly #what: string;

  constructor(views: Views, process: number, core: number, what: string) {
    super(views, process, core, 0);
    this.whole = views.of(process, core, 0);
    this.#what = what;
  }

  override get inbox(): never {
    throw new SystemError(
      'PREDICATE_INVALID',
      `${this.#what} looks at the inbox, which is not available at this point: it may look at the rest of the actor only.`,
    );
  }
}

const passedBy = (effects: readonly NamedAction[]) =>
  effects.filter(({ type }) => type === PASSED).map((effect) => effect['state'] as string);

/** The paths of all states below `node`: `client`, `client.idle`. */
function pathsIn({ states }: AnyStateNode): readonly string[] {
  return Object.values(states).flatMap((node: AnyStateNode) => [node.path.join('.'), ...pathsIn(node)]);
}

function noState(path: string, known: ReadonlySet<string>, who: string): SystemError {
  const last = String(path).replace(/^#/, '');
  const below = [...known].find((one) => last.endsWith(`.${one}`));
  const meant = below === undefined ? hint(last, [...known]) : `write '${below}', the path below the machine`;
  return new SystemError(
    'PREDICATE_INVALID',
    `A predicate asks for state '${String(path)}', and ${who}; ${meant}${meant.endsWith('?') ? '' : '.'}`,
  );
}

function deepFreeze(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
