import { randomInt } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Distributed, EngineError, type EngineOptions } from './engine.ts';
import { EngineKilled, type ProgramOptions, ran } from './program.ts';

const loopback = '127.0.0.1';

/**
 * Runs TLC's server with its workers and fingerprint servers on this machine, each a process of its own, until the server ends. Other workers take the states of a worker that dies. Throws `ENGINE_FAILED` when none of this machine is
 * left, and when a fingerprint server dies, because TLC takes the states that it knew for new ones.
 *
 * The server hands out one state at a time. TLC subtracts the number of such calls from the steps that it counts, and adds the number
 * of states: with one state in each call the sum is exact, also when a worker dies.
 */
export async function ranDistributed(
  jar: string,
  args: readonly string[],
  distributed: Distributed,
  options: ProgramOptions,
): Promise<Explored> {
  const { fingerprintServers = 0, address } = distributed;
  const { host = loopback, port = freePort() } = address ?? {};
  const over = new AbortController();
  const run = programOf({ host, port }, host, options, over.signal);
  const server = run(
    'server',
    [
      '-Dtlc2.tool.distributed.selector.bsf.staticselector=true',
      '-Dtlc2.tool.distributed.TLCServerThread.BlockSize=1',
      '-Dtlc2.tool.distributed.TLCServer.report=20000',
      `-Dtlc2.tool.distributed.TLCServer.expectedFPSetCount=${fingerprintServers}`,
      '-cp',
      jar,
      'tlc2.tool.distributed.TLCServer',
      ...args,
    ],
    {},
  );
  const helping = helpers(run, jar, host, distributed, { onProgress: () => undefined });
  const left = helping.workers.then((all) => {
    // The server tells its workers to end before it ends itself.
    if (all.some(isDone)) return server;
    throw new EngineError('ENGINE_FAILED', noWorkerLeft(all.at(-1)!));
  });
  try {
    const said = await Promise.race([server, left, helping.failed]);
    if (/to the fp server at/.test(said))
      throw new EngineError('ENGINE_FAILED', fingerprintsLost('TLC cannot reach it'));
    if (fingerprintServers === 0) return { said, isCounted: true };
    // The server then adds the questions to fingerprint servers instead of the steps, and each worker tells its own number.
    const steps = (await helping.workers).map(
      (text) => /work completed at: .* Computed: (\d+)/.exec(text)?.[1],
    );
    const joined = [...said.matchAll(/Registration for worker at/g)].length;
    const isCounted = joined === steps.length && !steps.includes(undefined);
    return { said, isCounted, ...(isCounted && { steps: steps.reduce((sum, one) => sum + Number(one), 0) }) };
  } finally {
    over.abort();
    await Promise.allSettled([server, left, helping.ended]);
  }
}

export interface Explored {
  /** The output of the server. */
  readonly said: string;
  /** Whether all steps are counted. With fingerprint servers those of a worker that died, or of another machine, are not told. */
  readonly isCounted: boolean;
  /** The number of steps. Absent where the server tells it. */
  readonly steps?: number;
}

