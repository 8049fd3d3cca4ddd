import type {
  AnyActor,
  AnyActorLogic,
  AnyMachineSnapshot,
  AnyStateMachine,
  EventObject,
  StateValue,
} from 'xstate';
import { read, type Written, write } from './canonical.ts';
import { inside, type Live, type LiveTimer, logicOf, nameOf, processing } from './live.ts';
import { kindOf, type Outcomes } from './outcomes.ts';
import { machinesOf } from './places.ts';

/** One actor in written form. */
export interface Row {
  readonly id: string;
  readonly session: string;
  readonly parent: number | null;
  /** The key of its logic. */
  readonly logic: string;
  readonly src: string | null;
  readonly running: number;
  readonly systemId: string | null;
  readonly sync: boolean;
  /** In the order in which they are stopped. */
  readonly children: readonly (readonly [key: string, row: number])[];
  readonly snapshot: Written;
  /** Number of events sent by the actor, if that is bounded. */
  readonly sent?: number;
}

/** A tree of actors and its timers as plain data: what a step depends on. */
export interface Tree {
  readonly rows: readonly Row[];
  readonly timers: readonly {
    readonly source: number;
    readonly target: number;
    readonly event: Written;
    readonly id: string | null;
    readonly lost: boolean;
    /** Present if time is ordered. */
    readonly delay?: number | null;
    /** The numbers of the timers that fire before it. */
    readonly after?: readonly number[];
  }[];
}

/** Writes the live tree of a machine's actors as plain data, and fills a live one from it. */
export class WrittenTrees {
  readonly #outcomes: Outcomes;
  readonly #isOrdered: boolean;
  readonly #logics = new Map<string, AnyActorLogic>();
  readonly #keys = new Map<AnyActorLogic, string>();

  /** `isOrdered`: time is, so the order of the timers is written too. */
  constructor(machine: AnyStateMachine, outcomes: Outcomes, isOrdered: boolean) {
    this.#outcomes = outcomes;
    this.#isOrdered = isOrdered;
    for (const logic of machinesOf(machine)) this.#keyOf(logic);
  }

  logicOf({ logic }: Row): AnyActorLogic {
    return this.#logics.get(logic)!;
  }

