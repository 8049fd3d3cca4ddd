import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../runtime/testing/free-ports.ts';
import type { Contender } from './contenders.ts';
import type { Scenario } from './scenarios.ts';
import { stopChild } from './servers/servers.ts';
import type { FromWorker, ToWorker } from './worker.ts';

const program = fileURLToPath(new URL('./worker.ts', import.meta.url));

/** On which cores the processes run: `any`, all on `one`, or `each` on its own as far as there are so many. */
export type Cores = 'any' | 'one' | 'each';

/** The processes of one scenario. */
export class Processes {
  readonly #children: readonly ChildProcess[];

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children;
  }

  static async open(
    contender: Contender,
    scenario: Scenario,
    serverPorts: readonly number[] | null,
    cores: Cores,
  ): Promise<Processes> {
    const count = contender.isLocal ? 1 : scenario.processes;
    const mine = contender.isLocal ? { ...scenario, tasks: scenario.tasks * scenario.processes } : scenario;
    const ports = serverPorts ?? (await Promise.all(Array.from({ length: count }, freePort)));
    const { clients = 1 } = mine;
    const children = Array.from({ length: count }, (_, index) => fork(program, nodeOn(cores, index)));
    const processes = new Processes(children);
    const module = new URL(`./contenders/${contender.module}.ts`, import.meta.url).href;
    await Promise.all(children.map((child) => heard(child, 'loaded')));
    await Promise.all(
      children.map((child, index) => {
        const places = Array.from({ length: clients }, (_, client) => ({
          index: index * clients + client,
          clients: count * clients,
          ports,
        }));
        return answer(child, { type: 'open', module, places, scenario: mine }, 'opened');
      }),
    );
    return processes;
  }

  /** Lets each client work for `forMs`, and returns its entries. */
  async work(forMs: number) {
    const answers = this.#children.map((child) => answer(child, { type: 'work', forMs }, 'worked'));
    return (await Promise.all(answers)).flatMap(({ entries }) => entries);
  }

  /**
   * Kills the holder once the second process waits, and returns the milliseconds until the second has the
   * lock. Throws when it does not have it after `boundSeconds`.
   */
  async killHolder(boundSeconds: number): Promise<number> {
    const [holder, waiter] = this.#children;
    await answer(holder!, { type: 'hold' }, 'held');
    const held = answer(waiter!, { type: 'hold' }, 'held');
    await sleep(300);
    const killed = Number(process.hrtime.bigint()) / 1e6;
    holder!.kill('SIGKILL');
    const bound = sleep(boundSeconds * 1_000, null, { ref: false });
    const answered = await Promise.race([held, bound]);
    if (answered === null) throw new Error(`nobody has the lock after ${boundSeconds} s`);
    return answered.at - killed;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.map(stopChild));
  }
}

function nodeOn(cores: Cores, index: number) {
  const loader = ['--import', 'tsx'];
  if (cores === 'any') return { execArgv: loader };
  const core = cores === 'one' ? 0 : index % availableParallelism();
  return { execPath: 'taskset', execArgv: ['--cpu-list', String(core), process.execPath, ...loader] };
}

type Answer<Type> = Extract<FromWorker, { readonly type: Type }>;

function answer<Type extends FromWorker['type']>(
  child: ChildProcess,
  question: ToWorker,
  type: Type,
): Promise<Answer<Type>> {
  child.send(question);
  return heard(child, type);
}

async function heard<Type extends FromWorker['type']>(
  child: ChildProcess,
  type: Type,
): Promise<Answer<Type>> {
  // A listener is removed as soon as its answer has come.
  const over = new AbortController();
  const { signal } = over;
  try {
    const gone = once(child, 'exit', { signal }).then(([code, ended]) => {
      throw new Error(`a process ended (${code ?? ended}) before it said '${type}'`);
    });
    const [message] = (await Promise.race([once(child, 'message', { signal }), gone])) as [FromWorker];
    if (message.type !== type) throw new Error(`expected '${type}' of a process, got '${message.type}'`);
    return message as Answer<Type>;
  } finally {
    over.abort();
  }
}