/** A server of TLC that another machine runs, and where it finds this one. */
export interface Joining extends Pick<Distributed, 'workers'> {
  readonly server: Address;
  /** The address of this machine, at which the server finds the workers. Default: the loopback interface. */
  readonly host?: string;
  /** How long the server may be gone before it is taken for done. Default: 60,000. */
  readonly patienceMs?: number;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Lends workers to TLC's server on another machine, which has the system, and waits for it at first as long as it takes. The server
 * explores once for each question that is asked alone, so the workers come again, until it stays away. Throws
 * `ENGINE_FAILED` if they end before an exploration does.
 */
export async function joinDistributed(
  jar: string,
  { server, host = loopback, workers, patienceMs = 60_000 }: Joining,
  options: EngineOptions,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'baton-tlc-'));
  try {
    for (let explored = 0; ; explored += 1) {
      const over = new AbortController();
      const gone = explored === 0 ? undefined : setTimeout(() => over.abort(), patienceMs);
      const onProgress = (line: string) => {
        clearTimeout(gone);
        options.onProgress?.(line);
      };
      const how = {
        ...options,
        engine: 'TLC',
        folder,
        progress: /^TLC worker with/,
        missing: javaMissing,
        onProgress,
      };
      const run = programOf(server, host, how, over.signal);
      const all = await helpers(run, jar, server.host, { workers }).workers;
      options.signal?.throwIfAborted();
      if (over.signal.aborted) return;
      if (!all.some(isDone)) throw new EngineError('ENGINE_FAILED', noWorkerLeft(all.at(-1)!));
    }
  } finally {
    // A process that was ended may still be writing.
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

export const javaMissing = 'TLC needs java on the PATH. Debian: apt install default-jre-headless.';

/** Below the ports that Linux gives to clients. */
const freePort = () => randomInt(20_000, 32_768);

type Run = (name: string, flags: readonly string[], more: Partial<ProgramOptions>) => Promise<string>;

/** Runs a class of TLC in a folder of its own. */
function programOf(server: Address, host: string, options: ProgramOptions, over: AbortSignal): Run {
  const signal = options.signal === undefined ? over : AbortSignal.any([options.signal, over]);
  return async (name, flags, more) => {
    const folder = join(options.folder, name);
    await mkdir(folder, { recursive: true });
    const machine = [
      '-XX:+UseParallelGC',
      `-Djava.io.tmpdir=${folder}`,
      `-Djava.rmi.server.hostname=${host}`,
      `-Dtlc2.tool.distributed.TLCServer.port=${server.port}`,
    ];
    return (await ran('java', [...machine, ...flags], { ...options, signal, ...more })).said;
  };
}

/** The processes of this machine that help a server. */
interface Helpers {
  /** The output of each worker, when all have ended. */
  readonly workers: Promise<readonly string[]>;
  /** Rejects when a fingerprint server dies. */
  readonly failed: Promise<never>;
  readonly ended: Promise<unknown>;
}

function helpers(
  run: Run,
  jar: string,
  serverHost: string,
  { workers, fingerprintServers = 0, onWorker, onFingerprintServer }: Distributed,
  more: Partial<ProgramOptions> = {},
): Helpers {
  const working = Array.from({ length: workers }, (_, index) => {
    const oneThread = '-Dtlc2.tool.distributed.TLCWorker.threadCount=1';
    const flags = [oneThread, '-cp', jar, 'tlc2.tool.distributed.TLCWorker', serverHost];
    const onStart = (pid: number) => onWorker?.(index + 1, pid);
    // The end of one worker is no fault while another is left.
    return run(`worker-${index + 1}`, flags, { ...more, onStart }).catch((error: Error) => error.message);
  });
  const keeping = Array.from({ length: fingerprintServers }, (_, index) => {
    const flags = ['-cp', jar, 'tlc2.tool.distributed.fp.DistributedFPSet', serverHost];
    const onStart = (pid: number) => onFingerprintServer?.(index + 1, pid);
    return run(`fingerprints-${index + 1}`, flags, { ...more, onStart });
  });
  const failed = new Promise<never>((_, reject) => {
    for (const one of keeping) {
      one.catch((error: unknown) => {
        if (error instanceof EngineKilled)
          reject(new EngineError('ENGINE_FAILED', fingerprintsLost(error.message)));
      });
    }
  });
  failed.catch(() => undefined);
  return { workers: Promise.all(working), failed, ended: Promise.allSettled([...working, ...keeping]) };
}

const isDone = (said: string) => said.includes('work completed at');

const fingerprintsLost = (why: string) =>
  `A fingerprint server is gone (${why}). TLC then takes states that it has seen for new ones, and its counts are wrong: run it again.`;

function noWorkerLeft(said: string): string {
  const release = said.includes('NotSerializableException: tlc2.tool.fp')
    ? ' This release of TLC cannot give its workers the set of states: take the jar of release 1.7.4 (docs/engines.md).'
    : '';
  return `Every worker of TLC has ended before the exploration.${release} The last one said: ${said.slice(-600)}`;
}
