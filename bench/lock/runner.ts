import { freePort } from '../../runtime/testing/free-ports.ts';
import type { Contender } from './contenders.ts';
import { type Figures, figuresOf } from './figures.ts';
import { type Cores, Processes } from './processes.ts';
import type { Scenario } from './scenarios.ts';
import type { Server } from './servers/servers.ts';

/** One contender in one scenario: its server, its processes, and the figures of each turn. */
export class Runner {
  readonly contender: Contender;
  readonly turns: Figures[] = [];
  /** The reason why there are no figures: a server that is not available here, or an error. */
  failure: string | null = null;
  #server: Server | null = null;
  #processes: Processes | null = null;

  private constructor(contender: Contender) {
    this.contender = contender;
  }

  static async open(contender: Contender, scenario: Scenario, cores: Cores): Promise<Runner> {
    const runner = new Runner(contender);
    if (contender.hasOneLock && scenario.locks > 1) runner.failure = 'has one lock';
    else if (contender.isFloor && scenario.processes === 1) runner.failure = 'needs two processes';
    else await runner.#try(() => runner.#open(scenario, cores));
    return runner;
  }

  /** Runs the same work that will be measured, so that its code is compiled before. */
  warm(seconds: number): Promise<void> {
    return this.#try(async () => void (await this.#processes!.work(seconds * 1_000)));
  }

  /** Measures once, after a short run-up, because the contender was idle while others were measured. */
  turn(seconds: number): Promise<void> {
    return this.#try(async () => {
      await this.#processes!.work(300);
      await this.#measure(seconds);
    });
  }

  /** Measures once, without a run-up. */
  measure(seconds: number): Promise<void> {
    return this.#try(() => this.#measure(seconds));
  }

  /** May be called only if the contender has not failed. */
  killHolder(boundSeconds: number): Promise<number> {
    return this.#processes!.killHolder(boundSeconds);
  }

  async stop(): Promise<void> {
    await this.#processes?.stop();
    await this.#server?.stop();
  }

  async #measure(seconds: number): Promise<void> {
    this.turns.push(figuresOf(await this.#processes!.work(seconds * 1_000), seconds));
  }

  async #open(scenario: Scenario, cores: Cores): Promise<void> {
    const started = await this.contender.server?.(freePort);
    if (typeof started === 'string') {
      this.failure = started;
      return;
    }
    this.#server = started ?? null;
    this.#processes = await Processes.open(this.contender, scenario, this.#server?.ports ?? null, cores);
  }

  async #try(action: () => Promise<void>): Promise<void> {
    if (this.failure !== null) return;
    try {
      await action();
    } catch (error) {
      this.failure = reasonOf(error);
    }
  }
}

export function reasonOf(error: unknown): string {
  return `failed: ${error instanceof Error ? error.message : String(error)}`;
}
