import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { matchesState, type StateValue } from 'xstate';
import type { Message, NamedAction, SiteId } from '../../../machines/actor.ts';
import { start, take } from '../../../statechart/xstate.ts';
import type { ActorView, Bound, Property, StatePredicate, System } from '../system.ts';

/**
 * A second implementation of `System`: it works on XState's snapshots, one world at a time, interns nothing
 * and shares nothing with the engine. For machines of flat states whose timers are armed exactly while their
 * state is active.
 */
export interface World {
  readonly actors: Readonly<Record<SiteId, Actor>>;
  /** The messages by target, then by source (`*` where it is not kept). */
  readonly links: Readonly<Record<SiteId, Readonly<Record<SiteId, readonly Message[]>>>>;
  readonly spent: { readonly loss: number; readonly duplication: number; readonly breaks: number };
}

interface Actor {
  /** `null` while it is crashed. */
  readonly value: StateValue | null;
  readonly context: object;
  readonly goes: readonly number[];
  readonly crashes: number;
}

export interface Explored {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  readonly deadlocks: number;
  /** For each property, the distance from the start at which it is settled for the first time, or `null`. */
  readonly found: readonly (number | null)[];
}

/** `keyOf` decides which worlds are equal. */
export function explorePlainly(system: System, keyOf: (world: World) => string = textOf): Explored {
  const firsts = new Map(
    (system.starts ?? [{}]).map((inputs) => firstWorld(system, inputs)).map((world) => [keyOf(world), world]),
  );
  const seen = new Map([...firsts.keys()].map((key) => [key, 0]));
  const found: (number | null)[] = system.properties.map(() => null);
  let [transitions, deadlocks, depth] = [0, 0, 0];
  const queue = [...firsts.values()].map((world) => ({ world, at: 0 }));
  for (const { world, at } of queue) {
    const next = new Map<string, World>();
    for (const [label, after] of steps(system, world)) next.set(`${label} ${textOf(after)}`, after);
    transitions += next.size;
    const stuck = [...next.values()].every((after) => textOf(after) === textOf(world));
    deadlocks += stuck ? 1 : 0;
    depth = at;
    for (const [index, property] of system.properties.entries()) {
      if (found[index] === null && settles(system, property, world, stuck)) found[index] = at;
    }
    for (const after of next.values()) {
      const key = keyOf(after);
      if (seen.has(key)) continue;
      seen.set(key, at + 1);
      queue.push({ world: after, at: at + 1 });
    }
  }
  return { states: seen.size, transitions, depth, deadlocks, found };
}

/** Names the orbit of a world: the least of the texts of all worlds that a permutation of the actors makes of it. */
export function orbitOf(system: System): (world: World) => string {
  const names = Object.keys(system.actors);
  const renamings = permutations(names).map((to) => new Map(names.map((name, index) => [name, to[index]!])));
  return (world) => renamings.map((renaming) => textOf(renamed(system, world, renaming))).sort()[0]!;
}

/** Every step from a world, with its name: the actor first, then the kind of the step. */
export function* steps(system: System, world: World): Generator<readonly [string, World]> {
  const { order, duplication } = system.network;
  for (const [id, spec] of Object.entries(system.actors)) {
    const actor = world.actors[id]!;
    if (actor.value === null) {
      const restarted = act(system, world, id, start(spec.machine, spec.restart!.input(null)));
      if (restarted !== null) yield [`${id} restart`, restarted];
      yield* networkFaults(system, world, id);
      continue;
    }
    const snapshot = spec.machine.resolveState({ value: actor.value, context: actor.context });
    const react = (from: World, event: { type: string }) =>
      act(system, from, id, take(spec.machine as AnyStateMachine, snapshot, event));
    for (const [source, messages] of Object.entries(world.links[id] ?? {})) {
      for (const [index, message] of messages.entries()) {
        const without = withLink(world, id, source, messages.toSpliced(index, 1));
        if (order !== 'fifo' || index === 0) {
          const arrived = react(duplication === 'persistent' ? world : without, message);
          if (arrived !== null) yield [`${id} deliver ${source} ${textOf(message)}`, arrived];
          const again = duplication === 'persistent' ? null : spend(world, 'duplication', duplication);
          const copied = again === null ? null : react(again, message);
          if (copied !== null) yield [`${id} duplicate ${source} ${textOf(message)}`, copied];
        }
      }
    }
    yield* networkFaults(system, world, id);
    for (const [index, { event, when, together, times }] of (spec.environment ?? []).entries()) {
      const went = actor.goes[index] ?? 0;
      if (when?.(viewOf(world, id)) === false || !within(went, times)) continue;
      const goes = typeof times === 'number' ? actor.goes.with(index, went + 1) : actor.goes;
      const others = together?.(event) ?? {};
      const takes = [...Object.entries(others), ...(together === undefined ? [] : [[id, event] as const])];
      if (!takes.every(([other, taken]) => canTake(system, world, other, taken))) continue;
      let from = withActor(world, id, { ...actor, goes });
      for (const [other, taken] of Object.entries(others)) {
        const { machine } = system.actors[other]!;
        const { value, context } = take(
          machine as AnyStateMachine,
          snapshotOf(system, from, other),
          taken,
        ).snapshot;
        from = withActor(from, other, { ...from.actors[other]!, value, context });
      }
      const after = react(from, event);
      if (after !== null) yield [`${id} environment ${index}`, after];
    }
    for (const { eventType } of spec.machine.states[actor.value as string]!.after) {
      const after = react(world, { type: eventType });
      if (after !== null) yield [`${id} timer`, after];
    }
    const { times } = spec.crash ?? { times: 0 };
    if (within(actor.crashes, times)) {
      const crashes = typeof times === 'number' ? actor.crashes + 1 : 0;
      const { [id]: _, ...links } = world.links;
      const left = isKept(system, id) ? world : { ...world, links };
      yield [`${id} crash`, withActor(left, id, { ...actor, value: null, context: {}, crashes })];
    }
  }
}

