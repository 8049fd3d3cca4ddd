import type { SiteId } from '../../machines/actor.ts';
import type { SiteMessage } from '../../machines/epoch/messages.ts';
import type { Clock } from '../api/clock.ts';
import { OperatingError } from '../api/errors.ts';
import type { Notice } from '../api/notice.ts';
import type { StampedEnvelope } from '../api/peer.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { RateLimiter } from '../mailbox/rate-limiter.ts';
import type { Limits } from '../options/schema.ts';
import type { Untaken } from './protocol.ts';
import type { Tally } from './tally.ts';

/** The effect of a peer's refusal on a lock of this site. */
export interface Refused {
  /** The epoch of the REQUEST that was not taken; `null` when nobody waits for what was not. */
  readonly lostOf: number | null;
  /** No majority has room for the lock: callers wait in vain. */
  readonly inVain: OperatingError | null;
}

export interface AdmissionOptions {
  readonly self: SiteId;
  readonly voters: readonly SiteId[];
  readonly limits: Pick<Limits, 'maxLocks' | 'maxLocksOfPeer'>;
  readonly mailbox: Pick<Mailbox, 'post'>;
  readonly clock: Clock;
  readonly notice: (notice: Notice) => void;
}

/** From this share of its room on, a site tells that it will be full. */
export const tellFrom = 0.8;

const marks = 2 ** 20;

/**
 * The room that there is at this site for locks that others name, and at others for those of this one. A lock for
 * which there was none is one whose messages are lost, as in a crash: by epochs the others go on without this site,
 * and it begins with that lock, if ever, as one that was restarted (R7).
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #tally: Tally;
  readonly #limiter: RateLimiter;
  /** For each peer, the number of locks that it named first. */
  readonly #named = new Map<SiteId, number>();
  /** A bit for each name that there was no room for, by its hash: there may be any number of them. */
  #refused: Uint8Array | null = null;
  /** For each lock, the peers that have no room for it. */
  readonly #without = new Map<string, Set<SiteId>>();

  constructor(options: AdmissionOptions, tally: Tally) {
    this.#options = options;
    this.#tally = tally;
    this.#limiter = new RateLimiter(() => options.clock.now());
  }

  /**
   * Whether this site, which knows `known` locks, has room for the new lock that a message names. If not, the sender of
   * a request is told.
   */
  admits(envelope: StampedEnvelope, known: number): boolean {
    const { self, limits } = this.#options;
    const { source, lock, message } = envelope;
    const named = this.#named.get(source) ?? 0;
    if (named < limits.maxLocksOfPeer && known < limits.maxLocks) {
      this.#named.set(source, named + 1);
      const { maxLocksOfPeer: most } = limits;
      if (named === Math.floor(most * tellFrom))
        this.#options.notice({
          type: 'many-locks',
          known: named,
          most,
          limit: 'maxLocksOfPeer',
          peer: source,
        });
      return true;
    }
    const why =
      named >= limits.maxLocksOfPeer
        ? `${source} was the first to name ${named} locks here (limits.maxLocksOfPeer)`
        : `${self} knows ${known} locks already (limits.maxLocks)`;
    const error = new OperatingError('TOO_MANY_LOCKS', `${why}; there is no room for ${lock}`);
    this.#mark(lock);
    this.#tally.untaken += 1;
    this.#notify(error, source);
    if (message.type === 'REQUEST' || message.type === 'VOTE_REQUEST') this.answer(envelope);
    return false;
  }

  /** Tells the sender that its message was not taken. A REQUEST is forwarded only to sites with the lock, so its sender waits itself. */
  answer({ source, lock, message }: StampedEnvelope): void {
    const { self, mailbox } = this.#options;
    const { type, epoch } = message as SiteMessage;
    const answer: Untaken = { type: 'UNTAKEN', epoch, asks: type === 'REQUEST' };
    mailbox.post({ source: self, target: source, lock, message: answer, stamp: { seq: 0, clock: null } });
  }

  /** Whether a message of this lock may have been rejected. Always true for a lock with a rejected message. */
  mayHaveRefused(lock: string): boolean {
    if (this.#refused === null) return false;
    const mark = markOf(lock);
    return (this.#refused[mark >> 3]! & (1 << (mark & 7))) !== 0;
  }

  /** A peer has said UNTAKEN of a lock of this site. */
  rejectedBy({ source, lock, message }: StampedEnvelope): Refused {
    const { voters } = this.#options;
    const without = this.#without.get(lock) ?? new Set();
    this.#without.set(lock, without.add(source));
    this.#notify(
      new OperatingError(
        'TOO_MANY_LOCKS',
        `${source} has no room for ${lock} (its limits.maxLocksOfPeer, or maxLocks)`,
      ),
      source,
    );
    const { epoch, asks } = message as Untaken;
    const left = voters.filter((voter) => !without.has(voter)).length;
    const inVain =
      2 * left <= voters.length
        ? new OperatingError(
            'TOO_MANY_LOCKS',
            `nobody can be granted ${lock}: ${[...without].sort().join(', ')} have no room for it`,
          )
        : null;
    return { lostOf: asks ? epoch : null, inVain };
  }

  /** In its next life it may have room. */
  restarted(peer: SiteId): void {
    for (const without of this.#without.values()) without.delete(peer);
  }

  #mark(lock: string): void {
    this.#refused ??= new Uint8Array(marks / 8);
    const mark = markOf(lock);
    this.#refused[mark >> 3]! |= 1 << (mark & 7);
  }

  #notify(error: OperatingError, peer: SiteId): void {
    const untold = this.#limiter.next();
    if (untold === null) return;
    this.#options.notice({ type: 'error', error, peer, remote: null, ...(untold > 0 && { untold }) });
  }
}

/** FNV-1a. A name that is chosen to collide with others costs each of those one epoch change. */
function markOf(lock: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < lock.length; at++) hash = Math.imul(hash ^ lock.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % marks;
}
