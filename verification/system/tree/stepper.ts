import type {
  AnyActor,
  AnyMachineSnapshot,
  AnyStateMachine,
  AnyTransitionDefinition,
  EventObject,
} from 'xstate';
import { reasonOf } from '../../../machines/errors.ts';
import { saidText, steady } from '../callbacks.ts';
import { SystemError } from '../errors.ts';
import type { Interner, Json } from '../interner.ts';
import { Memo } from '../memo.ts';
import { isNoted } from '../refusals.ts';
import { misshapen } from '../shape.ts';
import type { InternedSnapshot, Stepped } from '../stepper.ts';
import { holdsMore, read, shown, type Written, write } from './canonical.ts';
import { type Chance, Draws } from './chance.ts';
import { hasKnownDelay } from './delays.ts';
import { apart, type Failed, inside, Live, nameOf, PASSED, processing, type Surroundings } from './live.ts';
import { kindOf, type Outcomes, refuseUndeclared, type Values } from './outcomes.ts';
import { machinesOf, nodesOf, placesOf } from './places.ts';
import { pathOf, type Tree, WrittenTrees } from './written-tree.ts';

/** An event that may come from within: a timer, or an outcome of invoked logic. */
export interface Pending {
  readonly kind: 'timer' | 'environment';
  /** The event as traces show it. */
  readonly event: { readonly type: string };
  readonly timer: string;
  /** The interned event, which only a tree stepper can interpret. */
  readonly internal: number;
}

/** One of the ways in which a step can go, depending on chance. */
export interface Way {
  /** Interned. */
  readonly event: number;
  /** The values that chance gave, in order. */
  readonly drawn: readonly unknown[];
}

/** The options of a machine beside its definition; each key is explained at `ActorSpec`. */
export interface TreeOptions {
  readonly outcomes: Outcomes;
  readonly time?: 'any' | 'ordered' | undefined;
  readonly chance?: Chance | undefined;
}

const internalType = 'baton.pending';
const timerField = 'timer';

/** The steps of a machine and all actors below it, as one process. Snapshots are whole trees, interned. */
export class TreeStepper {
  readonly machine: AnyStateMachine;
  readonly #values: Interner;
  readonly #outcomes: Outcomes;
  readonly #written: WrittenTrees;
  readonly #chance: Chance;
  readonly #given: Surroundings;
  readonly #ways = new Memo<number, readonly Way[]>();
  readonly #steps = new Memo<number, Stepped>();
  readonly #pending: (readonly Pending[] | undefined)[] = [];
  readonly #trees: (Tree | undefined)[] = [];
  /** For each step, the transitions that actors took in it. */
  readonly #transitions = new WeakMap<Stepped, ReadonlySet<AnyTransitionDefinition>>();
  readonly #taken = new Set<AnyTransitionDefinition>();
  readonly #asked = new Map<unknown, (input: unknown) => readonly unknown[]>();

  /** Throws `OUTCOMES_MISSING`. */
  constructor(machine: AnyStateMachine, values: Interner, { outcomes, time, chance = {} }: TreeOptions) {
    refuseBroken(machine);
    refuseUndeclared(machine, outcomes);
    this.machine = machine;
    this.#values = values;
    this.#outcomes = outcomes;
    const isOrdered = time === 'ordered';
    this.#written = new WrittenTrees(machine, outcomes, isOrdered);
    this.#chance = chance;
    const isKnown: Surroundings['isKnown'] = isOrdered ? hasKnownDelay : () => false;
    this.#given = { outcomes, placeOf: placesOf(machine), isKnown };
  }

