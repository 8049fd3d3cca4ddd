import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FromSite, ToSite } from './messages.ts';

const baton = fileURLToPath(new URL('../../cli/baton.mjs', import.meta.url));

/** A failure of the harness itself, which says nothing about the sites. */
export class ChaosError extends Error {
  readonly code = 'CHAOS_FAILED';
}

const maxIdle = 4;

/** A process that hosts one site after the other. */
export class SiteProcess {
  onMessage: (message: FromSite) => void = () => undefined;
  /** `why`: the exit status or the signal, and the last output. */
  onExit: (why: string) => void = () => undefined;
  readonly loaded: Promise<void>;
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  #stderr = '';

  constructor(entry: string) {
    this.#child = fork(entry, ['chaos-site'], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-2_000);
    });
    // On `close` all of its output has arrived.
    this.ended = once(this.#child, 'close').then(([status, signal]) => {
      this.onExit([`${status ?? signal}`, this.#stderr.trim()].filter((text) => text !== '').join('\n'));
    });
    this.loaded = new Promise((resolve, reject) => {
      this.#child.on('message', (message: FromSite) => {
        if (message.type === 'loaded') resolve();
        else this.onMessage(message);
      });
      this.ended.then(
        () => reject(new ChaosError(`a site process ended before it was loaded: ${this.#stderr}`)),
        reject,
      );
    });
    // A later caller of `loaded` gets the error.
    this.loaded.catch(() => undefined);
  }

  get alive(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  tell(message: ToSite): void {
    // A process that ends at this moment cannot receive it; `ended` reports that.
    if (this.#child.connected) this.#child.send(message, (error) => error && this.#lost(error));
  }

  #lost(error: Error): void {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }

  signal(name: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): void {
    if (this.alive) this.#child.kill(name);
  }

  /**
   * Limits the size of its files in bytes (`ulimit -f`), or the number of its descriptors (`ulimit -n`): with 1 byte the kernel answers every
   * write as on a full disk. The hard limit stays, so that this can be undone.
   */
  limit(resource: 'fsize' | 'nofile', most: string): void {
    if (!this.alive) return;
    const args = ['--pid', `${this.#child.pid}`, `--${resource}=${most}:`];
    const { error, status, stderr } = spawnSync('prlimit', args, { encoding: 'utf8' });
    // A process that has ended meanwhile writes nothing either; Node may not know yet.
    if (error || (status !== 0 && !/no such process/i.test(stderr)))
      throw new ChaosError(
        `prlimit, of util-linux, is needed to limit a process: ${error?.message ?? stderr}`,
      );
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }
}

/** A pool of loaded processes: to start one takes longer than most faults last. */
export class SitePool {
  readonly #entry: string;
  readonly #idle: SiteProcess[] = [];
  readonly #all = new Set<SiteProcess>();
  #ended = false;
  readonly #killAll = () => {
    for (const process of this.#all) process.signal('SIGKILL');
  };

  /** `entry`: the program `baton` that the processes run. */
  constructor(entry = baton) {
    this.#entry = entry;
    process.once('exit', this.#killAll);
  }

  /** Starts a spare process, unless there are enough. */
  prepare(): void {
    if (this.#idle.length < maxIdle) this.#idle.push(this.#start());
  }

  async take(): Promise<SiteProcess> {
    const process = this.#idle.shift() ?? this.#start();
    await process.loaded;
    return process;
  }

  /** Takes back a process whose site is closed. */
  give(process: SiteProcess): void {
    process.onMessage = () => undefined;
    process.onExit = () => undefined;
    if (process.alive) this.#idle.push(process);
  }

  async end(): Promise<void> {
    this.#ended = true;
    await Promise.all([...this.#all].map((process) => process.kill()));
    process.off('exit', this.#killAll);
  }

  #start(): SiteProcess {
    if (this.#ended) throw new ChaosError('no process is started any more');
    const process = new SiteProcess(this.#entry);
    this.#all.add(process);
    const gone = () => {
      this.#all.delete(process);
      const index = this.#idle.indexOf(process);
      if (index >= 0) this.#idle.splice(index, 1);
    };
    process.ended.then(gone, gone);
    return process;
  }
}
