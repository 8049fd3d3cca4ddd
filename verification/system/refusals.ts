import { type Model, successors } from '../checker/model.ts';
import { SystemError, type SystemErrorCode } from './errors.ts';

/*
 * The first refused step ends an exploration. The system is then explored once more, past its refusals, so that one error
 * tells of all of them.
 */

/** The codes of refusals that only a step shows. */
const codes: ReadonlySet<SystemErrorCode> = new Set(['MACHINE_IMPURE', 'MACHINE_REFUSED', 'VALUE_REFUSED']);

/** Maximum number of states that are explored for further refusals. */
const mostStates = 300;
/** Maximum number of refusals that one error lists. */
const mostListed = 20;

/** The refusals so far, by place. `null`: refusals are not gathered. */
let gathered: Map<string, SystemError> | null = null;

/**
 * Records the error and returns `true` while refusals are gathered; the caller then goes on with a stand-in.
 * The first of several errors with one `place` is recorded.
 */
export function isNoted(error: SystemError, place = error.message): boolean {
  if (gathered === null || !codes.has(error.code)) return false;
  if (!gathered.has(place)) gathered.set(place, error);
  return true;
}

/** Returns the error that lists `first` and every other refusal of the model that `build` returns. */
export function allRefusals(first: unknown, build: () => Model): unknown {
  if (!(first instanceof SystemError) || !codes.has(first.code) || gathered !== null) return first;
  const found = new Map<string, SystemError>();
  gathered = found;
  try {
    explore(build());
  } catch (error) {
    // Errors with other codes end the search. The first refusal is reported in any case.
    if (!(error instanceof SystemError)) throw error;
  } finally {
    gathered = null;
  }
  if (found.size <= 1) return first;
  const listed = [...found.values()].slice(0, mostListed).map(({ message }) => `- ${message}`);
  const rest = found.size - listed.length;
  if (rest > 0) listed.push(`- and ${rest} more`);
  return new SystemError(first.code, `${found.size} places are refused.\n${listed.join('\n')}`);
}

function explore(model: Model): void {
  const seen = new Set(model.initial.map((state) => state.join()));
  const queue = [...model.initial];
  for (const state of queue) {
    for (const { after } of successors(model, state)) {
      const key = after.join();
      if (seen.has(key) || seen.size >= mostStates) continue;
      seen.add(key);
      queue.push(after);
    }
  }
}
