import { readFileSync } from 'node:fs';
import { reasonOf } from '../../machines/errors.ts';
import type { Report } from '../../verification/check/check.ts';
import { UsageError } from '../../verification/check/errors.ts';
import { compile, replayTrace, SystemError, traceText } from '../../verification/system/index.ts';
import type { System, Trace } from '../../verification/system/system.ts';
import { traceMermaid } from '../../verification/timeline/mermaid.ts';
import { traceShiViz } from '../../verification/timeline/shiviz.ts';
import type { VerifyOptions } from './options.ts';

/** The formats of a trace, by their names for `--trace`. */
export const traceFormats: Readonly<Record<VerifyOptions['trace'], (trace: Trace) => string>> = {
  text: traceText,
  json: (trace) => JSON.stringify(trace, null, 2),
  mermaid: traceMermaid,
  shiviz: traceShiViz,
};

/** A trace from a file, and whether the system can take it. */
export interface TakenAgain {
  /** The property that it violates, if the file names one. */
  readonly property: string | null;
  readonly trace: Trace;
  /**
   * The step that the system refused, and the steps that were possible instead; `null` when it took them all.
   */
  readonly refusal: string | null;
}

/**
 * Repeats the traces of `file`: one trace as written by `--trace json`, or all traces of a report written by
 * `--json`. Throws `UsageError` if the file has none, `SystemError` if the system cannot be explored.
 */
export function takeAgain(system: System, file: string): TakenAgain[] {
  const traces = tracesOf(parse(file));
  if (traces.length === 0)
    throw new UsageError(`no trace in ${file}: expected what --trace json or --json writes`);
  const compiled = compile(system);
  return traces.map((found) => {
    try {
      replayTrace(compiled, found.trace);
      return { ...found, refusal: null };
    } catch (error) {
      if (error instanceof SystemError && error.code === 'TRACE_REFUSED')
        return { ...found, refusal: error.message };
      throw error;
    }
  });
}

function tracesOf(json: unknown): Pick<TakenAgain, 'property' | 'trace'>[] {
  if (isTrace(json)) return [{ property: null, trace: json }];
  const { properties } = (json ?? {}) as Partial<Report>;
  if (!Array.isArray(properties)) return [];
  return (properties as Report['properties']).flatMap(({ name, trace }) =>
    isTrace(trace) ? [{ property: name, trace }] : [],
  );
}

function isTrace(value: unknown): value is Trace {
  return typeof value === 'object' && value !== null && 'initial' in value && 'steps' in value;
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`cannot read a trace from ${file}: ${reasonOf(error)}`);
  }
}