  /** Breadth first: children, then referenced actors, then parents. */
  write(live: Live): Tree {
    const actors: AnyActor[] = [live.root];
    const rowOf = (actor: AnyActor) => {
      const known = actors.indexOf(actor);
      return known >= 0 ? known : actors.push(actor) - 1;
    };
    const rows: Row[] = [];
    const timers: [LiveTimer, Tree['timers'][number]][] = [];
    const rest = [...live.timers];
    for (let index = 0; ; index++) {
      while (index === actors.length && rest.length > 0) {
        const timer = rest.shift()!;
        const { source, target, event, id, lost, delay } = timer;
        // An event to a stopped actor has no effect.
        if (lost && inside(target)._processingStatus === processing.stopped) continue;
        const written = write(event, rowOf, 'the event of a timer');
        const own = { source: rowOf(source), target: rowOf(target), event: written, id, lost };
        timers.push([timer, this.#isOrdered ? { ...own, delay } : own]);
      }
      if (index === actors.length) for (const orphan of live.running()) rowOf(orphan);
      const actor = actors[index];
      if (actor === undefined) break;
      rows.push(this.#row(live, actor, rowOf));
    }
    const inOrder = timers
      .map(([timer, written]) => [JSON.stringify(written), timer, written] as const)
      .sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
    if (!this.#isOrdered) return { rows, timers: inOrder.map(([, , written]) => written) };
    const after = (timer: LiveTimer) =>
      inOrder.flatMap(([, other], index) => (timer.after.has(other) ? [index] : []));
    return { rows, timers: inOrder.map(([, timer, written]) => ({ ...written, after: after(timer) })) };
  }

  #row(live: Live, actor: AnyActor, rowOf: (actor: AnyActor) => number): Row {
    const {
      id,
      sessionId: session,
      src,
      systemId,
      _parent,
      _syncSnapshot,
      _processingStatus,
    } = inside(actor);
    const snapshot = inside(actor)._snapshot as Partial<AnyMachineSnapshot> & { _subscription?: unknown };
    const children = Object.entries(snapshot.children ?? {}).map(
      ([key, child]) => [key, rowOf(child as AnyActor)] as const,
    );
    const where = `actor '${id}'`;
    const {
      _subscription,
      machine,
      _nodes: nodes,
      historyValue,
      value,
      ...held
    } = snapshot as AnyMachineSnapshot & {
      _subscription?: unknown;
    };
    const { status, output, error, context } = held;
    const plain = {
      status,
      output,
      error,
      context,
      ...('input' in held && { input: held['input'] as unknown }),
    };
    const written = write(plain, rowOf, where) as object;
    const { times } = this.#outcomes[nameOf(actor)] ?? {};
    const history = Object.entries((historyValue ?? {}) as Record<string, readonly { id: string }[]>);
    return {
      id,
      session,
      parent: _parent ? rowOf(_parent as AnyActor) : null,
      logic: this.#keyOfActor(actor),
      src: typeof src === 'string' ? src : null,
      running: _processingStatus,
      systemId: systemId ?? null,
      sync: Boolean(_syncSnapshot),
      children,
      ...(times !== undefined && { sent: live.sent.get(actor) ?? 0 }),
      snapshot: machine
        ? {
            ...written,
            value: value as Written,
            nodes: nodes.map((node: { id: string }) => node.id),
            history: Object.fromEntries(
              history.map(([key, remembered]) => [key, remembered.map((node) => node.id)]),
            ),
          }
        : (written as Written),
    };
  }

  /** Returns the actors in the order of the rows. */
  fill(live: Live, { rows, timers }: Tree): readonly AnyActor[] {
    const actors: AnyActor[] = [];
    const build = (index: number): AnyActor => {
      if (actors[index]) return actors[index];
      const { id, session, parent, logic, src, systemId, sync } = rows[index]!;
      const own = this.#logics.get(logic)!;
      const actor = live.fill(own, session, {
        ...(id !== session && { id }),
        ...(parent !== null && { parent: build(parent) }),
        ...(src !== null && { src }),
        ...(sync && { syncSnapshot: true }),
      });
      if (parent === null) live.root = actor;
      actors[index] = actor;
      if (systemId !== null) (inside(actor) as { systemId: string | undefined }).systemId = systemId;
      inside(actor).logic = live.inert(own, actor);
      return actor;
    };
    for (const index of rows.keys()) build(index);
    for (const [index, row] of rows.entries()) {
      const actor = actors[index]!;
      inside(actor)._snapshot = this.#snapshotOf(row, actors);
      inside(actor)._processingStatus = row.running;
      if (row.sent !== undefined) live.sent.set(actor, row.sent);
      if (row.running === processing.running) live.resume(actor);
    }
    live.timers = timers.map(({ source, target, event, id, lost, delay = null }) => ({
      source: actors[source]!,
      target: actors[target]!,
      event: read(event, (row) => actors[row]) as EventObject,
      id,
      lost,
      delay,
      after: new Set<LiveTimer>(),
    }));
    for (const [index, { after = [] }] of timers.entries())
      for (const before of after) live.timers[index]!.after.add(live.timers[before]!);
    return actors;
  }

  #snapshotOf({ logic, snapshot, children }: Row, actors: readonly AnyActor[]): unknown {
    const { value, nodes, history, ...rest } = snapshot as Record<string, Written>;
    const held = { ...(read(rest, (row) => actors[row]) as Record<string, unknown>) };
    const machine = this.#logics.get(logic) as AnyStateMachine;
    if (nodes === undefined) return held;
    const nodeOf = (id: string) => machine.getStateNodeById(`#${id}`);
    const resolved = machine.resolveState({
      value: value as StateValue,
      context: held['context'] as Record<string, unknown>,
      historyValue: Object.fromEntries(
        Object.entries(history as Record<string, string[]>).map(([key, ids]) => [key, ids.map(nodeOf)]),
      ),
    });
    return {
      ...resolved,
      ...held,
      value,
      _nodes: (nodes as string[]).map(nodeOf),
      children: Object.fromEntries(children.map(([key, row]) => [key, actors[row]])),
    };
  }

  /** Inert logic behaves as declared under its name, whatever function it was made with. */
  #keyOfActor(actor: AnyActor): string {
    const [logic, name] = [logicOf(actor), nameOf(actor)];
    const kind = kindOf(logic, name);
    if (kind === 'machine' || kind === 'transition') return this.#keyOf(logic);
    const key = `${kind} ${name}`;
    if (!this.#logics.has(key)) this.#logics.set(key, logic);
    return key;
  }

  #keyOf(logic: AnyActorLogic): string {
    const known = this.#keys.get(logic);
    if (known !== undefined) return known;
    const key = String(this.#keys.size);
    this.#keys.set(logic, key);
    this.#logics.set(key, logic);
    return key;
  }
}

/** The keys under which an actor is a child, from the root down: `order/payment`. */
export function pathOf(rows: readonly Row[], row: number): string {
  const { parent, id } = rows[row]!;
  if (parent === null) return '';
  const [key] = rows[parent]!.children.find(([, child]) => child === row) ?? [id];
  const above = pathOf(rows, parent);
  return above === '' ? key : `${above}/${key}`;
}
