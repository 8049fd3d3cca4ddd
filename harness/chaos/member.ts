import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address } from '../../runtime/api/peer.ts';
import type { Entry } from '../../verification/runs/histories/history.ts';
import type { FromSite, MemberChange, OpenSite, ToSite } from './messages.ts';
import { afterRunning, now } from './now.ts';
import { ChaosError, type SitePool, type SiteProcess } from './processes.ts';

/** Limit in ms for an answer of a process, which only a hang exceeds. */
const patienceMs = 20_000;
const leaveMs = 10_000;

export interface MemberOptions {
  readonly site: string;
  readonly dir: string;
  /** False: it is no member at first, and is not started with the others. */
  readonly isWanted: boolean;
  readonly pool: SitePool;
  readonly record: (entry: Entry) => void;
  /** The options that every run of the site is opened with. */
  readonly open: (isFounded: boolean) => Omit<OpenSite, 'life' | 'dataDir'>;
  readonly up: (address: Address) => Promise<void>;
  readonly down: () => Promise<void>;
  readonly write: (message: Extract<FromSite, { type: 'write' }>) => ToSite;
}

/** A site by its name, through all its lives. */
export class Member {
  readonly site: string;
  readonly #options: MemberOptions;
  readonly dataDir: string;
  /** The callers that wait for a message; `null` tells them that none will follow. */
  readonly #waits = new Set<(message: FromSite | null) => void>();
  #process: SiteProcess | null = null;
  /** True while it is to be a member. */
  #isWanted: boolean;
  #isFounded = false;
  #isOpen = false;
  #life = -1;
  /** True once the site was told to end. */
  #ending = false;
  /** True if the disk was full, or there was no descriptor, in this run. */
  #wasLimited = false;
  #alone: Promise<void> = Promise.resolve();
  /** The work that every run gets as soon as it is open. */
  #work: ((life: number) => ToSite) | null = null;

  constructor(options: MemberOptions) {
    this.site = options.site;
    this.#options = options;
    this.dataDir = join(options.dir, options.site);
    this.#isWanted = options.isWanted;
    mkdirSync(this.dataDir);
  }

  /** Starts a process in advance for the next run. */
  prepare(): void {
    this.#options.pool.prepare();
  }

  /** The options that its next run is opened with. */
  get options(): ReturnType<MemberOptions['open']> {
    return this.#options.open(this.#isFounded);
  }

  get isUp(): boolean {
    return this.#process !== null;
  }

  /** It is up, and its site is open: it answers. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  get isWanted(): boolean {
    return this.#isWanted;
  }

  /** True once any run of it knew that the cluster is founded. */
  get isFounded(): boolean {
    return this.#isFounded;
  }

  /** The number of its present run, from 0. */
  get life(): number {
    return this.#life;
  }

  /** Runs one task after the other: to start a process may take longer than the schedule allows. */
  alone(work: () => Promise<void>): Promise<void> {
    this.#alone = this.#alone.then(work);
    return this.#alone;
  }

  /** `start`, and resolves when the site knows that the cluster is founded: before, its data are not missed. */
  async found(): Promise<void> {
    const founded = this.#hear(patienceMs, 'founded');
    await this.start();
    if ((await founded) === null)
      throw new ChaosError(`site ${this.site} knows of no founding ${this.#patienceText}`);
  }

