import type { NamedAction, SiteId } from '../../machines/actor.ts';
import { SystemError } from './errors.ts';
import { isOfAny } from './strict.ts';
import type { ActorView, InFlight, StateView } from './system.ts';
import { strictActor, type Views } from './view.ts';

/** One value that a predicate read. */
interface Read {
  /** The name of the value. */
  readonly key: string;
  readonly process: number;
  /** Returns the value in a local as a number. Different values have different numbers. */
  numberIn(local: number): number;
}

/** A node reads a value and branches on it. A boolean is an answer. */
interface Node {
  readonly read: Read;
  readonly byValue: Map<number, Next>;
  /** The results of `byValue`, by local. */
  readonly byLocal: (Next | undefined)[];
}

type Next = Node | boolean;

/**
 * A predicate over whole states as a decision tree. The first time, the function runs and every value that it reads is noted;
 * a state in which the same values are read again is answered by table look-ups. A function that reads the same values
 * and answers otherwise is refused (`PREDICATE_INVALID`).
 */
export class ReadTree {
  readonly #views: Views;
  readonly #holds: (state: StateView) => boolean;
  #root: Next | undefined;
  #observed: ArrayLike<number> = [];
  #reads: Read[] = [];
  readonly #seen = new Set<string>();
  readonly #state: StateView;

  constructor(views: Views, ids: readonly SiteId[], holds: (state: StateView) => boolean) {
    this.#views = views;
    this.#holds = holds;
    const tracked = (isNamed: boolean) =>
      ids.map(
        (id, process) => new TrackedActor(id, process, isNamed, (read) => this.#note(read), this.#actor),
      );
    const actors = tracked(false);
    const named = tracked(true);
    const note = () => this.#note(historyRead(views));
    const valueNow = () => views.history(this.#observed);
    this.#state = {
      actors,
      get history() {
        note();
        return valueNow();
      },
      actor: (id) => named[ids.indexOf(id)] ?? views.state(this.#observed).actor(id),
    };
  }

  /** `observed`: the locals of the state. */
  judge(observed: ArrayLike<number>): boolean {
    let at = this.#root;
    while (typeof at === 'object') {
      const node: Node = at;
      const local = observed[node.read.process]!;
      at = node.byLocal[local] ?? this.#follow(node, local);
    }
    return at ?? this.#learn(observed);
  }

  #follow({ read, byLocal, byValue }: Node, local: number): Next | undefined {
    const next = byValue.get(read.numberIn(local));
    if (next !== undefined) byLocal[local] = next;
    return next;
  }

  #learn(observed: ArrayLike<number>): boolean {
    this.#observed = observed;
    this.#reads = [];
    this.#seen.clear();
    const answer = this.#holds(this.#state);
    let place: (next: Next) => void = (next) => {
      this.#root = next;
    };
    let at = this.#root;
    for (const read of this.#reads) {
      if (at === undefined) {
        at = { read, byValue: new Map(), byLocal: [] };
        place(at);
      }
      if (typeof at === 'boolean' || at.read.key !== read.key) throw impure();
      const { byValue }: Node = at;
      const value = read.numberIn(observed[read.process]!);
      place = (next) => {
        byValue.set(value, next);
      };
      at = byValue.get(value);
    }
    if (at === undefined) place(answer);
    else if (at !== answer) throw impure();
    return answer;
  }

  #note(read: Read): void {
    if (this.#seen.has(read.key)) return;
    this.#seen.add(read.key);
    this.#reads.push(read);
  }

  /** Returns the actor of a process in the state at hand. */
  readonly #actor = (process: number): Looked => ({
    view: this.#views.actor(process, this.#observed[process]!),
    views: this.#views,
  });
}

interface Looked {
  readonly view: ActorView;
  readonly views: Views;
}

function historyRead(views: Views): Read {
  const process = views.historyProcess;
  return { key: 'history', process, numberIn: (local) => local };
}

