import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { CodedError } from '../../machines/errors.ts';
import type { Judged, Progress, Report } from './report.ts';
import type { SimulateOptions } from './simulate.ts';
import type { SystemSource } from './source.ts';

/** A message of a thread of a swarm. */
export interface Walked {
  readonly progress?: Progress;
  readonly report?: Report;
  /** The coded error that ended the thread. */
  readonly failed?: { readonly name: string; readonly code: string; readonly reason: string };
}

/**
 * Runs a share of the seeds in each of `workers` threads, which find the system by `source`, and puts their reports
 * together. If several threads violate a property, the shortest trace counts.
 */
export async function swarm(
  source: SystemSource,
  workers: number,
  { seeds = 1_000, firstSeed = 1, signal, onProgress, ...options }: SimulateOptions,
): Promise<Report> {
  const started = performance.now();
  const progress: Progress[] = [];
  const share = (index: number) => Math.floor((seeds * index) / workers);
  const reports = await Promise.all(
    Array.from({ length: Math.min(workers, seeds) }, async (_, index) => {
      const mine = {
        ...options,
        firstSeed: firstSeed + share(index),
        seeds: share(index + 1) - share(index),
      };
      const worker = new Worker(new URL('./walker.mjs', import.meta.url), {
        workerData: { source, options: mine },
      });
      const abort = () => worker.postMessage('stop');
      signal?.addEventListener('abort', abort, { once: true });
      let last: Walked = {};
      worker.on('message', (walked: Walked) => {
        last = walked;
        if (walked.progress === undefined) return;
        progress[index] = walked.progress;
        onProgress?.(together(progress.filter((one) => one !== undefined)));
      });
      try {
        const [status] = await once(worker, 'exit');
        if (last.failed !== undefined) throw failureOf(last.failed);
        if (last.report === undefined) throw new Error(`a thread of the swarm ended with status ${status}`);
        return last.report;
      } finally {
        signal?.removeEventListener('abort', abort);
      }
    }),
  );
  return merged(reports, (performance.now() - started) / 1_000);
}

function failureOf({ name, code, reason }: NonNullable<Walked['failed']>): CodedError<string> {
  const error = new CodedError(code, reason);
  error.name = name;
  return error;
}

const total = <Key extends string>(parts: readonly Readonly<Record<Key, number>>[], key: Key): number =>
  parts.reduce((sum, part) => sum + part[key], 0);

function together(parts: readonly Progress[]): Progress {
  return {
    ...parts[0]!,
    states: total(parts, 'states'),
    transitions: total(parts, 'transitions'),
    statesPerSecond: total(parts, 'statesPerSecond'),
    frontier: total(parts, 'frontier'),
    depth: Math.max(...parts.map(({ depth }) => depth)),
    // Threads share one process.
    memoryBytes: process.memoryUsage().rss,
  };
}

function merged(reports: readonly Report[], seconds: number): Report {
  const first = reports[0]!;
  const steps = total(reports, 'states');
  const incomplete = whole(reports);
  const properties = first.properties.map((_, index) => {
    const found = reports.map(({ properties }) => properties[index]!);
    const best = found.reduce((one, other) => (lengthOf(other) < lengthOf(one) ? other : one));
    return best.verdict === 'incomplete' ? { ...best, reason: incomplete } : best;
  });
  const never = (machine: number) =>
    first.coverage[machine]!.never.filter((transition) =>
      reports.every(({ coverage }) =>
        coverage[machine]!.never.some((other) => JSON.stringify(other) === JSON.stringify(transition)),
      ),
    );
  return {
    ...first,
    ...{ states: steps, transitions: steps, seconds, statesPerSecond: steps / seconds, incomplete },
    depth: Math.max(...reports.map(({ depth }) => depth)),
    workers: reports.length,
    properties,
    coverage: first.coverage.map((machine, index) => ({ ...machine, never: never(index) })),
  };
}

/** Returns one sentence for all shares. */
function whole(reports: readonly Report[]): string {
  const runs = reports.reduce((sum, { incomplete = '' }) => sum + Number.parseInt(incomplete, 10), 0);
  return reports[0]!.incomplete!.replace(/^\d+/, String(runs));
}

function lengthOf({ trace }: Judged): number {
  return trace?.steps.length ?? Number.POSITIVE_INFINITY;
}
