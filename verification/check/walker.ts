import { parentPort, workerData } from 'node:worker_threads';
import { CodedError } from '../../machines/errors.ts';
import { type SimulateOptions, simulate } from './simulate.ts';
import { type SystemSource, systemFrom } from './source.ts';
import type { Walked } from './swarm.ts';

/** A thread of a swarm: it takes its share of the runs and reports the result. */
const { source, options } = workerData as {
  readonly source: SystemSource;
  readonly options: Omit<SimulateOptions, 'onProgress' | 'signal'>;
};
const controller = new AbortController();
parentPort!.once('message', () => controller.abort());
const tell = (walked: Walked) => parentPort!.postMessage(walked);
try {
  const report = await simulate(await systemFrom(source), {
    ...options,
    signal: controller.signal,
    onProgress: (progress) => tell({ progress }),
  });
  tell({ report });
} catch (error) {
  if (!(error instanceof CodedError)) throw error;
  tell({ failed: { name: error.name, code: error.code, reason: error.reason } });
}
parentPort!.close();