/** An actor that records the values that are read. */
class TrackedActor implements ActorView {
  readonly id: SiteId;
  readonly #process: number;
  /** The actor was requested by name: only states of its own machine may be requested. */
  readonly #isNamed: boolean;
  readonly #note: (read: Read) => void;
  readonly #look: (process: number) => Looked;

  constructor(
    id: SiteId,
    process: number,
    isNamed: boolean,
    note: (read: Read) => void,
    look: (process: number) => Looked,
  ) {
    this.id = id;
    this.#isNamed = isNamed;
    this.#process = process;
    this.#note = note;
    this.#look = look;
  }

  get up(): boolean {
    return this.#ofCore('up', ({ up }) => up);
  }

  get value(): unknown {
    return this.#ofCore('value', ({ value }) => value);
  }

  get crashes(): number {
    return this.#ofCore('crashes', ({ crashes }) => crashes!);
  }

  get timers(): readonly string[] {
    return this.#ofCore('timers', ({ timers }) => timers);
  }

  get fault(): string {
    // Absent unless the machine has failed, as the type of a view states.
    return this.#ofCore('fault', ({ fault }) => fault)!;
  }

  get done(): boolean {
    return this.#ofCore('done', ({ done }) => done!);
  }

  get children(): NonNullable<ActorView['children']> {
    return this.#ofCore('children', ({ children }) => children!);
  }

  in(path: string): boolean {
    this.#look(this.#process).views.refuseUnknown(path, this.#isNamed ? this.#process : null);
    return this.#ofCore(`in ${path}`, (actor) => actor.in(path));
  }

  takes(event: { readonly type: string }): boolean {
    return this.#ofCore(`takes ${JSON.stringify(event)}`, (actor) => actor.takes!(event));
  }

  /** Looks ahead, at steps that depend on the inbox. */
  passes(path: string): boolean {
    this.#look(this.#process).views.refuseUnknown(path, this.#isNamed ? this.#process : null);
    const process = this.#process;
    const { view, views } = this.#look(process);
    const numberIn = (local: number) => views.numberOf(views.actor(process, local).passes!(path));
    this.#note({ key: `${process} passes ${path}`, process, numberIn });
    return view.passes!(path);
  }

  answer(event: { readonly type: string }): readonly NamedAction[] {
    return this.#ofCore(`answer ${JSON.stringify(event)}`, (actor) => actor.answer!(event));
  }

  /** Reads of the context are recorded key by key. */
  get context(): Readonly<Record<string, unknown>> {
    const { view, views } = this.#look(this.#process);
    const absent = (context: object, key: string) => {
      if (view.up && !Object.hasOwn(context, key) && !isOfAny(key))
        views.noteAbsent(this.#process, key, this.#isNamed);
    };
    const whole = () => this.#ofCore('context', ({ context }) => context);
    return new Proxy(view.context, {
      get: (context, key) => {
        if (typeof key === 'symbol') return Reflect.get(context, key);
        absent(context, key);
        return this.#ofCore(`context.${key}`, (actor) => actor.context[key]);
      },
      has: (_, key) => Reflect.has(whole(), key),
      ownKeys: () => Reflect.ownKeys(whole()),
      getOwnPropertyDescriptor: (_, key) => Reflect.getOwnPropertyDescriptor(whole(), key),
    });
  }

  get inbox(): readonly InFlight[] {
    const process = this.#process;
    const { view, views } = this.#look(process);
    this.#note({ key: `${process} inbox`, process, numberIn: (local) => views.inboxOf(process, local) });
    return view.inbox;
  }

  /** Records a value that does not depend on the inbox. */
  #ofCore<Value>(name: string, read: (actor: ActorView) => Value): Value {
    const process = this.#process;
    const { view, views } = this.#look(process);
    const numberIn = (local: number) => views.numberOf(read(views.actor(process, local)));
    this.#note({ key: `${process} ${name}`, process, numberIn });
    return read(view);
  }
}

Object.setPrototypeOf(TrackedActor.prototype, strictActor);

const impure = (): SystemError =>
  new SystemError(
    'PREDICATE_INVALID',
    'A predicate answers in two ways where it reads the same values. It may look at the state only, and remember nothing.',
  );
