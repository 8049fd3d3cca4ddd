import type { SiteId } from '../../machines/actor.ts';
import type { Disk, SiteMessage } from '../../machines/epoch/messages.ts';
import type { PeerChange } from '../mailbox/mailbox.ts';
import type { Timing } from '../options.ts';

export interface WatchOptions {
  readonly self: SiteId;
  readonly voters: readonly SiteId[];
  readonly timing: Timing;
  /** Uniform in [0, 1). */
  readonly fraction: () => number;
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

/** One lock, as its effects tell. */
interface Watched {
  /** The client has asked, and was not granted. */
  waits: boolean;
  disk: Disk;
  /** Since the restart of this site, until it promises or adopts an epoch. */
  closed: boolean;
  /** How many deaths were known when `disk.promised` was. */
  promisedAt: number;
  /** Deaths up to this number had no part in the present epoch. */
  covered: number;
  /** The latest epoch of which something was lost with another site's life. */
  lostOf: number;
  /** For which epoch this site stood last. */
  stoodFor: number;
  /** Elections that this site began since it adopted the present epoch. */
  attempts: number;
  /** Suspicions out of `patience` in this wait. */
  patience: number;
  /** Has been suspected since no majority is in reach. */
  warned: boolean;
  /** What `due` was drawn for. */
  cause: string | null;
  due: number | null;
}

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
 */
export class Watch {
  readonly #options: WatchOptions;
  readonly #locks = new Map<string, Watched>();
  readonly #peers = new Map<SiteId, Peer>();
  readonly #up = new Set<SiteId>();
  #deaths = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  isUp(peer: SiteId): boolean {
    return this.#up.has(peer);
  }

  /** Is a majority of the voters in reach, this site among them? */
  get majority(): boolean {
    const { self, voters } = this.#options;
    return 2 * voters.filter((voter) => voter === self || this.#up.has(voter)).length > voters.length;
  }

  /** A lock that starts with this on its disk, if it ran in an earlier life. */
  open(lock: string, disk: Disk | 'none' | 'lost'): void {
    const closed = typeof disk !== 'string';
    this.#locks.set(lock, {
      waits: false,
      disk: closed ? disk : { promised: 0, epoch: 0, root: '' },
      closed,
      // What it has promised or adopted is of an earlier life, or of the beginning: any of the dead may have part in it.
      promisedAt: 0,
      covered: 0,
      lostOf: -1,
      stoodFor: 0,
      attempts: 0,
      patience: 0,
      warned: false,
      cause: null,
      due: null,
    });
  }

  /** By the effect `persist`. */
  persisted(lock: string, disk: Disk, now: number): void {
    const watched = this.#locks.get(lock)!;
    const before = watched.disk;
    watched.disk = disk;
    watched.closed = false;
    if (disk.promised > before.promised) watched.promisedAt = this.#deaths;
    if (disk.epoch > before.epoch) {
      watched.attempts = 0;
      // Whoever votes is up then: of those whose death was known before, only the root may have voted before it died.
      watched.covered = Math.min(watched.promisedAt, this.#deathOf(disk.root) - 1);
    }
    this.#reconsider(watched, now);
  }

  /** The client asks. True: suspect the lock first, so that no minority grants. */
  asked(lock: string, now: number): boolean {
    const watched = this.#locks.get(lock)!;
    const follows = !watched.closed && watched.disk.promised === watched.disk.epoch;
    watched.waits = true;
    watched.patience = 0;
    if (this.majority || !follows) {
      this.#reconsider(watched, now);
      return false;
    }
    this.#stand(watched);
    return true;
  }

  /** The client was granted, or withdraws. */
  settled(lock: string, now: number): void {
    const watched = this.#locks.get(lock)!;
    watched.waits = false;
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
          const watched = this.#locks.get(lock);
          const { type, epoch } = message as SiteMessage;
          if (watched && ['TOKEN', 'REQUEST', 'NEW'].includes(type))
            watched.lostOf = Math.max(watched.lostOf, epoch);
        }
      }
      known.down = null;
    }
    this.#reconsiderAll(now);
  }

  /** The locks that are to be suspected now; each is taken to be. */
  due(now: number): readonly string[] {
    const locks: string[] = [];
    for (const [lock, watched] of this.#locks) {
      if (watched.due === null || watched.due > now) continue;
      if (watched.cause === 'patience') watched.patience += 1;
      this.#stand(watched);
      locks.push(lock);
    }
    return locks;
  }

  /** When `due` will have something to say, if nothing happens before. */
  get next(): number | null {
    const times = [...this.#locks.values()].flatMap(({ due }) => due ?? []);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** What it brings about is told by `persisted`. */
  #stand(watched: Watched): void {
    watched.stoodFor = watched.disk.promised + 1;
    watched.attempts += 1;
    watched.warned = !this.majority;
    watched.cause = null;
    watched.due = null;
  }

  #deathOf(site: SiteId): number {
    return this.#peers.get(site)?.down ?? Number.POSITIVE_INFINITY;
  }

  #reconsiderAll(now: number): void {
    const { majority } = this;
    for (const watched of this.#locks.values()) {
      if (majority && watched.warned) {
        watched.warned = false;
        watched.attempts = 0;
      }
      this.#reconsider(watched, now);
    }
  }

  /** Draws when to suspect, whenever there is another cause than before. */
  #reconsider(watched: Watched, now: number): void {
    const reason = this.#reasonOf(watched);
    const cause = reason === 'election' ? `${reason} ${watched.disk.promised}` : reason;
    if (cause === watched.cause) return;
    watched.cause = cause;
    watched.due = reason === null ? null : now + this.#delayOf(reason, watched);
  }

  #reasonOf({ waits, disk, closed, covered, lostOf, warned }: Watched): Reason | null {
    const frozen = disk.promised > disk.epoch;
    if (!this.majority) return waits && !closed && !warned ? 'minority' : null;
    if (frozen && (!closed || waits)) return 'election';
    if (!closed && lostOf === disk.epoch) return 'loss';
    if (!waits) return null;
    if (closed) return 'restart';
    const peers = [...this.#peers.values()];
    if (peers.some(({ past, down }) => past > covered || (down ?? 0) > covered)) return 'death';
    return peers.some(({ down }) => down !== null) ? 'patience' : null;
  }

  #delayOf(reason: Reason, { attempts, patience, stoodFor, disk }: Watched): number {
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
        return stoodFor === disk.promised ? longest * (1 - fraction() / 2) : longest * (2 + fraction());
      }
    }
  }
}
