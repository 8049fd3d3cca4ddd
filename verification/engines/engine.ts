import { CodedError } from '../../machines/errors.ts';
import { whyStopped } from '../check/limits.ts';
import { isOfRuns, whereItSpeaks } from '../check/questions.ts';
import type { Report } from '../check/report.ts';
import { whyNoLasso } from '../check/runs.ts';
import { successors } from '../checker/model.ts';
import { type Compiled, evaluate, type PathStep, traceOf } from '../system/index.ts';
import type { Action, Property, StatePredicate, Trace } from '../system/system.ts';
import { actionText } from '../system/text.ts';

/**
 * - `ENGINE_MISSING`: a program that the engine needs is not on the PATH, or the jar is not named.
 * - `ENGINE_FAILED`: it ended without an answer that can be read.
 * - `ENGINE_DISAGREES`: it reaches what the statecharts cannot do.
 */
export class EngineError extends CodedError<'ENGINE_MISSING' | 'ENGINE_FAILED' | 'ENGINE_DISAGREES'> {}

/**
 * The report of another engine: Baton's own, with the engine's name. `coverage` is that of the exploration that filled the table.
 * Memory is 0 where the engine does not tell it.
 */
export interface EngineReport extends Report {
  /** Name and version. */
  readonly engine: string;
}

export interface EngineOptions {
  /** Seconds for each program that is run. Default: no limit. */
  readonly maxSeconds?: number;
  readonly signal?: AbortSignal;
  /** Called with a line that says how far the engine is. */
  readonly onProgress?: (line: string) => void;
  /** SPIN alone: search at random in several processes instead of exploring all states in one. */
  readonly swarm?: Swarm;
  /** TLC alone: explore by its server and several workers instead of in one process. */
  readonly distributed?: Distributed;
}

/**
 * TLC's distributed mode: a server that keeps the states seen and those to explore, and workers that take their steps. Source: the
 * TLA+ tools, package `tlc2.tool.distributed`.
 */
export interface Distributed {
  /** Number of workers. Each is a process of its own, with one thread. */
  readonly workers: number;
  /** Number of processes that share the set of states seen. Default: none; the server keeps it. */
  readonly fingerprintServers?: number;
  /** Where the server listens, for workers of other machines as well. Default: the loopback interface, at a free port. */
  readonly address?: { readonly host: string; readonly port: number };
  /** Called as a worker begins, from 1 on, with its process. */
  readonly onWorker?: (worker: number, pid: number) => void;
  /** Called as a fingerprint server begins, from 1 on, with its process. */
  readonly onFingerprintServer?: (server: number, pid: number) => void;
}

/**
 * A swarm of searches. Each goes another way and keeps one hash of a state, so that much fits into little memory; none is
 * exhaustive. Source: G. Holzmann, R. Joshi, A. Groce, *Swarm verification techniques*, IEEE TSE 37(6), 2011.
 */
export interface Swarm {
  /** Number of searches. As many run at once as the machine has processors. */
  readonly searches: number;
  /** The seed of the first search; each other has the next number. Default: 1. Hosts that share a swarm take different ones. */
  readonly firstSeed?: number;
  /** Called as a search begins, with its process. */
  readonly onSearch?: (seed: number, pid: number) => void;
}

/** Whether an action of ours can be a step of an engine's counterexample. */
export type Matches = (action: Action) => boolean;

/** Whether two actions are one, in whatever order their keys stand. */
export function sameAction(left: Action, right: Action): boolean {
  const sorted = (action: Action) =>
    JSON.stringify(Object.entries(action).sort(([one], [other]) => (one < other ? -1 : 1)));
  return sorted(left) === sorted(right);
}

/**
 * Takes an engine's counterexample again, through the real statecharts: one action of ours for each step. Where several actions match
 * a step, or there are several initial states, each is followed. The trace is of a way that breaks the property; a lasso must be fair
 * by Baton's definition. Throws `ENGINE_DISAGREES` where there is none. `loop`: as in a trace.
 */
export function taken(
  compiled: Compiled,
  property: Property,
  steps: readonly Matches[],
  loop?: number,
): Trace {
  const { model } = compiled;
  let ways: readonly Way[] = model.initial.map((state) => ({ path: [], states: [state] }));
  for (const [index, matches] of steps.entries()) {
    const could: string[] = [];
    const next = new Map<string, Way>();
    for (const { path, states } of ways) {
      const state = states[index]!;
      for (const { process, step, after } of successors(model, state)) {
        const action = compiled.action(step.action);
        could.push(actionText(action));
        if (!matches(action)) continue;
        const same = (other: unknown) => JSON.stringify(other) === JSON.stringify(step);
        const at = model.steps(process, state[process]!).findIndex(same);
        const way = { path: [...path, { process, step: at }], states: [...states, after] };
        const key = [after, way.states[loop ?? 0]].join(';');
        if (!next.has(key)) next.set(key, way);
      }
    }
    if (next.size === 0) {
      throw new EngineError(
        'ENGINE_DISAGREES',
        `Step ${index + 1} of the engine's counterexample is none of the statecharts'. They can take: ${could.join('; ') || 'nothing'}.`,
      );
    }
    ways = [...next.values()];
  }
  let why = '';
  for (const { path, states } of ways) {
    const reason = whyUnbroken(compiled, property, { path, states }, loop);
    if (reason === null) return traceOf(compiled, path, loop, states[0]);
    why ||= reason;
  }
  throw new EngineError(
    'ENGINE_DISAGREES',
    `The engine says that '${property.name}' does not hold, by ${steps.length} steps that the statecharts take. ${why}`,
  );
}

interface Way {
  readonly path: readonly PathStep[];
  readonly states: readonly (readonly number[])[];
}

/** Why a way is no counterexample; `null` if it is one. */
function whyUnbroken(
  compiled: Compiled,
  property: Property,
  { path, states }: Way,
  loop: number | undefined,
): string | null {
  if (isOfRuns(property)) {
    const from = loop ?? path.length;
    return whyNoLasso(compiled, property, {
      initial: states[0]!,
      stem: path.slice(0, from),
      loop: path.slice(from),
    });
  }
  const last = states.at(-1)!;
  const predicate = predicateOf(property);
  const holds = predicate !== null && evaluate(predicate, compiled.decode(last));
  const moves = property.kind === 'deadlockFree' && successors(compiled.model, last).next().done !== true;
  return holds || moves ? 'It holds in the last state.' : null;
}

/** The predicate of a property of states. */
export function predicateOf(property: Property): StatePredicate | null {
  if (property.kind === 'always') return whereItSpeaks(property);
  if (property.kind === 'reachable') return property.predicate;
  return property.kind === 'deadlockFree' ? (property.quiescent ?? null) : null;
}

/** Why a report is not complete that has left out `cut` states alone, in Baton's words. */
export const cutText = (cut: number): { readonly incomplete?: string } =>
  cut === 0 ? {} : { incomplete: whyStopped('constraint', {}, cut) };
