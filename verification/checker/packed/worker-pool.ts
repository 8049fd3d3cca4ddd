import { once } from 'node:events';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { CodedError } from '../../../machines/errors.ts';
import type { KernelShape } from './kernel/shape.ts';
import { control } from './memory.ts';
import type { Findings } from './predicate-evaluator.ts';
import { type ModelSource, SearchError, type SearchErrorCode } from './types.ts';

import type { SharedMemory } from './webassembly.ts';

/** The data with which a thread starts. */
export interface WorkerData {
  readonly memory: SharedMemory;
  readonly worker: number;
  readonly source: ModelSource | null;
  readonly width: number;
  readonly port: MessagePort;
}

/** An order to a thread: adopt a layout, or work until the frontier is empty. */
export type Order =
  | { readonly kind: 'load'; readonly shape: Omit<KernelShape, 'worker'> }
  | {
      readonly kind: 'work';
      /** The questions put to the model since the last order. `null`: the threads do not need them. */
      readonly journal: Int32Array | null;
      readonly decided: readonly boolean[];
      readonly deadlockDecided: boolean;
    };

export type Report =
  | { readonly kind: 'done'; readonly findings: Findings }
  | {
      readonly kind: 'failed';
      /** Name and code of a `CodedError`. `null` for any other error. */
      readonly coded: { readonly name: string; readonly code: string } | null;
      readonly message: string;
    };

interface Hand {
  readonly worker: Worker;
  readonly port: MessagePort;
}

/** The threads that work beside this one. They sleep between rounds. */
export class WorkerPool {
  /** Resolves when the threads have started or have failed: see `failure`. */
  readonly arrival: Promise<void>;
  arrived = false;
  failure: Error | null = null;
  private readonly hands: readonly Hand[];
  private readonly words: Int32Array;

  constructor(
    count: number,
    memory: SharedMemory,
    words: Int32Array,
    width: number,
    source: ModelSource | null,
  ) {
    this.words = words;
    this.hands = Array.from({ length: count }, (_, i) => {
      const { port1, port2 } = new MessageChannel();
      const workerData: WorkerData = { memory, worker: i + 1, source, width, port: port2 };
      const url = new URL('./worker.mjs', import.meta.url);
      return { worker: new Worker(url, { workerData, transferList: [port2] }), port: port1 };
    });
    for (const { worker } of this.hands) {
      worker.on('error', (error) => {
        this.failure = error as Error;
      });
    }
    this.arrival = Promise.all(this.hands.map(({ worker }) => once(worker, 'message'))).then(
      () => {
        this.arrived = true;
      },
      (error: Error) => {
        this.failure = error;
      },
    );
  }

  /** Gives all threads an order and wakes them. */
  order(order: Order): void {
    Atomics.add(this.words, control.running >> 2, this.hands.length);
    for (const { port } of this.hands) port.postMessage(order);
    Atomics.add(this.words, control.round >> 2, 1);
    Atomics.notify(this.words, control.round >> 2);
  }

  /** Waits until all threads have carried out the order. Calls `meanwhile` every few milliseconds. */
  async settle(meanwhile: () => Promise<void>): Promise<Findings[]> {
    for (;;) {
      const running = Atomics.load(this.words, control.running >> 2);
      if (running === 0) break;
      Atomics.wait(this.words, control.running >> 2, running, 5);
      await meanwhile();
      if (this.failure !== null) throw this.failure;
    }
    const findings: Findings[] = [];
    for (const { port } of this.hands) {
      for (let got = receiveMessageOnPort(port); got; got = receiveMessageOnPort(port)) {
        const report: Report = got.message;
        if (report.kind === 'done') findings.push(report.findings);
        else throw revived(report);
      }
    }
    return findings;
  }

  async dismiss(): Promise<void> {
    await Promise.all(this.hands.map(({ worker }) => worker.terminate()));
    for (const { port } of this.hands) port.close();
  }
}

/** The error of another thread. Its class is lost in transit; its name and code are kept. */
function revived({ coded, message }: Extract<Report, { kind: 'failed' }>): Error {
  if (coded === null) return new Error(message);
  const { name, code } = coded;
  if (name === SearchError.name) return new SearchError(code as SearchErrorCode, message);
  return Object.assign(new CodedError(code, message), { name });
}
