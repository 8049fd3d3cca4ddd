import { createTestModel } from '@xstate/test';
import type { AnyTransitionDefinition } from 'xstate';
import { getStateNodes } from 'xstate/graph';
import {
  type SiteContext,
  type SiteEvent,
  type SiteInput,
  type SiteSnapshot,
  siteMachine,
} from '../../machines/naimi-trehel/site.ts';
import { exploreNaively } from '../../verification/checker/naive.ts';
import { naimiTrehelLeaving } from '../../verification/protocols/naimi-trehel/system.ts';
import { combining } from '../../verification/protocols/row.ts';
import { compile } from '../../verification/system/index.ts';

type Machine = typeof siteMachine;
type Scope = Parameters<Machine['transition']>[2];

/**
 * `@xstate/test` 1.0.0-beta.5 hands a machine a scope from before custom actions had an executor, and
 * starts it without input: this is the same machine with both filled in.
 */
function forTestModel(input: SiteInput): Machine {
  const withExecutor = (scope: Scope): Scope => ({ ...scope, actionExecutor: () => {} });
  const adapted: Machine = Object.create(siteMachine);
  adapted.transition = (snapshot, event, scope) =>
    siteMachine.transition(snapshot, event, withExecutor(scope));
  adapted.getInitialSnapshot = (scope) => siteMachine.getInitialSnapshot(withExecutor(scope), input);
  return adapted;
}

const keyOf = (value: unknown, context: SiteContext) => JSON.stringify([value, context]);

/**
 * The events that are possible for `self` in each of its snapshots, in any run of three sites that may withdraw and
 * leave.
 */
function possibleEvents({ self, root, peers }: SiteInput): ReadonlyMap<string, readonly SiteEvent[]> {
  const system = naimiTrehelLeaving({ sites: peers + 1, network: { order: 'fifo' } });
  const rooted = Object.entries(system.actors).map(([id, actor]) => [
    id,
    {
      ...actor,
      input: { self: id, root, peers },
      environment: [...actor.environment!, ...combining(siteMachine, 'unbounded').says],
    },
  ]);
  const compiled = compile({ ...system, actors: Object.fromEntries(rooted) });
  const process = Object.keys(compiled.system.actors).indexOf(self);
  const seen = new Set<number>();
  const events = new Map<string, Map<string, SiteEvent>>();
  exploreNaively(compiled.model, (state) => {
    if (seen.has(state[process]!)) return;
    seen.add(state[process]!);
    const { value, context } = compiled.decode(state).actor(self);
    const key = keyOf(value, context as unknown as SiteContext);
    const possible = events.get(key) ?? new Map<string, SiteEvent>();
    events.set(key, possible);
    for (const step of compiled.model.steps(process, state[process]!)) {
      const action = compiled.action(step.action);
      if (action.kind === 'deliver') add(possible, action.message as SiteEvent);
      if (action.kind === 'environment') add(possible, action.event as SiteEvent);
    }
  });
  return new Map([...events].map(([key, possible]) => [key, [...possible.values()]]));
}

function add(events: Map<string, SiteEvent>, event: SiteEvent): void {
  events.set(JSON.stringify(event), event);
}

/** Shortest paths that end in every reachable snapshot of the site with this input, by every event. */
export function sitePaths(input: SiteInput) {
  const possible = possibleEvents(input);
  const model = createTestModel(forTestModel(input));
  return model.getShortestPaths({
    events: (snapshot: SiteSnapshot) => [...(possible.get(keyOf(snapshot.value, snapshot.context)) ?? [])],
  });
}

/** A transition by the state it leaves, the event, and its place among those for that event. */
const nameOf = ({ source, eventType }: AnyTransitionDefinition, place: number) =>
  `${source.id} on ${eventType || 'always'} #${place}`;

/** Returns all transitions of the statechart. */
export function allTransitions(): string[] {
  return [siteMachine.root, ...getStateNodes(siteMachine.root)].flatMap((node) =>
    [...node.transitions.values(), ...(node.always ? [node.always] : [])].flatMap((choices) =>
      choices.map(nameOf),
    ),
  );
}

/** Returns the transitions that `event` takes from `snapshot`. */
export function transitionsTaken(snapshot: SiteSnapshot, event: SiteEvent): string[] {
  return siteMachine.getTransitionData(snapshot, event).map((taken) => {
    const choices = taken.source.transitions.get(taken.eventType) ?? [];
    return nameOf(taken, choices.indexOf(taken));
  });
}
