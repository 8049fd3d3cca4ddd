import { breadthFirst, type Goal, type SearchLimits } from './breadth-first.ts';
import type { Watch } from './checker/model.ts';
import {
  type Compiled,
  compile,
  faultless,
  type MachineCoverage,
  type PathStep,
  SystemError,
  stateAfter,
  traceOf,
} from './system/index.ts';
import type { Network, Property, PropertyResult, StatePredicate, System } from './system/system.ts';

export type { Progress, SearchLimits as CheckOptions } from './breadth-first.ts';

export interface Report {
  readonly system: string;
  readonly sites: number;
  readonly network: Network['order'];
  /** Distinct states, among them those that the constraint cut off. */
  readonly states: number;
  readonly transitions: number;
  /** Steps to the farthest state. */
  readonly depth: number;
  readonly seconds: number;
  /** Were all reachable states seen? Otherwise `incomplete` says why not. */
  readonly complete: boolean;
  readonly incomplete?: string;
  /** States outside the system's constraint: counted, judged, not explored further. */
  readonly cut: number;
  /** The system's own, in its order, after the one that is always asked: that no machine fails. */
  readonly properties: readonly PropertyResult[];
  /** Of each machine: the transitions that no step took. Says something about the system when `complete`. */
  readonly coverage: readonly MachineCoverage[];
}

/** The name of the property that is always checked: no machine throws, or sends to nobody. */
export const NO_FAULT = 'no machine fails';

/** Explores all that `system` can do and judges its properties. Throws `SystemError` when it cannot be explored. */
export async function check(system: System, options: SearchLimits = {}): Promise<Report> {
  try {
    return await checkWith(compile(system), options, false);
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== 'WATCH_OVERFLOW') throw error;
    return checkWith(compile(system), options, true);
  }
}

async function checkWith(compiled: Compiled, options: SearchLimits, exact: boolean): Promise<Report> {
  const { system } = compiled;
  const watch = (predicate: StatePredicate) => compiled.watch(predicate, { exact });
  const noFault: Property = { kind: 'always', name: NO_FAULT, predicate: faultless };
  const properties = [noFault, ...system.properties];
  const goals = properties.map((property) => goalOf(property, watch));
  const constraint = system.constraint === undefined ? null : watch(system.constraint);
  // The seam to the engine.
  const found = await breadthFirst(
    compiled.model,
    goals.filter((goal) => goal !== null),
    constraint,
    options,
  );
  const incomplete = found.stopped ?? (found.cut > 0 ? `the constraint cut off ${found.cut} states` : null);
  const paths = found.paths.values();
  const results = properties.map((property, index) =>
    goals[index] === null
      ? unjudged(property)
      : judge(compiled, property, paths.next().value ?? null, incomplete),
  );
  return {
    system: system.name,
    sites: Object.keys(system.actors).length,
    network: system.network.order,
    states: found.states,
    transitions: found.transitions,
    depth: found.depth,
    seconds: found.seconds,
    complete: incomplete === null,
    ...(incomplete === null ? {} : { incomplete }),
    cut: found.cut,
    properties: results,
    coverage: compiled.coverage(),
  };
}

/** What the search looks for on behalf of a property; `null` for properties of runs, which it does not judge. */
function goalOf(property: Property, watch: (predicate: StatePredicate) => Watch): Goal | null {
  switch (property.kind) {
    case 'always':
      return { watch: watch(property.predicate), wanted: false, deadlocksOnly: false };
    case 'reachable':
      return { watch: watch(property.predicate), wanted: true, deadlocksOnly: false };
    case 'deadlockFree': {
      const quiescent = property.quiescent === undefined ? null : watch(property.quiescent);
      return { watch: quiescent, wanted: false, deadlocksOnly: true };
    }
    case 'leadsTo':
    case 'eventually':
    case 'ltl':
      return null;
  }
}

function unjudged({ name, kind }: Property): PropertyResult {
  return { name, kind, verdict: 'incomplete', reason: 'properties of runs are not judged yet' };
}

function judge(
  compiled: Compiled,
  property: Property,
  path: readonly PathStep[] | null,
  incomplete: string | null,
): PropertyResult {
  const { name, kind } = property;
  if (path !== null) {
    const trace = traceOf(compiled, path);
    if (kind === 'reachable') return { name, kind, verdict: 'holds', trace };
    return { name, kind, verdict: 'violated', trace, reason: reasonOf(compiled, property, path) };
  }
  if (incomplete !== null) return { name, kind, verdict: 'incomplete', reason: incomplete };
  if (kind === 'reachable')
    return { name, kind, verdict: 'violated', reason: 'no reachable state is like that' };
  return { name, kind, verdict: 'holds' };
}

function reasonOf(compiled: Compiled, property: Property, path: readonly PathStep[]): string {
  const state = compiled.decode(stateAfter(compiled.model, path));
  const faults = state.actors.flatMap(({ id, fault }) => (fault === undefined ? [] : [`${id}: ${fault}`]));
  if (property.name === NO_FAULT) return faults.join('; ');
  if (property.kind === 'deadlockFree') return 'nothing can happen any more';
  if (property.kind === 'always' && property.because !== undefined) return property.because(state);
  return `it does not hold after ${path.length} steps`;
}
