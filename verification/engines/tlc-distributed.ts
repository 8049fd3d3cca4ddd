import { randomInt } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Distributed, EngineError } from './engine.ts';
import { type ProgramOptions, ran } from './program.ts';

const loopback = '127.0.0.1';

/**
 * Runs TLC's server and its workers on this machine, each a process of its own, until the server ends, and returns what the server
 * says. Other workers take the states of a worker that dies. Throws `ENGINE_FAILED` when none is left.
 *
 * The server hands out one state at a time. TLC subtracts the number of such calls from the steps that it counts, and adds the number
 * of states: with one state in each call the sum is exact, also when a worker dies.
 */
export async function ranDistributed(
  jar: string,
  args: readonly string[],
  { workers, onWorker }: Distributed,
  options: ProgramOptions,
): Promise<string> {
  // Below the ports that Linux gives to clients.
  const port = randomInt(20_000, 32_768);
  const over = new AbortController();
  const signal = options.signal === undefined ? over.signal : AbortSignal.any([options.signal, over.signal]);
  const java = async (name: string, flags: readonly string[], more: Partial<ProgramOptions>) => {
    const folder = join(options.folder, name);
    await mkdir(folder, { recursive: true });
    const machine = [
      '-XX:+UseParallelGC',
      `-Djava.io.tmpdir=${folder}`,
      `-Djava.rmi.server.hostname=${loopback}`,
      `-Dtlc2.tool.distributed.TLCServer.port=${port}`,
    ];
    const { said } = await ran('java', [...machine, ...flags], { ...options, signal, ...more });
    return said;
  };
  const oneState = [
    '-Dtlc2.tool.distributed.selector.bsf.staticselector=true',
    '-Dtlc2.tool.distributed.TLCServerThread.BlockSize=1',
  ];
  const report = '-Dtlc2.tool.distributed.TLCServer.report=20000';
  const serving = ['-cp', jar, 'tlc2.tool.distributed.TLCServer', ...args];
  const server = java('server', [...oneState, report, ...serving], {});
  const working = Array.from({ length: workers }, (_, index) => {
    const oneThread = '-Dtlc2.tool.distributed.TLCWorker.threadCount=1';
    const flags = [oneThread, '-cp', jar, 'tlc2.tool.distributed.TLCWorker', loopback];
    const onStart = (pid: number) => onWorker?.(index + 1, pid);
    // The end of one worker is no fault while another is left.
    return java(`worker-${index + 1}`, flags, { onStart, onProgress: () => {} }).catch(
      (error: Error) => error.message,
    );
  });
  const left = Promise.all(working).then((all) => {
    // The server tells its workers to end before it ends itself.
    if (all.some((said) => said.includes('work completed at'))) return server;
    throw new EngineError('ENGINE_FAILED', noWorkerLeft(all.at(-1)!));
  });
  try {
    return await Promise.race([server, left]);
  } finally {
    over.abort();
    await Promise.allSettled([server, left]);
  }
}

function noWorkerLeft(said: string): string {
  const release = said.includes('NotSerializableException: tlc2.tool.fp')
    ? ' This release of TLC cannot give its workers the set of states: take the jar of release 1.7.4 (docs/engines.md).'
    : '';
  return `Every worker of TLC has ended before the exploration.${release} The last one said: ${said.slice(-600)}`;
}
