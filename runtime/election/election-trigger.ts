import type { SiteId } from '../../machines/actor.ts';
import type { DurableState, SiteMessage } from '../../machines/epoch/messages.ts';
import type { PeerChange } from '../api/peer.ts';
import type { Timing } from '../options/schema.ts';
import { type Idle, type Resting, resting, type Watched, wake } from './watched.ts';

export interface ElectionTriggerOptions {
  readonly self: SiteId;
  readonly voters: readonly SiteId[];
  readonly timing: Timing;
  /** Uniform in [0, 1). */
  readonly fraction: () => number;
  /** Default: `resting`. */
  readonly resting?: Resting;
}

/**
 * Why a lock is to be suspected.
 *
 * - `minority`: it waits, and no majority of the voters is in reach: frozen, it is granted nothing. Once: an epoch
 *   that it adopts afterwards has been elected by a majority, which some other site reaches.
 * - `election`: it is frozen, so an election is under way or came to nothing (R10).
 * - `restart`: it waits, and is closed since the site's own crash (R7).
 * - `death`: it waits, and a site that may have a part in the present epoch has died.
 * - `loss`: what was sent here for a site's earlier life may have been the token or the request of its new one, or of
 *   a third, or the news of the present epoch: nobody who needs it knows, so that this site speaks up, though it does
 *   not wait.
 * - `patience`: it waits long, and some site is down. A site may have heard of a death before it heard of an
 *   epoch in which the dead still took part, or be cut off from another that all others reach.
 */
type Reason = 'minority' | 'election' | 'restart' | 'death' | 'loss' | 'patience';

interface Peer {
  /** Numbers of deaths: that of its earlier life, and that of this one; null when it is up or was never met. */
  past: number;
  down: number | null;
}

/**
 * Decides when which lock is to be told `suspect`, for all the locks of a site, by what their effects, their clients
 * and the mailbox tell; never by a machine's state. Pure: time is handed in, chance comes by `fraction`.
 *
 * One death is suspected once by whoever waits: an epoch that a site has promised or won after it heard of the
 * death has no part of the dead in it. A death that proves to be none before it is acted upon is forgotten.
 *
 * There may be very many locks, and most of them are idle: nothing that happens to a peer or in time walks over those.
 */
export class ElectionTrigger {
  readonly #options: ElectionTriggerOptions;
  readonly #resting: Resting;
  readonly #idle = new Map<string, Idle>();
  readonly #awake = new Map<string, Watched>();
  /** Of the awake ones, those that have a `due`. */
  readonly #drawn = new Set<Watched>();
  readonly #peers = new Map<SiteId, Peer>();
  readonly #up = new Set<SiteId>();
  #majority: boolean;
  #deaths = 0;
  /** Of the deaths that count still, the number of the last; 0 when none does. */
  #latest = 0;
  #isAnyDown = false;
  /** None of `#drawn` is due before. */
  #earliest: number | null = null;

  constructor(options: ElectionTriggerOptions) {
    this.#options = options;
    this.#resting = options.resting ?? resting;
    this.#majority = this.#countMajority();
  }

  isUp(peer: SiteId): boolean {
    return this.#up.has(peer);
  }

  /** Is a majority of the voters in reach, this site among them? */
  get majority(): boolean {
    return this.#majority;
  }

