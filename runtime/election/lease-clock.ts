import type { LeaseEffect, TimeEvent } from '../../machines/epoch/messages.ts';
import type { Clock } from '../api/clock.ts';

export interface LeaseClockOptions {
  readonly clock: Clock;
  /** L of protocol.md's strict mode. */
  readonly leaseMs: number;
  /** How far any site's clock may be off its rate, as a share of it. */
  readonly driftShare: number;
  /** A lease was begun before. Default: false. */
  readonly hasLeased?: boolean;
  /** Whether the client waits for the lock or is inside. Heartbeats are due only then. */
  readonly wanted: () => boolean;
  /** An event is due. */
  readonly wake: () => void;
}

interface Timer {
  readonly at: number;
  readonly cancel: () => void;
}

/** How many heartbeats a lease has time for. */
const heartbeatsPerLease = 4;

type Round = { readonly epoch: number; readonly round: number };

const isEndOf = (event: TimeEvent, { epoch, round }: Round) =>
  event.type === 'leaseOver' && event.epoch === epoch && event.round === round;

/**
 * Gives a machine in strict mode its events of time (`TimeEvent`), by the monotonic clock of this site: each end as
 * soon as it has passed, and before any later event.
 */
export class LeaseClock {
  readonly #options: LeaseClockOptions;
  readonly #promiseMs: number;
  /** Ends that have not been told. */
  readonly #leases: { readonly at: number; readonly event: TimeEvent }[] = [];
  #promiseEnd: number | null = null;
  /** The end of the lease that is in force. */
  #leasedUntil: number | null = null;
  #heartbeat: number | null = null;
  #stopped = false;
  #begun: boolean;
  #leaseTimer: Timer | null = null;
  #timer: Timer | null = null;

  constructor(options: LeaseClockOptions) {
    this.#options = options;
    this.#begun = options.hasLeased ?? false;
    const { leaseMs, driftShare } = options;
    this.#promiseMs = Math.ceil((leaseMs * (1 + driftShare)) / (1 - driftShare));
  }

  /** Takes an effect of the machine that concerns its clock. */
  take(effect: LeaseEffect): void {
    const { clock, leaseMs } = this.#options;
    switch (effect.type) {
      case 'leaseTimer': {
        const { epoch, round } = effect;
        // As the checker has it, the time of a round is the one that was taken last.
        const known = this.#leases.findIndex(({ event }) => isEndOf(event, effect));
        if (known >= 0) this.#leases.splice(known, 1);
        this.#leases.push({ at: clock.now() + leaseMs, event: { type: 'leaseOver', epoch, round } });
        this.#begun = true;
        break;
      }
      case 'promiseTimer':
        this.#promiseEnd = clock.now() + this.#promiseMs;
        break;
      case 'leased': {
        const lease = this.#leases.find(({ event }) => isEndOf(event, effect));
        this.#leasedUntil = lease?.at ?? null;
        return;
      }
      case 'leaseEnded':
        this.#leasedUntil = null;
        return;
      case 'promiseEnded':
        return;
      default:
        effect satisfies never;
    }
    this.#arm();
  }

  /** `wanted` may have changed. */
  update(): void {
    this.#arm();
  }

  /** The events whose time has come and that were not given yet, the earliest first. */
  due(): readonly TimeEvent[] {
    const now = this.#options.clock.now();
    const passed: { readonly at: number; readonly event: TimeEvent }[] = [];
    while (this.#leases.length > 0 && this.#leases[0]!.at <= now) passed.push(this.#leases.shift()!);
    if (this.#promiseEnd !== null && this.#promiseEnd <= now) {
      passed.push({ at: this.#promiseEnd, event: { type: 'promiseOver' } });
      this.#promiseEnd = null;
    }
    if (this.#heartbeat !== null && this.#heartbeat <= now) {
      passed.push({ at: this.#heartbeat, event: { type: 'heartbeat' } });
      this.#heartbeat = null;
    }
    if (passed.length > 0) this.#arm();
    return passed.sort((one, other) => one.at - other.at).map(({ event }) => event);
  }

  /** How long the lease that is in force lasts from now on, in ms. */
  get leftMs(): number {
    return this.#leasedUntil === null ? 0 : Math.max(0, this.#leasedUntil - this.#options.clock.now());
  }

  get begun(): boolean {
    return this.#begun;
  }

  /** Nothing will be due: a fresh one, as `begun` as this, would do as well. */
  get idle(): boolean {
    return !this.#options.wanted() && this.#leases.length === 0 && this.#promiseEnd === null;
  }

  stop(): void {
    this.#leases.length = 0;
    this.#promiseEnd = null;
    this.#stopped = true;
    this.#arm();
  }

  #arm(): void {
    const { clock, leaseMs, wanted } = this.#options;
    if (this.#stopped || !this.#begun || !wanted()) this.#heartbeat = null;
    else this.#heartbeat ??= clock.now() + leaseMs / heartbeatsPerLease;
    // The timer of leases holds the process: work under a lease must not begin after its end.
    this.#leaseTimer = this.#set(this.#leaseTimer, this.#leases[0]?.at ?? null, true);
    const others = [this.#promiseEnd, this.#heartbeat].filter((at) => at !== null);
    this.#timer = this.#set(this.#timer, others.length === 0 ? null : Math.min(...others), false);
  }

  #set(timer: Timer | null, at: number | null, isDeadline: boolean): Timer | null {
    if (at === (timer?.at ?? null)) return timer;
    timer?.cancel();
    if (at === null) return null;
    const { clock, wake } = this.#options;
    const delayMs = Math.max(0, at - clock.now());
    const passed = () => {
      if (isDeadline) this.#leaseTimer = null;
      else this.#timer = null;
      wake();
      this.#arm();
    };
    const deadline = isDeadline ? clock.deadline?.(delayMs, passed) : undefined;
    return { at, cancel: deadline ?? clock.after(delayMs, passed) };
  }
}
