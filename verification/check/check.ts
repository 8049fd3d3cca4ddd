import { CodedError } from '../../machines/errors.ts';
import { parseFormula } from '../checker/liveness/index.ts';
import { search } from '../checker/packed/index.ts';
import { type Compiled, compile } from '../system/index.ts';
import { refuseMisshapen } from '../system/shape.ts';
import type { Property, System } from '../system/system.ts';
import { CheckError } from './errors.ts';
import { growing, growthText } from './growth.ts';
import { identityOf } from './identity.ts';
import { refuseUnlike } from './interchangeable.ts';
import { searchOptions, secondsSince, traceOptions, whyStopped } from './limits.ts';
import {
  type Asking,
  isOfRuns,
  noFault,
  onlyAsked,
  questions,
  refuseOutside,
  stateProperties,
  triggered,
} from './questions.ts';
import { absentReads, strangersIn } from './reads.ts';
import type { CheckOptions, Judged, Report } from './report.ts';
import { withRootCause } from './root-cause.ts';
import { judgeRuns } from './runs.ts';
import { systemFrom } from './source.ts';
import { judgeOf } from './traces.ts';

export { CheckError, type CheckErrorCode } from './errors.ts';
export { noFault } from './questions.ts';
export type { CheckOptions, Judged, Progress, Report } from './report.ts';
export { type SimulateOptions, simulate } from './simulate.ts';
export { type SystemSource, systemFrom } from './source.ts';

/**
 * Explores every reachable state of `system` and judges its properties: properties of states with the engine,
 * shortest traces included, and properties of runs on the graph of all states. Throws if the check is
 * impossible: `SystemError`, `CheckError`, `SearchError`, `LivenessError` (a formula), and `SymmetryError` (a
 * property that tells interchangeable actors apart).
 */
export async function check(system: System, options: CheckOptions = {}): Promise<Report> {
  refuseMisshapen(system);
  const chosen = onlyAsked(system, options.only);
  const asked = options.liveness === false ? withoutRuns(chosen) : chosen;
  refuseUnfit(asked, options);
  // Another thread that cannot find the system might report that too late, so the source is tried here first.
  if (options.source !== undefined && (options.workers ?? 1) > 1) await systemFrom(options.source);
  // Interchangeable actors are compared only where symmetry is used, because the comparison takes time.
  const kept = { symmetry: options.symmetry ?? false };
  try {
    return await checkWith(compile(asked, kept), options, false);
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'WATCH_OVERFLOW') throw error;
    return checkWith(compile(asked, kept), options, true);
  }
}

function withoutRuns(system: System): System {
  return { ...system, properties: system.properties.filter((property) => !isOfRuns(property)) };
}

function refuseUnfit(system: System, { liveness, symmetry, hashCompaction }: CheckOptions): void {
  const ofRuns = system.properties.find(isOfRuns);
  if (liveness && ofRuns === undefined) {
    throw new CheckError(
      'NO_LIVENESS',
      `Expected '${system.name}' to have a property of runs (leadsTo, eventually, ltl): add one, or do not ask for liveness.`,
    );
  }
  // The formulas are read before the exploration, which can take long.
  for (const property of system.properties) if (property.kind === 'ltl') parseFormula(property.formula);
  const keptAs = symmetry ? 'orbits' : hashCompaction !== undefined ? 'hashes' : null;
  if (ofRuns !== undefined && keptAs !== null) {
    throw new CheckError(
      'RUNS_NEED_STATES',
      `'${ofRuns.name}' is a property of runs, and cannot be judged on ${keptAs}: check once with all states, and once with ${keptAs} but without liveness.`,
    );
  }
  if (!symmetry) return;
  if (system.symmetry === undefined || system.symmetry.length < 2) {
    throw new CheckError(
      'NO_SYMMETRY',
      `Expected '${system.name}' to say in \`symmetry\` which of its actors are interchangeable: add it, or check without.`,
    );
  }
  refuseUnlike(system);
}

