import type { Edge } from '../checker/model.ts';
import { SystemError } from './errors.ts';
import type { ValueEdge } from './interner.ts';
import { ANYONE, type Core, DOWN, type Locals, NOTHING } from './locals.ts';
import { Memo } from './memo.ts';
import { Pairs } from './pairs.ts';
import { byIdAndEvent } from './react.ts';
import type { World } from './world.ts';

/** Renames interchangeable actors to one another in interned values. Every result is remembered. */
export class Renamer {
  readonly #world: World;
  readonly #locals: Locals;
  readonly #labels = new Map<string, number>();
  /** A label of a message and its place in the queue, as a label: even numbers; those of texts are odd. */
  readonly #places = new Pairs();
  readonly #ofCores: (Named | undefined)[] = [];
  readonly #ofEnvelopes: (Named | undefined)[] = [];
  readonly #cores = new Memo<string | number, number>();
  readonly #envelopes = new Memo<string | number, number>();

  constructor(world: World) {
    this.#world = world;
    this.#locals = world.locals;
  }

  local(process: number, local: number, to: readonly number[]): number {
    const core = this.core(process, this.#locals.coreOf(process, local), to);
    const inbox = this.#locals.inboxOf(process, local);
    return this.#locals.intern(to[process]!, core, this.inbox(inbox, to));
  }

  core(process: number, id: number, to: readonly number[]): number {
    return this.#cores.get(id, keyOf(process, this.#ofCore(id).refs, to), () => {
      const core = this.#locals.core(id);
      const { values } = this.#locals;
      const renamed: Core = {
        ...core,
        snapshot: core.snapshot === DOWN ? DOWN : values.rename(core.snapshot, to),
        disk: core.disk === NOTHING ? NOTHING : values.rename(core.disk, to),
        timers: core.timers
          .map((timer) => ({ ...timer, event: values.rename(timer.event, to) }))
          .sort(byIdAndEvent),
      };
      return this.#world.merge(to[process]!, this.#locals.internCore(renamed));
    });
  }

  envelope(id: number, to: readonly number[]): number {
    return this.#envelopes.get(id, keyOf(0, this.#ofEnvelope(id).refs, to), () => {
      const { source, message } = this.#locals.envelope(id);
      const renamed = this.#locals.values.rename(message, to);
      return this.#locals.internEnvelope(source === ANYONE ? ANYONE : to[source]!, renamed);
    });
  }

  edges(process: number, local: number): readonly Edge[] {
    const edges = [...this.#ofCore(this.#locals.coreOf(process, local)).edges];
    let [source, place] = [ANYONE, 0];
    for (const envelope of this.#locals.inbox(this.#locals.inboxOf(process, local))) {
      const from = this.#locals.sourceOf(envelope);
      place = this.#world.system.network.order === 'fifo' && from === source ? place + 1 : 0;
      source = from;
      for (const { label, refs } of this.#ofEnvelope(envelope).edges) {
        edges.push({ label: this.#places.intern(label, place) * 2, refs });
      }
    }
    return edges;
  }

  inbox(id: number, to: readonly number[]): number {
    if (id === 0) return 0;
    const envelopes = this.#locals.inbox(id).map((envelope) => this.envelope(envelope, to));
    // A stable sort keeps the order within each queue; a bag is sorted by envelope.
    if (this.#world.system.network.order === 'fifo') {
      envelopes.sort((left, right) => this.#locals.sourceOf(left) - this.#locals.sourceOf(right));
    } else envelopes.sort((left, right) => left - right);
    return this.#locals.internInbox(envelopes);
  }

  #ofCore(id: number): Named {
    const known = this.#ofCores[id];
    if (known !== undefined) return known;
    const { snapshot, timers, left, disk, spent, fault } = this.#locals.core(id);
    const { values } = this.#locals;
    const edges: Edge[] = [
      { label: this.#label(`${snapshot === DOWN} ${left} ${disk === NOTHING} ${spent} ${fault}`), refs: [] },
      ...(snapshot === DOWN ? [] : this.#labelled('snapshot', values.edges(snapshot))),
      ...(disk === NOTHING ? [] : this.#labelled('disk', values.edges(disk))),
      ...timers.flatMap((timer) =>
        this.#labelled(
          `timer ${JSON.stringify(timer.id)} ${timer.standing}`,
          inOne(values.edges(timer.event), 'The event of a timer'),
        ),
      ),
    ];
    this.#ofCores[id] = named(edges);
    return this.#ofCores[id];
  }

  #ofEnvelope(id: number): Named {
    const known = this.#ofEnvelopes[id];
    if (known !== undefined) return known;
    const { source, message } = this.#locals.envelope(id);
    const of = this.#locals.values.edges(message);
    const whole = this.#world.system.network.order === 'fifo' ? of : inOne(of, 'A message in a bag');
    const isNamed = source !== ANYONE && this.#world.movable[source]!;
    const edges = this.#labelled(isNamed ? 'message' : `message ${source}`, whole).map(({ label, refs }) => ({
      label,
      refs: isNamed ? [source, ...refs] : refs,
    }));
    this.#ofEnvelopes[id] = named(edges);
    return this.#ofEnvelopes[id];
  }

  #labelled(kind: string, edges: readonly ValueEdge[]): Edge[] {
    return edges.map(({ label, refs }) => ({ label: this.#label(`${kind} ${label}`), refs }));
  }

  #label(text: string): number {
    let label = this.#labels.get(text);
    if (label === undefined) {
      label = this.#labels.size * 2 + 1;
      this.#labels.set(text, label);
    }
    return label;
  }
}

/** Several edges of one value stay together only where something else ties them. */
function inOne(edges: readonly ValueEdge[], what: string): readonly ValueEdge[] {
  if (edges.length <= 1) return edges;
  throw new SystemError(
    'SYMMETRY_BROKEN',
    `${what} has an object keyed by ids of interchangeable actors (${edges[1]!.label}). Use a list of pairs instead.`,
  );
}

interface Named {
  readonly edges: readonly Edge[];
  /** All processes that the edges name, once each. */
  readonly refs: readonly number[];
}

function named(edges: readonly Edge[]): Named {
  return { edges, refs: [...new Set(edges.flatMap(({ refs }) => refs))] };
}

/**
 * The images of a process and of the processes named there, as one number if they fit into one: 32 processes,
 * 9 refs.
 */
function keyOf(process: number, refs: readonly number[], to: readonly number[]): string | number {
  if (to.length > 32 || refs.length > 9) return `${to[process]} ${refs.map((ref) => to[ref])}`;
  let key = to[process]!;
  for (const ref of refs) key = key * 32 + to[ref]!;
  return key;
}
