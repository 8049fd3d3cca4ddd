import type { SiteId } from '../../machines/actor.ts';
import type { SiteMessage } from '../../machines/epoch/messages.ts';
import { answerToStranger, answerWithoutRoom } from '../../machines/epoch/no-room.ts';
import type { Clock } from '../api/clock.ts';
import { OperatingError } from '../api/errors.ts';
import type { Notice } from '../api/notice.ts';
import type { StampedEnvelope } from '../api/peer.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { RateLimiter } from '../mailbox/rate-limiter.ts';
import type { Limits } from '../options/schema.ts';
import { hashOf } from './recent-names.ts';
import type { Tally } from './tally.ts';

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
   * Whether this site, which knows `known` locks, has room for the new lock that a message names. If not, a site that waits
   * for an answer is told (M5).
   */
  admits(envelope: StampedEnvelope, known: number): boolean {
    const { self, limits } = this.#options;
    const { source, lock } = envelope;
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
    this.#answer(lock, answerWithoutRoom(self, envelope.message as SiteMessage));
    return false;
  }

  /** A message is not taken, since its source is no member here, or this site is none. */
  refuseStranger({ lock, message }: StampedEnvelope): void {
    this.#answer(lock, answerToStranger(this.#options.self, message as SiteMessage));
  }

  #answer(lock: string, answer: ReturnType<typeof answerToStranger>): void {
    const { self: source, mailbox } = this.#options;
    if (answer !== null) mailbox.post({ source, lock, ...answer, stamp: { seq: 0, clock: null } });
  }

  /** The number of locks that one peer named first, of the peer that named most. */
  get mostNamed(): number {
    return Math.max(0, ...this.#named.values());
  }

  /** The lock is forgotten; `peer` had named it first. */
  forget(lock: string, peer: SiteId | null): void {
    this.#without.delete(lock);
    if (peer === null) return;
    const named = this.#named.get(peer) ?? 0;
    this.#named.set(peer, Math.max(0, named - 1));
  }

  /** Whether a message of this lock may have been rejected. Always true for a lock with a rejected message. */
  mayHaveRefused(lock: string): boolean {
    if (this.#refused === null) return false;
    const mark = markOf(lock);
    return (this.#refused[mark >> 3]! & (1 << (mark & 7))) !== 0;
  }

  /** `peer` has no room for a lock of this site. */
  fullAt(lock: string, peer: SiteId): void {
    const without = this.#without.get(lock) ?? new Set();
    this.#without.set(lock, without.add(peer));
    const where = `${peer} has no room for ${lock} (its limits.maxLocksOfPeer, or maxLocks)`;
    this.#notify(new OperatingError('TOO_MANY_LOCKS', where), peer);
  }

  /** No majority has room for the lock: callers wait in vain. `null`: one may have. */
  inVain(lock: string): OperatingError | null {
    const { voters } = this.#options;
    const without = this.#without.get(lock) ?? new Set();
    if (2 * voters.filter((voter) => !without.has(voter)).length > voters.length) return null;
    const names = [...without].sort().join(', ');
    return new OperatingError(
      'TOO_MANY_LOCKS',
      `nobody can be granted ${lock}: ${names} have no room for it`,
    );
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

/** A name that is chosen to collide with others costs each of those one epoch change. */
const markOf = (lock: string) => hashOf(lock) % marks;