  /** How many locks are frozen, those aside that are closed since the site's own crash and wait for nobody. */
  get frozen(): number {
    let count = 0;
    for (const { promised, epoch } of this.#awake.values()) if (promised > epoch) count += 1;
    return count;
  }

  /** A lock that starts with this on its disk, if it ran in an earlier life. Any of the dead may have part in it. */
  open(lock: string, disk: DurableState | 'none' | 'lost'): void {
    if (typeof disk === 'string') return;
    this.#idle.set(lock, { promised: disk.promised, epoch: disk.epoch, closed: true, covered: 0 });
  }

  /** By the effect `persist`. */
  persisted(lock: string, disk: DurableState, now: number): void {
    const watched = this.#wake(lock);
    const { promised, epoch } = watched;
    watched.promised = disk.promised;
    watched.epoch = disk.epoch;
    watched.closed = false;
    if (disk.promised > promised) watched.promisedAt = this.#deaths;
    if (disk.epoch > epoch) {
      watched.attempts = 0;
      watched.inVain = false;
      // Whoever votes is up then: of those whose death was known before, only the root may have voted before it died.
      watched.covered = Math.min(watched.promisedAt, this.#deathOf(disk.root) - 1);
    }
    this.#reconsider(watched, now);
  }

  /** The client asks. True: suspect the lock first, so that no minority grants. */
  asked(lock: string, now: number): boolean {
    const watched = this.#wake(lock);
    const follows = !watched.closed && watched.promised === watched.epoch;
    watched.waits = true;
    watched.patience = 0;
    if (this.#majority || !follows) {
      this.#reconsider(watched, now);
      return false;
    }
    this.#stand(watched);
    return true;
  }

  /** The client was granted, or withdraws. */
  settled(lock: string, now: number): void {
    const watched = this.#wake(lock);
    watched.waits = false;
    this.#reconsider(watched, now);
  }

  /**
   * A peer has no room for this lock, and has not taken a REQUEST of `epoch`, or, where that is null, what nobody waits for.
   * `inVain`: so many have said so that no majority is left; then the lock is stood for only while it waits.
   */
  untaken(lock: string, epoch: number | null, inVain: boolean, now: number): void {
    const watched = this.#wake(lock);
    if (epoch !== null) watched.lostOf = Math.max(watched.lostOf, epoch);
    watched.inVain = inVain;
    this.#reconsider(watched, now);
  }

  peer(change: PeerChange, now: number): void {
    const known = this.#peers.get(change.peer) ?? { past: 0, down: null };
    this.#peers.set(change.peer, known);
    if (change.type === 'down') {
      this.#up.delete(change.peer);
      this.#deaths += 1;
      known.down ??= this.#deaths;
    } else {
      this.#up.add(change.peer);
      // Of one incarnation too: a link that began anew has lost what was under way.
      if (change.type === 'restarted') {
        this.#deaths += 1;
        known.past = this.#deaths;
        for (const { lock, message } of change.lost) {
          const { type, epoch } = message as SiteMessage;
          if (!['TOKEN', 'REQUEST', 'NEW'].includes(type)) continue;
          const watched = this.#wake(lock);
          watched.lostOf = Math.max(watched.lostOf, epoch);
        }
      }
      known.down = null;
    }
    const peers = [...this.#peers.values()];
    this.#latest = Math.max(...peers.map(({ past, down }) => Math.max(past, down ?? 0)));
    this.#isAnyDown = peers.some(({ down }) => down !== null);
    this.#majority = this.#countMajority();
    this.#reconsiderAll(now);
  }

  /** The locks that are to be suspected now; each is taken to be. */
  due(now: number): readonly string[] {
    if (this.#earliest === null || this.#earliest > now) return [];
    const locks: string[] = [];
    this.#earliest = null;
    for (const watched of this.#drawn) {
      const due = watched.due!;
      if (due > now) {
        this.#earliest = Math.min(due, this.#earliest ?? due);
        continue;
      }
      if (watched.cause === 'patience') watched.patience += 1;
      this.#stand(watched);
      locks.push(watched.lock);
    }
    return locks;
  }

  /** Before when `due` will have nothing to say, if nothing happens before; `null` when it never will. */
  get next(): number | null {
    return this.#earliest;
  }

  /** What it brings about is told by `persisted`. */
  #stand(watched: Watched): void {
    watched.stoodFor = watched.promised + 1;
    watched.attempts += 1;
    watched.warned = !this.#majority;
    this.#draw(watched, null, null);
  }

  #draw(watched: Watched, cause: string | null, due: number | null): void {
    watched.cause = cause;
    watched.due = due;
    if (due === null) {
      this.#drawn.delete(watched);
      if (this.#drawn.size === 0) this.#earliest = null;
      return;
    }
    this.#drawn.add(watched);
    this.#earliest = Math.min(due, this.#earliest ?? due);
  }

  #wake(lock: string): Watched {
    const known = this.#awake.get(lock);
    if (known) return known;
    const watched = wake(lock, this.#idle.get(lock));
    this.#idle.delete(lock);
    this.#awake.set(lock, watched);
    return watched;
  }

  #rest(watched: Watched): void {
    const { keep } = this.#resting;
    const kept = keep(watched);
    this.#awake.delete(watched.lock);
    if (kept) this.#idle.set(watched.lock, kept);
  }

  #countMajority(): boolean {
    const { self, voters } = this.#options;
    return 2 * voters.filter((voter) => voter === self || this.#up.has(voter)).length > voters.length;
  }

  #deathOf(site: SiteId): number {
    return this.#peers.get(site)?.down ?? Number.POSITIVE_INFINITY;
  }

  #reconsiderAll(now: number): void {
    for (const watched of this.#awake.values()) {
      if (this.#majority && watched.warned) {
        watched.warned = false;
        watched.attempts = 0;
      }
      this.#reconsider(watched, now);
    }
  }

  /** Draws when to suspect, whenever there is another cause than before. */
  #reconsider(watched: Watched, now: number): void {
    const reason = this.#reasonOf(watched);
    const cause = reason === 'election' ? `${reason} ${watched.promised}` : reason;
    if (cause !== watched.cause)
      this.#draw(watched, cause, reason === null ? null : now + this.#delayOf(reason, watched));
    const { mayRest, few } = this.#resting;
    if (this.#awake.size > few && mayRest(watched)) this.#rest(watched);
  }

  #reasonOf({ waits, promised, epoch, closed, covered, lostOf, warned, inVain }: Watched): Reason | null {
    const frozen = promised > epoch;
    if (!this.#majority) return waits && !closed && !warned ? 'minority' : null;
    if (frozen && (waits || !(closed || inVain))) return 'election';
    if (!closed && !frozen && lostOf === epoch && (waits || !inVain)) return 'loss';
    if (!waits) return null;
    if (closed) return 'restart';
    if (this.#latest > covered) return 'death';
    return this.#isAnyDown ? 'patience' : null;
  }

  #delayOf(reason: Reason, { attempts, patience, stoodFor, promised }: Watched): number {
    const { timing, fraction } = this.#options;
    switch (reason) {
      case 'minority':
        return 0;
      case 'restart':
      case 'loss':
      case 'death':
        return timing.suspectMinMs + fraction() * (timing.suspectMaxMs - timing.suspectMinMs);
      case 'patience':
        return timing.patienceMs * 2 ** patience;
      case 'election': {
        const longest = Math.min(timing.electionMaxMs, timing.electionMinMs * 2 ** Math.max(0, attempts - 1));
        // A candidate tries again well before those that it froze give it up.
        return stoodFor === promised ? longest * (1 - fraction() / 2) : longest * (2 + fraction());
      }
    }
  }
}