function snapshotOf(system: System, world: World, id: SiteId): AnyMachineSnapshot {
  const { value, context } = world.actors[id]!;
  return system.actors[id]!.machine.resolveState({ value: value!, context });
}

function canTake(system: System, world: World, id: SiteId, event: { readonly type: string }): boolean {
  if (world.actors[id]!.value === null) return false;
  return system.actors[id]!.machine.getTransitionData(snapshotOf(system, world, id), event).length > 0;
}

/** The faults of the network among the messages that are under way to `id`. */
function* networkFaults(system: System, world: World, id: SiteId): Generator<readonly [string, World]> {
  const { loss, breaks } = system.network;
  for (const [source, messages] of Object.entries(world.links[id] ?? {})) {
    for (const [index, message] of messages.entries()) {
      const without = withLink(world, id, source, messages.toSpliced(index, 1));
      const lost = spend(without, 'loss', loss);
      if (lost !== null) yield [`${id} lose ${source} ${textOf(message)}`, lost];
      const broken = spend(withLink(world, id, source, messages.slice(0, index)), 'breaks', breaks);
      if (broken !== null) yield [`${id} break ${source} ${index}`, broken];
    }
  }
}

/** Reports whether messages to `id` outlive its crash. */
function isKept({ actors, network }: System, id: SiteId): boolean {
  if (actors[id]!.restart === undefined) return false;
  if (network.duplication === 'persistent') return true;
  const { inbox } = actors[id]!.crash ?? {};
  return inbox === undefined ? network.order !== 'fifo' : inbox === 'kept';
}

export function firstWorld(system: System, inputs: Readonly<Record<SiteId, unknown>> = {}): World {
  const entries = Object.entries(system.actors);
  const nobody = entries.map(([id, { environment }]): [SiteId, Actor] => [
    id,
    { value: 'starting', context: {}, goes: (environment ?? []).map(() => 0), crashes: 0 },
  ]);
  const empty = {
    actors: Object.fromEntries(nobody),
    links: {},
    spent: { loss: 0, duplication: 0, breaks: 0 },
  };
  return entries.reduce<World>(
    (world, [id, { machine, input }]) => act(system, world, id, start(machine, inputs[id] ?? input))!,
    empty,
  );
}

/** Returns `null` if a sent message finds no room. */
function act(
  system: System,
  world: World,
  id: SiteId,
  { snapshot, effects }: { readonly snapshot: AnyMachineSnapshot; readonly effects: readonly NamedAction[] },
): World | null {
  const { value, context } = snapshot;
  let after: World | null = withActor(world, id, { ...world.actors[id]!, value, context });
  for (const effect of effects) {
    const targets = effect.type === 'send' ? [effect['target'] as SiteId] : [];
    if (effect.type === 'broadcast') targets.push(...Object.keys(system.actors).filter((to) => to !== id));
    for (const target of targets) after &&= post(system, after, id, target, effect['message'] as Message);
  }
  return after;
}

