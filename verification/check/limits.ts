import type { LivenessOptions } from '../checker/liveness/index.ts';
import type { SearchOptions, StopReason, TraceOptions } from '../checker/packed/index.ts';
import type { Compiled } from '../system/index.ts';
import { growing, growthText } from './growth.ts';
import type { Asking } from './questions.ts';
import type { CheckOptions } from './report.ts';
import { modelSource } from './source.ts';

/** `started`: the time at which the check began, on the process's monotonic clock. */
export function searchOptions(
  compiled: Compiled,
  options: CheckOptions,
  asking: Asking,
  started: number,
): SearchOptions {
  const {
    symmetry: _,
    liveness: __,
    maxOmissionProbability: ___,
    failVacuous: ____,
    only: _____,
    ...rest
  } = options;
  const { maxSeconds, onProgress, source, ...others } = rest;
  return {
    ...others,
    ...(source === undefined ? {} : { source: modelSource(source, asking) }),
    ...timeout(maxSeconds, started),
    ...(onProgress === undefined ? {} : { onProgress: withOutlook(compiled, onProgress, started) }),
  };
}

/** Seconds between two searches for growing values, which take a while. */
const lookEverySeconds = 5;

/** Adds the estimated remaining time to the progress, or the values that may keep the search from ending. */
function withOutlook(
  compiled: Compiled,
  onProgress: NonNullable<CheckOptions['onProgress']>,
  started: number,
): NonNullable<SearchOptions['onProgress']> {
  let [looked, grows] = [0, undefined as string | undefined];
  return ({ statesToCome, violated, ...now }) => {
    const seconds = secondsSince(started);
    if (statesToCome === null && seconds - looked >= lookEverySeconds) {
      const [first] = growing(compiled);
      grows = first === undefined ? undefined : growthText(first);
      looked = secondsSince(started);
    }
    onProgress({
      ...now,
      ...(violated.length > 0 && { violated }),
      ...(statesToCome === null
        ? grows !== undefined && { grows }
        : { secondsToCome: (statesToCome / now.states) * seconds }),
      property: null,
      seconds,
    });
  };
}

/**
 * The limits of the search for traces: the remaining time, and at least half of the whole time in addition.
 */
export function traceOptions(
  { hashCompaction, maxSeconds, signal }: CheckOptions,
  started: number,
): Pick<TraceOptions, 'hashCompaction' | 'timeoutMs' | 'signal'> {
  const left =
    maxSeconds === undefined
      ? {}
      : { timeoutMs: 1000 * Math.max(maxSeconds - secondsSince(started), maxSeconds / 2) };
  return {
    ...left,
    ...(hashCompaction === undefined ? {} : { hashCompaction }),
    // A caller that aborts the exploration still wants to see its findings.
    ...(signal === undefined || signal.aborted ? {} : { signal }),
  };
}

export function livenessOptions(options: CheckOptions, started: number): LivenessOptions {
  const { maxStates, maxMemoryBytes, maxSeconds, signal, onProgress } = options;
  return {
    ...(maxStates === undefined ? {} : { maxStates }),
    ...(maxMemoryBytes === undefined ? {} : { maxMemoryBytes }),
    ...(signal === undefined ? {} : { signal }),
    ...timeout(maxSeconds, started),
    ...(onProgress === undefined
      ? {}
      : {
          onProgress: ({ property, states, transitions, frontier, memoryBytes, elapsedMs }) =>
            onProgress({
              property,
              states,
              transitions,
              frontier,
              memoryBytes,
              depth: 0,
              seconds: secondsSince(started),
              statesPerSecond: (states / elapsedMs) * 1000,
            }),
        }),
  };
}

/** The remaining time, in ms. */
function timeout(maxSeconds: number | undefined, started: number): { readonly timeoutMs?: number } {
  return maxSeconds === undefined ? {} : { timeoutMs: (maxSeconds - secondsSince(started)) * 1000 };
}

export function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}

/** The reason why some states were not seen, in words. `cut`: number of states outside the constraint. */
export function whyStopped(
  reason: StopReason,
  { maxStates, maxMemoryBytes, maxSeconds }: CheckOptions,
  cut: number,
): string {
  switch (reason) {
    case 'max-states':
      return `the limit of ${maxStates} states was reached`;
    case 'max-memory':
      return `the limit of ${maxMemoryBytes ?? 8 * 2 ** 30} bytes of memory was reached`;
    case 'timeout':
      return `the limit of ${maxSeconds} seconds was reached`;
    case 'aborted':
      return 'it was interrupted';
    case 'stop-at-first':
      return 'it was to end at the first violation';
    case 'constraint':
      return `the constraint cut off ${cut} ${cut === 1 ? 'state' : 'states'}`;
  }
}