  /** Opens the first run, or the next one with the data of the last. */
  async start(): Promise<void> {
    const answer = await this.#open();
    if (answer.type === 'refused') {
      this.#stopped(answer);
      throw new ChaosError(`site ${this.site} cannot be opened: ${answer.message}`);
    }
    await this.#options.up(answer.address);
    this.#isOpen = this.#process !== null;
    this.#options.record({ type: 'open', ...this.#of() });
    if (this.#work !== null) this.tell(this.#work(this.#life));
  }

  /**
   * Opens the site without its data for `forMs`. It is another site then (R8), and takes the place of the old
   * one by a change of the members. The judgement compares its grants with those of all others.
   */
  async workWithoutDisk(forMs: number): Promise<void> {
    const aside = `${this.dataDir}.aside`;
    renameSync(this.dataDir, aside);
    mkdirSync(this.dataDir);
    await this.start();
    await sleep(forMs);
    await this.kill();
    rmSync(this.dataDir, { recursive: true });
    renameSync(aside, this.dataDir);
  }

  /** It is to be a member from now on: starts it with an empty directory. */
  async enlist(): Promise<void> {
    this.#isWanted = true;
    await this.start();
  }

  /** It is a member no more: kills it, and empties its directory. */
  async retire(): Promise<void> {
    this.#isWanted = false;
    await this.kill();
    rmSync(this.dataDir, { recursive: true });
    mkdirSync(this.dataDir);
  }

  /** An operator asks it for a change. Resolves to `null` if its process ends before it answers. */
  change(change: MemberChange, timeoutMs: number): Promise<Extract<FromSite, { type: 'changed' }> | null> {
    const answered = this.#hear(patienceMs, 'changed');
    this.tell({ type: 'change', change, timeoutMs });
    return answered;
  }

  /** Records that it broke a rule by itself. */
  broke(code: string, message: string): void {
    this.#options.record({ type: 'crash', ...this.#of(), code, message });
  }

  tell(message: ToSite): void {
    this.#process?.tell(message);
  }

  work(message: (life: number) => ToSite): void {
    this.#work = message;
    this.tell(message(this.#life));
  }

  /** Answers with the counters of this life. */
  async rest(withinMs: number): Promise<Extract<FromSite, { type: 'rested' }> | null> {
    this.#work = null;
    this.tell({ type: 'rest' });
    return this.#hear(withinMs, 'rested');
  }

  stop(): void {
    this.#process?.signal('SIGSTOP');
  }

  continue(): void {
    this.#process?.signal('SIGCONT');
  }

  async kill(): Promise<void> {
    this.#ending = true;
    await this.#process?.kill();
  }

  /** SIGTERM: it leaves, and its process ends. */
  async terminate(): Promise<void> {
    const leaving = this.#process;
    if (leaving === null) return;
    this.#ending = true;
    const left = this.#hear(leaveMs, 'closed');
    leaving.signal('SIGTERM');
    if ((await left) === null && leaving === this.#process) {
      this.#crashed({ code: 'STAYED', message: `it did not leave within ${leaveMs / 1000} s of SIGTERM` });
      leaving.signal('SIGKILL');
    }
    await leaving.ended;
  }

  /** Makes its disk full from now on. */
  fillDisk(): void {
    this.#wasLimited = this.#process !== null;
    this.#process?.limit('fsize', '1');
  }

  /** From now on the kernel gives it no descriptor for a file or a connection. */
  takeDescriptors(): void {
    this.#wasLimited = this.#process !== null;
    this.#process?.limit('nofile', '3');
  }

  /** Ends `fillDisk` and `takeDescriptors`. */
  giveBack(): void {
    if (!this.#wasLimited) return;
    this.#process?.limit('fsize', 'unlimited');
    this.#process?.limit('nofile', '1024');
  }

  /** Closes it and gives its process back. */
  async end(): Promise<void> {
    const process = this.#process;
    // Its process may still be loading, and will answer nothing.
    if (process === null) return this.#hearsNoMore();
    this.#ending = true;
    process.signal('SIGCONT');
    this.tell({ type: 'close' });
    if ((await this.#hear(5_000, 'closed')) === null) await process.kill();
    else {
      this.#options.pool.give(process);
      await this.#gone('closed');
    }
  }

  get #patienceText(): string {
    return this.isUp ? `after ${patienceMs / 1000} s` : 'as its process has ended';
  }

  #of() {
    return { at: now(), site: this.site, life: this.#life };
  }

  async #open(): Promise<Extract<FromSite, { type: 'opened' | 'refused' }>> {
    if (this.#process !== null) throw new ChaosError(`site ${this.site} is up already`);
    const process = await this.#options.pool.take();
    this.#life++;
    this.#wasLimited = false;
    this.#ending = false;
    this.#process = process;
    process.onMessage = (message) => this.#take(message);
    process.onExit = (why) => {
      if (!this.#ending) this.#crashed({ code: 'EXITED', message: `its process ended: ${why}` });
      void this.#gone(why);
    };
    const answered = this.#hear(patienceMs, 'opened', 'refused');
    this.tell({
      type: 'open',
      ...this.options,
      life: this.#life,
      dataDir: this.dataDir,
    });
    const answer = await answered;
    if (answer === null) throw new ChaosError(`site ${this.site} is not open ${this.#patienceText}`);
    return answer;
  }

  /** Resolves with the first message of `types`, or null if the process ends before. */
  #hear<Type extends FromSite['type']>(
    withinMs: number,
    ...types: readonly Type[]
  ): Promise<Extract<FromSite, { type: Type }> | null> {
    return new Promise((resolve) => {
      const heard = (message: FromSite | null) => {
        cancel();
        this.#waits.delete(wait);
        resolve(message as Extract<FromSite, { type: Type }> | null);
      };
      const wait = (message: FromSite | null) => {
        if (message === null || types.includes(message.type as Type)) heard(message);
      };
      const cancel = afterRunning(withinMs, () => heard(null));
      this.#waits.add(wait);
    });
  }

  #hearsNoMore(): void {
    for (const wait of [...this.#waits]) wait(null);
  }

  #take(message: FromSite): void {
    if (message.type === 'entry') this.#options.record(message.entry);
    else if (message.type === 'write') this.tell(this.#options.write(message));
    else if (message.type === 'founded') this.#isFounded = true;
    else if (message.type === 'crashed') this.#stopped(message);
    for (const wait of [...this.#waits]) wait(message);
  }

  /** The site has stopped by itself; its process is left without a site. */
  #stopped(error: { readonly code: string; readonly message: string }): void {
    if (this.#wasLimited && error.code === 'DISK_FAILED') this.#ending = true;
    else this.#crashed(error);
    void this.kill();
  }

  #crashed({ code, message }: { readonly code: string; readonly message: string }): void {
    this.#ending = true;
    this.broke(code, message);
  }

  async #gone(why: string): Promise<void> {
    if (this.#process === null) return;
    this.#process = null;
    this.#isOpen = false;
    this.#hearsNoMore();
    this.#options.record({ type: 'end', ...this.#of(), why });
    await this.#options.down();
  }
}