function post(system: System, world: World, from: SiteId, target: SiteId, message: Message): World | null {
  const { order, duplication, capacity } = system.network;
  const source = order === 'unordered-by-target' ? '*' : from;
  const link = world.links[target]?.[source] ?? [];
  if (world.actors[target]!.value === null && !isKept(system, target)) return world;
  if (duplication === 'persistent' && link.some((other) => textOf(other) === textOf(message))) return world;
  if (typeof capacity === 'number' && link.length >= capacity) return null;
  return withLink(world, target, source, inOrder(system, [...link, message]));
}

function withActor(world: World, id: SiteId, actor: Actor): World {
  return { ...world, actors: { ...world.actors, [id]: actor } };
}

function withLink(world: World, target: SiteId, source: SiteId, messages: readonly Message[]): World {
  const { [target]: { [source]: _, ...bySource } = {}, ...others } = world.links;
  const links = messages.length === 0 ? bySource : { ...bySource, [source]: messages };
  return { ...world, links: Object.keys(links).length === 0 ? others : { ...others, [target]: links } };
}

function spend(world: World, fault: keyof World['spent'], bound: Bound | undefined): World | null {
  if (!within(world.spent[fault], bound ?? 0)) return null;
  return typeof bound === 'number'
    ? { ...world, spent: { ...world.spent, [fault]: world.spent[fault] + 1 } }
    : world;
}

function within(spent: number, bound: Bound | undefined): boolean {
  return typeof bound !== 'number' || spent < bound;
}

/**
 * Reports whether the state settles a property's verdict: it breaks the property, or (`reachable`) shows it.
 */
function settles(system: System, property: Property, world: World, stuck: boolean): boolean {
  switch (property.kind) {
    case 'always':
      return !holds(property.predicate, system, world);
    case 'reachable':
      return holds(property.predicate, system, world);
    case 'deadlockFree':
      return stuck && !(property.quiescent !== undefined && holds(property.quiescent, system, world));
    default:
      throw new Error(`${property.kind} is not a property of single states`);
  }
}

export function holds(predicate: StatePredicate, system: System, world: World): boolean {
  const ids = Object.keys(system.actors);
  const actors = ids.map((id) => viewOf(world, id));
  switch (predicate.kind) {
    case 'every':
      return actors.every(predicate.is);
    case 'some':
      return actors.some(predicate.is);
    case 'count':
      return predicate.is(actors.reduce((sum, actor) => sum + predicate.of(actor), 0));
    case 'tally': {
      const named = actors.flatMap(predicate.names);
      return ids.every((id) => predicate.is(named.filter((name) => name === id).length));
    }
    case 'relation':
      return predicate.holds(
        Int32Array.from(actors, (actor) => predicate.of(actor, (id) => ids.indexOf(id))),
      );
    case 'plain':
      return predicate.holds({ actors, actor: (id) => actors[ids.indexOf(id)]! });
    case 'and':
      return predicate.of.every((part) => holds(part, system, world));
    case 'or':
      return predicate.of.some((part) => holds(part, system, world));
    case 'not':
      return !holds(predicate.of, system, world);
  }
}

function viewOf(world: World, id: SiteId): ActorView {
  const { value, context } = world.actors[id]!;
  const inbox = Object.entries(world.links[id] ?? {}).flatMap(([source, messages]) =>
    messages.map((message) => ({ source: source === '*' ? null : source, message })),
  );
  return {
    id,
    up: value !== null,
    value,
    context: context as Readonly<Record<string, unknown>>,
    in: (path) => value !== null && matchesState(path, value),
    inbox,
    timers: [],
  };
}

/** A queue as it is, a bag sorted. */
function inOrder({ network }: System, messages: readonly Message[]): readonly Message[] {
  if (network.order === 'fifo') return messages;
  return messages.toSorted((one, other) => (textOf(one) < textOf(other) ? -1 : 1));
}

/** JSON with sorted keys. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
}

function renamed(system: System, world: World, to: ReadonlyMap<SiteId, SiteId>): World {
  const rename = (value: unknown): unknown => {
    if (typeof value === 'string') return to.get(value) ?? value;
    if (Array.isArray(value)) return value.map(rename);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [to.get(key) ?? key, rename(part)]));
  };
  const { actors, links, spent } = rename(world) as World;
  let after: World = { actors, links: {}, spent };
  for (const [target, bySource] of Object.entries(links))
    for (const [source, messages] of Object.entries(bySource))
      after = withLink(after, target, source, inOrder(system, messages));
  return after;
}

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]),
  );
}
