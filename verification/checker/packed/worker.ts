import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { CodedError } from '../../../machines/errors.ts';
import { Explorer } from './explorer.ts';
import { control } from './memory.ts';
import { PredicateEvaluator, sortPredicates } from './predicate-evaluator.ts';
import { Tables } from './tables.ts';
import { SearchError, type Sourced } from './types.ts';
import type { Order, Report, WorkerData } from './worker-pool.ts';

/** A thread of a search. It sleeps until there is an order, and reports when it is done. */
const { memory, worker, source, width, port } = workerData as WorkerData;
const words = new Int32Array(memory.buffer);

const sourced: Sourced | null =
  source === null ? null : await (await import(source.module))[source.export](source.args);
const what = sortPredicates(sourced ?? {});
const tables = sourced === null ? null : new Tables(sourced.model, what, sourced.symmetry ?? null);
const judge = new PredicateEvaluator(sourced?.predicates ?? [], what, width, tables, words, worker);
const explorer = new Explorer(memory, worker, judge);

function obey(order: Order): Report | null {
  if (order.kind === 'load') {
    explorer.load(order.shape);
    return null;
  }
  if (order.journal !== null && !tables!.replay(order.journal)) {
    throw new SearchError(
      'SOURCE_DIFFERS',
      `expected ${source!.module} to lead to the model that is explored, but it is another: give the source of this one`,
    );
  }
  judge.decided = order.decided;
  judge.deadlockDecided = order.deadlockDecided;
  for (const _ of explorer.work()) if (Atomics.load(words, control.stop >> 2) !== 0) break;
  explorer.finish();
  return { kind: 'done', findings: judge.report() };
}

let round = Atomics.load(words, control.round >> 2);
parentPort!.postMessage('ready');
for (;;) {
  Atomics.wait(words, control.round >> 2, round);
  round = Atomics.load(words, control.round >> 2);
  for (let got = receiveMessageOnPort(port); got; got = receiveMessageOnPort(port)) {
    let report: Report | null;
    try {
      report = obey(got.message);
    } catch (error) {
      report =
        error instanceof CodedError
          ? { kind: 'failed', coded: { name: error.name, code: error.code }, message: error.reason }
          : { kind: 'failed', coded: null, message: String((error as Error).stack) };
    }
    if (report !== null) port.postMessage(report);
    Atomics.sub(words, control.running >> 2, 1);
    Atomics.notify(words, control.running >> 2);
  }
}
