import type { SiteId } from '../../machines/actor.ts';
import type { DurableState } from '../../machines/epoch/messages.ts';
import type { Clock, Random } from '../api/clock.ts';
import type { PeerChange } from '../api/peer.ts';
import { ElectionTrigger, type ElectionTriggerOptions } from './election-trigger.ts';

export interface SuspicionOptions extends Omit<ElectionTriggerOptions, 'fraction'> {
  readonly clock: Clock;
  readonly random: Random;
  /** To be told to the machine of the lock. */
  readonly suspect: (lock: string) => void;
}

/** A `Watch` with a clock: the one failure detector of a site, for all of its locks. */
export class Suspicion {
  readonly #options: SuspicionOptions;
  readonly #watch: ElectionTrigger;
  #timer: { readonly at: number; readonly cancel: () => void } | null = null;
  #stopped = false;

  constructor(options: SuspicionOptions) {
    this.#options = options;
    this.#watch = new ElectionTrigger({ ...options, fraction: () => options.random.fraction() });
  }

  isUp(peer: SiteId): boolean {
    return this.#watch.isUp(peer);
  }

  get majority(): boolean {
    return this.#watch.majority;
  }

  get frozen(): number {
    return this.#watch.frozen;
  }

  open(lock: string, disk: DurableState | 'none' | 'lost'): void {
    this.#watch.open(lock, disk);
  }

  persisted(lock: string, disk: DurableState): void {
    this.#watch.persisted(lock, disk, this.#now());
    this.#arm();
  }

  /** True: suspect the lock before it asks. */
  asked(lock: string): boolean {
    const first = this.#watch.asked(lock, this.#now());
    this.#arm();
    return first;
  }

  settled(lock: string): void {
    this.#watch.settled(lock, this.#now());
    this.#arm();
  }

  untaken(lock: string, epoch: number | null, inVain: boolean): void {
    this.#watch.untaken(lock, epoch, inVain, this.#now());
    this.#arm();
  }

  peer(change: PeerChange): void {
    this.#watch.peer(change, this.#now());
    this.#act();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #now(): number {
    return this.#options.clock.now();
  }

  #act(): void {
    if (this.#stopped) return;
    for (const lock of this.#watch.due(this.#now())) this.#options.suspect(lock);
    this.#arm();
  }

  #arm(): void {
    const at = this.#stopped ? null : this.#watch.next;
    if (at === (this.#timer?.at ?? null)) return;
    this.#timer?.cancel();
    this.#timer = null;
    if (at === null) return;
    const delayMs = Math.max(0, at - this.#now());
    const cancel = this.#options.clock.after(delayMs, () => {
      this.#timer = null;
      this.#act();
    });
    this.#timer = { at, cancel };
  }
}