  start(input: unknown): Stepped {
    const act = (live: Live) => live.start(this.machine, input);
    const where = () => 'as it starts';
    const [first, ...others] = Draws.all(this.#chance, (draws) => this.#step(act, where, draws));
    if (others.some((other) => JSON.stringify(other) !== JSON.stringify(first))) {
      throw new SystemError(
        'MACHINE_IMPURE',
        `machine '${this.machine.id}' starts in as many ways as chance gives values: give it what chance decides as its input.`,
      );
    }
    return first!;
  }

  take(snapshot: number, event: number): Stepped {
    return this.#steps.get(snapshot, event, () => {
      const { of, script } = this.#internalOf(event);
      return this.#take(snapshot, of ?? event, new Draws(this.#chance, script));
    });
  }

  /** Interns an event from outside, which may hold what a context may. `where` names it in the error, `VALUE_REFUSED`. */
  intern(event: object, where: string): number {
    const written = write(event, () => 0, where);
    if (holdsMore(written)) return this.#internal({ outside: written });
    return this.#values.intern(
      read(written, () => undefined),
      where,
    );
  }

  /** An event from outside in its written form, which is the event itself where it is JSON. */
  outsideOf(event: number): Json {
    const { outside } = this.#internalOf(event);
    return outside === undefined ? this.#values.value(event) : outside;
  }

  /** Reports whether a transition of an actor takes the event, or the event fails the machine. */
  enables(snapshot: number, event: number): boolean {
    const step = this.take(snapshot, event);
    return 'fault' in step || this.#transitions.get(step)!.size > 0;
  }

  /** The transitions that actors take in the step, in order. */
  transitions(snapshot: number, event: number): readonly AnyTransitionDefinition[] {
    return [...this.#transitions.get(this.take(snapshot, event))!];
  }

  /** The possible ways of an event; chance takes one. */
  ways(snapshot: number, event: number): readonly Way[] {
    if (Object.keys(this.#chance).length === 0) return [{ event, drawn: [] }];
    return this.#ways.get(snapshot, event, () => {
      const scripts: Draws[] = [];
      Draws.all(this.#chance, (draws) => {
        scripts.push(draws);
        return this.#take(snapshot, event, draws);
      });
      return scripts.map(({ script, drawn }) =>
        script.length === 0
          ? { event, drawn }
          : { event: this.#internal({ of: event, script: [...script] }), drawn: [...drawn] },
      );
    });
  }

  #take(snapshot: number, event: number, draws: Draws): Stepped {
    const act = (live: Live) => {
      const actors = this.#written.fill(live, this.#tree(snapshot));
      live.begin();
      const taken = this.#values.value(event) as unknown as EventObject & Internal;
      if (taken.type !== internalType) live.receive(taken);
      else if (taken.outside !== undefined) live.receive(read(taken.outside, () => undefined) as EventObject);
      else if (timerField in taken) live.fire(taken.timer!);
      else {
        const source = actors[taken.row!]!;
        const target = taken.toParent ? inside(source)._parent! : source;
        const told = read(taken.event!, (row) => actors[row]) as EventObject;
        const sent = live.sent.get(source);
        if (sent !== undefined && taken.isCounted) live.sent.set(source, sent + 1);
        live.relay(source, target, told);
      }
    };
    return this.#step(act, () => this.#place(snapshot, event), draws);
  }

  /** The place of a step, as errors show it. */
  #place(snapshot: number, event: number): string {
    const { value } = this.#values.value(snapshot) as unknown as InternedSnapshot;
    const {
      type,
      timer,
      outside,
      event: told = outside,
    } = this.#values.value(event) as unknown as EventObject & Internal;
    const name =
      type !== internalType
        ? type
        : timer !== undefined
          ? this.#timerNames(this.#tree(snapshot))[timer]
          : (told as { readonly type?: string }).type;
    return `on ${name} in state ${value}`;
  }

  #internalOf(event: number): Internal {
    const taken = this.#values.value(event) as unknown as EventObject & Internal;
    return taken.type === internalType ? taken : {};
  }

  taken(): ReadonlySet<AnyTransitionDefinition> {
    return this.#taken;
  }

  /** Every actor below the root that can be reached through children, by its path, as `show` tells it. */
  state(snapshot: number, show: (held: unknown) => unknown): Readonly<Record<string, unknown>> {
    const live = new Live(this.#given);
    const actors = this.#written.fill(live, this.#tree(snapshot));
    const all: Record<string, unknown> = {};
    const visit = (row: number) => {
      const {
        status,
        value = null,
        context,
        output,
      } = actors[row]!.getSnapshot() as Partial<AnyMachineSnapshot>;
      all[this.#path(snapshot, row)] = show({ status, value, context, output });
      for (const [, child] of this.#tree(snapshot).rows[row]!.children) visit(child);
    };
    visit(0);
    return all;
  }

  /** Returns the events that may come from within in this snapshot. */
  pending(snapshot: number): readonly Pending[] {
    this.#pending[snapshot] ??= [...this.#timersOf(snapshot), ...this.#outcomesOf(snapshot)];
    return this.#pending[snapshot];
  }

  #timersOf(snapshot: number): readonly Pending[] {
    const tree = this.#tree(snapshot);
    const texts = tree.timers.map((timer) => JSON.stringify(timer));
    return this.#timerNames(tree).flatMap((timer, index) => {
      if (texts.indexOf(texts[index]!) < index || tree.timers[index]!.after?.length) return [];
      return [
        { kind: 'timer' as const, event: { type: timer }, timer, internal: this.#internal({ timer: index }) },
      ];
    });
  }

  #valuesOf(
    name: string,
    values: (input: unknown) => readonly unknown[],
    input: unknown,
  ): readonly unknown[] {
    const what = `The outcomes of '${name}'`;
    let ask = this.#asked.get(values);
    if (ask === undefined) {
      ask = steady(what, (given) => `     the input ${JSON.stringify(given)}`, values);
      this.#asked.set(values, ask);
    }
    const given: unknown = ask(input);
    if (Array.isArray(given)) return given;
    throw misshapen(what, `they must be given as an array, and are ${saidText(given)}`);
  }

  #outcomesOf(snapshot: number): readonly Pending[] {
    const { rows } = this.#tree(snapshot);
    return rows.flatMap((row, index) => {
      const logic = this.#written.logicOf(row);
      const name = nameOf({ src: row.src, id: row.id } as unknown as AnyActor);
      const kind = kindOf(logic, name);
      const { status, input } = row.snapshot as { readonly status: string; readonly input?: Written };
      if (row.running !== processing.running || status !== 'active') return [];
      if (kind === 'machine' || kind === 'transition') return [];
      const { done = [], error = [], times, ...more } = this.#outcomes[name]!;
      const isSpent = times !== undefined && row.sent! >= times;
      const { next = [], sends = [] } = isSpent ? {} : more;
      const all = (values: Values): readonly unknown[] =>
        typeof values === 'function'
          ? this.#valuesOf(
              name,
              values,
              read(input ?? null, () => undefined),
            )
          : values;
      const actor = this.#path(snapshot, index);
      const own = (type: string, shownType: string, values: readonly unknown[], key: string) =>
        values.map((value): Pending => {
          const data = write(value, () => 0, `an outcome of '${name}'`);
          const event = { type, data };
          const visible = shown(data, () => '');
          return {
            kind: 'environment',
            event: { type: shownType, actor, [key]: visible } as { type: string },
            timer: '',
            internal: this.#internal({
              row: index,
              event,
              ...(type === 'xstate.observable.next' && { isCounted: true }),
            }),
          };
        });
      const sent = sends.map(
        (event): Pending => ({
          kind: 'environment',
          event: { ...event, actor } as { type: string },
          timer: '',
          internal: this.#internal({
            row: index,
            toParent: true,
            isCounted: true,
            event: write(event, () => 0, `an event of '${name}'`),
          }),
        }),
      );
      if (kind === 'promise') {
        return [
          ...own('xstate.promise.resolve', `xstate.done.actor.${row.id}`, all(done), 'output'),
          ...own('xstate.promise.reject', `xstate.error.actor.${row.id}`, all(error), 'error'),
        ];
      }
      if (kind === 'callback') return sent;
      return [
        ...own(
          'xstate.observable.next',
          `xstate.snapshot.${row.id}`,
          kind === 'observable' ? all(next) : [],
          'value',
        ),
        ...sent,
        ...(all(done).length === 0
          ? []
          : own('xstate.observable.complete', `xstate.done.actor.${row.id}`, [undefined], 'output')),
        ...own('xstate.observable.error', `xstate.error.actor.${row.id}`, all(error), 'error'),
      ];
    });
  }

  #timerNames({ rows, timers }: Tree): readonly string[] {
    return timers.map(({ source, id, event }) => {
      const name = id ?? (event as { type: string }).type;
      const path = pathOf(rows, source);
      return path === '' ? name : `${name} of ${path}`;
    });
  }

  #internal(internal: Internal): number {
    return this.#values.intern({ type: internalType, ...internal }, 'a pending event');
  }

  /** The keys under which it is a child, from the root down. */
  #path(snapshot: number, row: number): string {
    return pathOf(this.#tree(snapshot).rows, row);
  }

  #tree(snapshot: number): Tree {
    this.#trees[snapshot] ??= JSON.parse(
      (this.#values.value(snapshot) as unknown as InternedSnapshot).tree!,
    ) as Tree;
    return this.#trees[snapshot];
  }

  /** Makes the step twice: a step that depends on more than the tree and the event comes out differently. */
  #step(act: (live: Live) => void, where: () => string, draws: Draws): Stepped {
    const who = `machine '${this.machine.id}'`;
    const lives = [new Live(this.#given), new Live(this.#given)] as const;
    const [once, again] = lives.map((live) => {
      const thrown = draws.during(who, where, () => apart(() => thrownBy(() => act(live))));
      return this.#outcome(live, thrown);
    }) as [Stepped, Stepped];
    if (JSON.stringify(once) !== JSON.stringify(again)) {
      const error = new SystemError(
        'MACHINE_IMPURE',
        `${who} does not answer the same event in the same way ${where()}: a step depends on something outside of its actors.`,
      );
      if (!isNoted(error)) throw error;
    }
    this.#transitions.set(once, lives[0].taken);
    return once;
  }

  #outcome(live: Live, thrown: Failed | null): Stepped {
    for (const transition of live.taken) this.#taken.add(transition);
    const failed = thrown ?? live.failed();
    if (failed !== null) {
      if (failed.error instanceof SystemError) throw failed.error;
      return { fault: reasonOf(failed.error) };
    }
    const passed = live.passed().map((state) => ({ type: PASSED, state }));
    return { snapshot: this.#intern(live), effects: [...live.effects, ...passed], timers: [] };
  }

  #intern(live: Live): number {
    const tree = this.#written.write(live);
    const { value, status } = live.root.getSnapshot() as AnyMachineSnapshot;
    const show = (written: Written) => shown(written, (row) => pathOf(tree.rows, row)) as Json;
    const children = tree.rows.flatMap((row, index) => {
      if (index === 0) return [];
      const { status: is, value: at, context: of, output } = row.snapshot as Record<string, Written>;
      const seen = {
        status: is!,
        value: at ?? null,
        context: show(of ?? null),
        output: show(output ?? null),
      };
      return [[pathOf(tree.rows, index), seen] as const];
    });
    const interned: InternedSnapshot = {
      value: JSON.stringify(value),
      history: '{}',
      context: show((tree.rows[0]!.snapshot as Record<string, Written>)['context']!) as Record<string, Json>,
      done: status !== 'active',
      armed: this.#timerNames(tree),
      children: Object.fromEntries(children) as Record<string, Json>,
      tree: JSON.stringify(tree),
    };
    return this.#values.intern(interned, `the snapshot of machine '${this.machine.id}'`);
  }
}

/** XState's own errors of a definition have no code, and come at the first use of the broken part. */
function refuseBroken(machine: AnyStateMachine): void {
  try {
    for (const each of machinesOf(machine))
      for (const node of nodesOf(each)) if (node.type === 'compound') void node.initial;
  } catch (error) {
    throw new SystemError('MACHINE_REFUSED', `machine '${machine.id}': ${reasonOf(error)}`);
  }
}

function thrownBy(step: () => void): Failed | null {
  try {
    step();
    return null;
  } catch (error) {
    return { error };
  }
}

interface Internal {
  readonly timer?: number;
  readonly row?: number;
  readonly toParent?: boolean;
  /** True if the event is one of those whose number is bounded. */
  readonly isCounted?: boolean;
  readonly event?: Written;
  /** The event, if it comes from outside and holds more than JSON. */
  readonly outside?: Written;
  /** The number of the original event, if chance gives the values with these numbers. */
  readonly of?: number;
  readonly script?: readonly number[];
}
