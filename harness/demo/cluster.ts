import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Figures, FromSite, OpenSite, ToSite } from './messages.ts';

const baton = fileURLToPath(new URL('../../cli/baton.mjs', import.meta.url));

/** A site process failed to follow an instruction, or not in time. */
export class ClusterError extends Error {
  readonly code = 'SITE_PROCESS_FAILED';
}

export interface ClusterOptions {
  readonly sites: readonly string[];
  readonly resource: string;
  readonly trace: string;
  /** Make the sites watchable. A site that a signal kills is then missed by the others, and is no failure. */
  readonly isWatched: boolean;
  /** Called with the site that was killed, and with the fault of a connection: only if the sites are watched. */
  readonly say: (text: string) => void;
  /** Ends every wait, with its reason. */
  readonly signal: AbortSignal;
}

/** N sites as N processes on loopback TCP. After `end` none of them runs. */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #processes: ReadonlyMap<string, SiteProcess>;

  constructor(options: ClusterOptions) {
    this.#options = options;
    const watcher: Watcher = {
      killed: (site, signal) => {
        const others = this.hasMajority ? 'go on without it' : 'are no majority: none of them can enter';
        options.say(`site ${site} was killed (${signal}); the others ${others}`);
      },
      fault: options.say,
    };
    this.#processes = new Map(
      options.sites.map((site) => [site, new SiteProcess(site, options.isWatched ? watcher : null)]),
    );
  }

  /**
   * Every process loads, then opens its site: the last first, since a site dials those that come after it. Answers with
   * where each may be watched.
   */
  async open(): Promise<readonly string[]> {
    const { sites, resource, trace, isWatched } = this.#options;
    const watched: string[] = [];
    const root = sites[0]!;
    await this.#all('loaded', 30_000);
    const unused = { host: '127.0.0.1', port: 1 };
    const peers: Record<string, OpenSite['peers'][string]> = Object.fromEntries(
      sites.map((site) => [site, unused]),
    );
    for (const site of [...sites].reverse()) {
      const { [site]: _, ...others } = peers;
      const siteProcess = this.#processes.get(site)!;
      siteProcess.tell({
        type: 'open',
        site,
        cluster: `baton demo ${process.pid}`,
        root,
        peers: others,
        resource,
        dataDir: join(resource, 'data'),
        trace,
        isWatched,
      });
      const { address, watch } = await this.#wait(siteProcess, 'opened', 10_000);
      peers[site] = address;
      if (watch !== null) watched.push(watch);
    }
    await this.#all('ready', 10_000);
    return watched;
  }

  start(): void {
    for (const siteProcess of this.#processes.values()) siteProcess.tell({ type: 'start' });
  }

  /** The latest figures of each site. */
  get figures(): Readonly<Record<string, Figures>> {
    return Object.fromEntries([...this.#processes].map(([site, { figures }]) => [site, figures]));
  }

  /** The process of each site. */
  get pids(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#processes].map(([site, { pid }]) => [site, pid]));
  }

  /** The sites that were killed while they were watched. */
  get killed(): readonly string[] {
    return [...this.#processes].filter(([, { isKilled }]) => isKilled).map(([site]) => site);
  }

  /** Without a majority no site enters, and none can hand the lock on. */
  get hasMajority(): boolean {
    return 2 * (this.#processes.size - this.killed.length) > this.#processes.size;
  }

  /** The failure of a process, or null. */
  get failure(): string | null {
    for (const { failure } of this.#processes.values()) if (failure !== null) return failure;
    return null;
  }

  /**
   * Stops all sites, and lets all leave once no site holds or wants the lock: without a majority of the
   * voters the last one would wait for ever. Returns the number of critical sections of each site that lives.
   */
  async leave(): Promise<Readonly<Record<string, number>>> {
    for (const siteProcess of this.#processes.values()) siteProcess.tell({ type: 'stop' });
    await this.#all('rests', 15_000);
    for (const siteProcess of this.#processes.values()) siteProcess.tell({ type: 'leave' });
    const left = await this.#all('left', 15_000);
    await Promise.all([...this.#processes.values()].map((siteProcess) => siteProcess.ended(5_000)));
    return Object.fromEntries(left.map(([site, { criticalSections }]) => [site, criticalSections]));
  }

  /** Kills the processes that still run, and waits for their end. */
  async end(): Promise<void> {
    await Promise.all([...this.#processes.values()].map((siteProcess) => siteProcess.kill()));
  }

  #all<Type extends FromSite['type']>(type: Type, withinMs: number) {
    const living = [...this.#processes].filter(([, { isKilled }]) => !isKilled);
    const waits = living.map(async ([site, siteProcess]) => {
      const message = await this.#wait(siteProcess, type, withinMs);
      return [site, message] as const;
    });
    return Promise.all(waits);
  }

  #wait<Type extends FromSite['type']>(siteProcess: SiteProcess, type: Type, withinMs: number) {
    return siteProcess.hear(type, withinMs, this.#options.signal);
  }
}

/** Told of kills and of faults of connections where they are no failures. */
interface Watcher {
  killed(site: string, signal: NodeJS.Signals): void;
  fault(text: string): void;
}

class SiteProcess {
  readonly site: string;
  failure: string | null = null;
  isKilled = false;
  readonly #watcher: Watcher | null;
  figures: Figures = { criticalSections: 0, sent: {} };
  readonly #ended: Promise<true>;
  readonly #child: ChildProcess;
  readonly #heard = new Map<string, FromSite>();
  readonly #changed = new EventEmitter().setMaxListeners(0);
  #stderr = '';
  #isOver = false;

  constructor(site: string, watcher: Watcher | null) {
    this.site = site;
    this.#watcher = watcher;
    this.#child = fork(baton, ['demo-site'], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4_000);
    });
    this.#child.on('message', (message: FromSite) => this.#take(message));
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', (status, signal) => {
        if (!this.#isOver && !this.#heard.has('left')) this.#end(status, signal);
        resolve(true);
      });
      this.#child.once('error', (error) => this.#fail(`cannot be started: ${error.message}`));
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  tell(message: ToSite): void {
    // If the process is gone, its failure is reported at the waiting call.
    if (this.#child.connected) this.#child.send(message);
  }

  /** The first message of `type`, which may have come already. */
  async hear<Type extends FromSite['type']>(
    type: Type,
    withinMs: number,
    signal: AbortSignal,
  ): Promise<Extract<FromSite, { type: Type }>> {
    const late = AbortSignal.timeout(withinMs);
    const given = AbortSignal.any([late, signal]);
    while (!this.#heard.has(type)) {
      if (this.failure !== null) throw new ClusterError(this.failure);
      if (this.isKilled) throw new ClusterError(`site ${this.site} was killed before it was ${type}`);
      if (late.aborted) throw new ClusterError(`site ${this.site} is not ${type} after ${withinMs / 1000} s`);
      given.throwIfAborted();
      await once(this.#changed, 'changed', { signal: given }).catch((error: Error) => {
        if (error.name !== 'AbortError') throw error;
      });
    }
    return this.#heard.get(type) as Extract<FromSite, { type: Type }>;
  }

  /** Resolves once the process has ended by itself. */
  async ended(withinMs: number): Promise<void> {
    const late = sleep(withinMs, false, { ref: false });
    if (!(await Promise.race([this.#ended, late]))) {
      throw new ClusterError(`site ${this.site} has left, and goes on running`);
    }
  }

  async kill(): Promise<void> {
    if (this.#child.pid === undefined) return;
    this.#isOver = true;
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #take(message: FromSite): void {
    if (message.type === 'failed') this.#fail(message.reason);
    else if (message.type === 'fault') this.#fault(message.reason);
    const measured =
      message.type === 'stopped' || (message.type === 'progress' && !this.#heard.has('stopped'));
    if (measured) this.figures = message;
    this.#heard.set(message.type, message);
    this.#changed.emit('changed');
  }

  #end(status: number | null, signal: NodeJS.Signals | null): void {
    // Before it has begun, and while the sites leave, all are needed.
    const isAtWork = this.#heard.has('progress') && !this.#heard.has('stopped');
    if (this.#watcher !== null && signal !== null && isAtWork) {
      this.isKilled = true;
      this.#watcher.killed(this.site, signal);
      this.#changed.emit('changed');
    } else this.#fail(`ended with status ${status ?? signal}`);
  }

  #fault(reason: string): void {
    if (this.#watcher === null) this.#fail(reason);
    else this.#watcher.fault(`site ${this.site}: ${reason}`);
  }

  #fail(reason: string): void {
    const said = this.#stderr.trim();
    this.failure ??= `site ${this.site}: ${reason}${said === '' ? '' : `\n${said}`}`;
    this.#changed.emit('changed');
  }
}
