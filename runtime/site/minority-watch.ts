import type { SiteId } from '../../machines/actor.ts';
import type { Clock } from '../api/clock.ts';
import { OperatingError } from '../api/errors.ts';
import type { Notice } from '../api/notice.ts';
import type { DownReason } from '../api/peer.ts';
import type { Timing } from '../options/schema.ts';

export interface MinorityWatchOptions {
  readonly clock: Clock;
  readonly timing: Pick<Timing, 'failureTimeoutMs'>;
  /** Whether a majority of the voters is in reach. */
  readonly hasMajority: () => boolean;
  /** Whether a caller waits for any lock. */
  readonly anyWaits: () => boolean;
  readonly voters: () => readonly SiteId[];
  /** Voters that are not up. */
  readonly missing: () => readonly SiteId[];
  readonly notice: (notice: Notice) => void;
  /** Called when no majority has been in reach for so long that another site may hold the locks of this one. */
  readonly majorityLost: (reason: OperatingError) => void;
}

/** At a start the others may be that much later. */
const tellAfterMs = 5_000;

/** Tells of a majority that is out of reach: callers that wait may wait for ever, and another site may lead. */
export class MinorityWatch {
  readonly #options: MinorityWatchOptions;
  #cancelNotice: (() => void) | null = null;
  #cancelLost: (() => void) | null = null;
  #isTold = false;
  /** Another site may lead by now, unless a majority is in reach again. */
  #isLost = false;
  #stopped = false;

  constructor(options: MinorityWatchOptions) {
    this.#options = options;
  }

  /** Has no majority been in reach for so long that another site may lead? */
  get isLong(): boolean {
    return this.#isLost && !this.#options.hasMajority();
  }

  /** A majority is in reach again. */
  regained(): void {
    this.#isTold = false;
    this.#isLost = false;
  }

  /** A voter that is down took the majority. Another site may lead once a majority has begun an epoch without this site. */
  lost(why: DownReason): void {
    const { clock, timing, hasMajority, missing, majorityLost } = this.#options;
    const tell = () => {
      this.#cancelLost = null;
      if (hasMajority()) return;
      this.#isLost = true;
      const which = `no majority of the voters is in reach (missing: ${missing().join(', ')})`;
      const reason = `${which}, and another site may hold the lock by now. Stop, and acquire it again`;
      majorityLost(new OperatingError('LOCK_LOST', reason));
    };
    this.#cancelLost?.();
    if (this.#stopped) return;
    if (why === 'silent') tell();
    else this.#cancelLost = clock.after(timing.failureTimeoutMs, tell);
  }

  /** A caller that waits without a majority is granted nothing, perhaps for ever: that is told once. */
  watch(): void {
    const { clock, timing, hasMajority, anyWaits, voters, missing, notice } = this.#options;
    if (this.#stopped || this.#isTold || this.#cancelNotice || !anyWaits()) return;
    this.#cancelNotice = clock.after(Math.max(tellAfterMs, 2 * timing.failureTimeoutMs), () => {
      this.#cancelNotice = null;
      if (hasMajority() || !anyWaits()) return;
      this.#isTold = true;
      notice({ type: 'no-majority', missing: missing(), of: voters().length });
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelNotice?.();
    this.#cancelLost?.();
  }
}
