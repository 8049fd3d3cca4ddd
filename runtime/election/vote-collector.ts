import type { SiteId } from '../../machines/actor.ts';
import type { SiteMessage } from '../../machines/epoch/messages.ts';
import type { Clock } from '../api/clock.ts';
import type { StampedEnvelope } from '../api/peer.ts';

export interface VoteCollectorOptions {
  readonly clock: Clock;
  /** The longest that a vote is kept back. */
  readonly graceMs: number;
  /** Whether a voter is believed up. Only the votes of those are awaited. */
  readonly isUp: (voter: SiteId) => boolean;
  readonly deliver: (envelope: StampedEnvelope) => void;
  /** Nothing is kept back any more, until the next candidacy. */
  readonly closed: () => void;
}

/**
 * The votes for this site as a candidate, kept back until every voter in reach has answered. A majority decides
 * (R6), and one without the holder takes its critical section away, though it lives: it must not be left out because its
 * answer is late. A message may take any time, so this adds nothing to what is checked.
 */
export class VoteCollector {
  readonly #options: VoteCollectorOptions;
  readonly #awaited = new Set<SiteId>();
  #epoch = 0;
  #kept: StampedEnvelope[] = [];
  #cancel: (() => void) | null = null;

  constructor(options: VoteCollectorOptions) {
    this.#options = options;
  }

  get idle(): boolean {
    return this.#awaited.size === 0;
  }

  /** Notes a message that this site sends: it waits for the answers to a request for votes. */
  sent({ target, message }: StampedEnvelope): void {
    const { clock, graceMs, isUp } = this.#options;
    const { type, epoch } = message as SiteMessage;
    if (type !== 'VOTE_REQUEST' || !isUp(target)) return;
    if (epoch !== this.#epoch) this.#release();
    this.#epoch = epoch;
    this.#awaited.add(target);
    this.#cancel ??= clock.after(graceMs, () => this.close());
  }

  /** Delivers it, now or when the ballot is closed; messages of one source stay in order. */
  arrive(envelope: StampedEnvelope): void {
    const { source } = envelope;
    const message = envelope.message as SiteMessage;
    const isVote = message.type === 'VOTE' && message.epoch === this.#epoch;
    const keeps = this.#awaited.size > 0 && (isVote || this.#kept.some((kept) => kept.source === source));
    if (keeps) this.#kept.push(envelope);
    else this.#options.deliver(envelope);
    if (isVote || message.type === 'REFUSE' || (message.type === 'OVER' && message.full)) this.absent(source);
  }

  /** No vote of `voter` is to be expected any more. */
  absent(voter: SiteId): void {
    if (this.#awaited.delete(voter) && this.#awaited.size === 0) this.close();
  }

  /** Delivers the kept votes, that of the holder of the latest token first. */
  close(): void {
    this.#release();
    // A delivered message may have made this site stand again.
    if (this.idle) this.#options.closed();
  }

  #release(): void {
    this.stop();
    const kept = this.#kept;
    this.#kept = [];
    const tokens = new Map<SiteId, number>();
    for (const { source, message } of kept) {
      const { type, holds } = message as Extract<SiteMessage, { type: 'VOTE' }>;
      if (type === 'VOTE') tokens.set(source, holds ?? -1);
    }
    kept.sort((one, other) => tokens.get(other.source)! - tokens.get(one.source)!);
    for (const envelope of kept) this.#options.deliver(envelope);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#awaited.clear();
  }
}