function vacuousFailed(judged: Judged): Judged {
  if (judged.verdict !== 'holds' || judged.vacuous === undefined) return judged;
  const { name, kind, vacuous } = judged;
  return { name, kind, verdict: 'violated', reason: `it holds vacuously: ${vacuous}` };
}

async function checkWith(compiled: Compiled, options: CheckOptions, exact: boolean): Promise<Report> {
  const started = performance.now();
  const { system, model } = compiled;
  const { only } = options;
  const asking: Asking = {
    exact,
    symmetry: options.symmetry ?? false,
    ...(only === undefined ? {} : { only }),
  };
  const { predicates, ...how } = questions(compiled, asking);
  refuseOutside(compiled);
  const found = await search(model, {
    ...how,
    predicates,
    identity: identityOf(system),
    ...searchOptions(compiled, options, asking, started),
  });
  const { hashCompaction: bits, maxOmissionProbability = 0.001 } = options;
  const { omissionProbability, reason } = found;
  const incomplete =
    reason !== null
      ? whyStopped(reason, options, found.cut)
      : omissionProbability > maxOmissionProbability
        ? `a state was omitted with probability ${omissionProbability.toPrecision(2)}, and ${maxOmissionProbability} is allowed: keep more bits`
        : null;
  const judge = judgeOf(
    compiled,
    { ...how, ...traceOptions(options, started) },
    {
      incomplete,
      isConstrained: reason === 'constraint' && omissionProbability <= maxOmissionProbability,
      omissionProbability: bits === undefined ? null : omissionProbability,
    },
  );
  const results = new Map<Property, Judged>();
  for (const [index, property] of stateProperties(system).entries()) {
    results.set(property, await judge(property, found.found[index]!));
  }
  const asked = stateProperties(system).length;
  for (const [index, property] of triggered(system).entries()) {
    const judged = results.get(property)!;
    if (judged.verdict === 'holds' && found.found[asked + index] === null) {
      results.set(property, { ...judged, vacuous: 'its `when` never holds' });
    }
  }
  const isSeen = (reason === null || reason === 'constraint') && found.workers === 1;
  const absent = isSeen ? absentReads(compiled) : [];
  const runs = await judgeRuns(compiled, options, { exact, started, searched: found.reason });
  for (const [property, result] of runs.results) results.set(property, result);
  if (isSeen) {
    const strangerIn = strangersIn(compiled);
    for (const property of system.properties) {
      const [judged, stranger] = [results.get(property)!, strangerIn(property)];
      if (stranger !== null && judged.verdict === 'holds' && judged.vacuous === undefined)
        results.set(property, { ...judged, vacuous: stranger });
    }
  }
  return {
    system: system.name,
    sites: Object.keys(system.actors).length,
    network: system.network.order,
    states: Number(found.representedStates),
    ...(asking.symmetry ? { orbits: found.states } : {}),
    transitions: found.transitions,
    depth: found.depth,
    seconds: secondsSince(started),
    statesPerSecond: found.statesPerSecond,
    bytesPerState: found.bytesPerState,
    peakMemoryBytes: Math.max(found.peakMemoryBytes, runs.peakMemoryBytes),
    workers: found.workers,
    complete: incomplete === null,
    ...(incomplete === null ? {} : { incomplete }),
    cut: found.cut,
    ...(reason === null || reason === 'constraint' ? {} : { grows: growing(compiled).map(growthText) }),
    ...(bits === undefined ? {} : { hashCompaction: { bits, omissionProbability } }),
    properties: withRootCause(
      compiled,
      [noFault, ...system.properties].map((property) => {
        const judged = results.get(property)!;
        return options.failVacuous === true ? vacuousFailed(judged) : judged;
      }),
    ),
    notRun: compiled.notRun(),
    untaken: compiled.untaken(),
    absent,
    coverage: compiled.coverage(),
  };
}
