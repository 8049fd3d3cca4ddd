import {
  type ActionFairness,
  BrokenLassoError,
  checkLiveness,
  type Lasso,
  type Limit,
  type LivenessProperty,
  type LivenessVerdict,
  validateLasso,
} from '../checker/liveness/index.ts';
import type { Predicate } from '../checker/model.ts';
import type { StopReason } from '../checker/packed/index.ts';
import { called } from '../system/callbacks.ts';
import {
  actionText,
  type Compiled,
  evaluate,
  type PathStep,
  SystemError,
  stateAfter,
  traceOf,
} from '../system/index.ts';
import type { Action, Fairness, Property, StatePredicate } from '../system/system.ts';
import { livenessOptions, whyStopped } from './limits.ts';
import { isOfRuns, propertyText, type RunProperty } from './questions.ts';
import type { CheckOptions, Judged } from './report.ts';

export interface JudgedRuns {
  readonly results: ReadonlyMap<Property, Judged>;
  readonly peakMemoryBytes: number;
}

interface Circumstances {
  readonly exact: boolean;
  /** Time at which the check began, on the process's monotonic clock. */
  readonly started: number;
  /** The reason why the preceding search ended early. */
  readonly searched: StopReason | null;
}

/** Judges the system's properties of runs, on the graph of all its states. */
export async function judgeRuns(
  compiled: Compiled,
  options: CheckOptions,
  { exact, started, searched }: Circumstances,
): Promise<JudgedRuns> {
  const properties = compiled.system.properties.filter(isOfRuns);
  if (properties.length === 0) return { results: new Map(), peakMemoryBytes: 0 };
  if (searched === 'stop-at-first') {
    const reason = whyStopped(searched, options, 0);
    const skipped = properties.map((property): [Property, Judged] => [
      property,
      { name: property.name, kind: property.kind, verdict: 'incomplete', reason },
    ]);
    return { results: new Map(skipped), peakMemoryBytes: 0 };
  }
  const { constraint } = compiled.system;
  const { verdicts, cutStates, peakMemoryBytes } = await checkLiveness(
    compiled.model,
    runQuestions(compiled, properties, exact),
    {
      ...livenessOptions(options, started),
      ...(constraint === undefined
        ? {}
        : { constraint: compiled.predicateOf(constraint, { exact, name: 'The constraint' }) }),
    },
  );
  const why = (limit: Limit) => whyStopped(limit, options, cutStates);
  const results = properties.map((property, index): [Property, Judged] => [
    property,
    resultOf(compiled, property, verdicts[index]!, why),
  ]);
  return { results: new Map(results), peakMemoryBytes };
}

/** The properties in the form of the engine, one fairness object for each distinct fairness. */
function runQuestions(
  compiled: Compiled,
  properties: readonly RunProperty[],
  exact: boolean,
): readonly LivenessProperty[] {
  const fairnesses = new Map<Fairness, ActionFairness>();
  const fairnessOf = (given: Fairness): ActionFairness => {
    const fairness = fairnesses.get(given) ?? numbered(compiled, given);
    fairnesses.set(given, fairness);
    return fairness;
  };
  return properties.map((property) => ({
    name: property.name,
    ...runQuestion(property, (predicate) =>
      compiled.predicateOf(predicate, { exact, name: propertyText(property.name) }),
    ),
    ...(property.fairness === undefined ? {} : { fairness: fairnessOf(property.fairness) }),
  }));
}

/** Why a run is no counterexample of the property, by the definitions of fairness and of the formula; `null` if it is one. */
export function whyNoLasso(compiled: Compiled, property: RunProperty, lasso: Lasso): string | null {
  const [question] = runQuestions(compiled, [property], true);
  try {
    validateLasso(compiled.model, question!, lasso);
    return null;
  } catch (error) {
    if (error instanceof BrokenLassoError) return error.message;
    throw error;
  }
}

function runQuestion(property: RunProperty, predicateOf: (predicate: StatePredicate) => Predicate) {
  switch (property.kind) {
    case 'leadsTo':
      return { kind: property.kind, from: predicateOf(property.from), to: predicateOf(property.to) };
    case 'eventually':
      return { kind: property.kind, is: predicateOf(property.predicate) };
    case 'ltl': {
      const atoms = Object.entries(property.atoms).map(
        ([atom, predicate]) => [atom, predicateOf(predicate)] as const,
      );
      return { kind: property.kind, formula: property.formula, atoms: Object.fromEntries(atoms) };
    }
  }
}

/** Numbers the names of classes, weak and strong ones separately. */
function numbered(compiled: Compiled, { weak, strong }: Fairness): ActionFairness {
  const classes = (nameOf: (action: Action) => string | null) => {
    const numbers = new Map<string, number>();
    return (action: number) => {
      const what = compiled.action(action);
      const name = called(
        'A function of fairness',
        () => `     ${actionText(what)}`,
        () => nameOf(what),
      );
      if (name === null) return -1;
      if (typeof name !== 'string') {
        throw new SystemError(
          'PREDICATE_INVALID',
          `A function of fairness must give the name of a class or null, and gave ${String(name)} for ${actionText(what)}.`,
        );
      }
      const number = numbers.get(name) ?? numbers.size;
      numbers.set(name, number);
      return number;
    };
  };
  return {
    ...(weak === undefined ? {} : { weak: classes(weak) }),
    ...(strong === undefined ? {} : { strong: classes(strong) }),
  };
}

function resultOf(
  compiled: Compiled,
  property: RunProperty,
  judged: LivenessVerdict,
  why: (limit: Limit) => string,
): Judged {
  const { name, kind } = property;
  if (judged.verdict === 'holds') {
    const { vacuous } = judged;
    const why = vacuous === undefined ? {} : { vacuous: `its trigger, ${vacuous}, never occurs` };
    return { name, kind, verdict: 'holds', ...why };
  }
  if (judged.verdict === 'incomplete') {
    return { name, kind, verdict: 'incomplete', reason: why(judged.limit) };
  }
  const { initial, stem, loop } = judged.lasso;
  const path = [...stem, ...loop];
  const what = whatIsMissing(compiled, property, path, initial);
  const forEver =
    loop.length === 0
      ? 'the run stays in its last state'
      : `the last ${loop.length === 1 ? 'step is' : `${loop.length} steps are`} taken again and again`;
  const trace = traceOf(compiled, path, stem.length, initial);
  return { name, kind, verdict: 'violated', trace, reason: `${what}, and ${forEver} for ever` };
}

function whatIsMissing(
  compiled: Compiled,
  property: RunProperty,
  path: readonly PathStep[],
  initial: readonly number[],
): string {
  if (property.kind === 'eventually') return 'it has not come';
  if (property.kind === 'ltl') return 'the formula is false from the start';
  const { from, to } = property;
  const views = Array.from({ length: path.length + 1 }, (_, steps) =>
    compiled.decode(stateAfter(compiled.model, path.slice(0, steps), initial)),
  );
  const since = views.findLastIndex((view) => evaluate(to, view)) + 1;
  const at = views.findIndex((view, steps) => steps >= since && evaluate(from, view));
  return `what should come after step ${at} has not`;
}
