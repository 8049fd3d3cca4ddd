import type { InspectionEvent, Observer } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import type { Disk } from '../../machines/epoch/messages.ts';
import type { ClientEvent } from '../../machines/naimi-trehel/messages.ts';
import type { Chance, Clock } from '../doors.ts';
import { InvariantError, OperatingError } from '../errors.ts';
import type { ByeReason, StampedEnvelope } from '../frame/frames.ts';
import { Lock } from '../lock/lock.ts';
import type { Mailbox, MailboxHandlers, PeerChange } from '../mailbox/mailbox.ts';
import type { Limits, Notice, Strict, Timing } from '../options.ts';
import type { Store } from '../store/store.ts';
import { Suspicion } from '../suspicion/driver.ts';
import type { Recorder } from '../trace/recorder.ts';
import { Ballot } from './ballot.ts';
import { Host } from './host.ts';
import { LeaseClock } from './lease-clock.ts';
import type { Protocol } from './protocol.ts';

export interface MeshOptions {
  readonly self: SiteId;
  readonly peers: readonly SiteId[];
  /** The first root of a lock. */
  readonly root: (lock: string) => SiteId;
  readonly voters: readonly SiteId[];
  readonly protocol: Protocol;
  readonly mailbox: Mailbox;
  readonly store: Store;
  readonly recorder: Recorder;
  readonly timing: Timing;
  readonly limits: Pick<Limits, 'maxLocks' | 'maxLocksOfPeer'>;
  /** `null`: without leases. */
  readonly strict: Required<Strict> | null;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly inspect?: Observer<InspectionEvent> | ((event: InspectionEvent) => void);
  readonly notice: (notice: Notice) => void;
  /** Nothing runs any more. */
  readonly crashed: (error: InvariantError) => void;
}

/** One lock at this site: its actor, and its callers. */
export interface Place {
  readonly host: Host;
  readonly lock: Lock;
  readonly ballot: Ballot;
  readonly leases: LeaseClock | null;
}

/** Of all locks of a site. */
export class Tally {
  readonly sent = new Map<string, number>();
  readonly received = new Map<string, number>();
  entered = 0;
  lost = 0;
  suspicions = 0;
  elections = 0;
}

/** One site: its locks, over one mailbox, with one store and one failure detector. */
export class Mesh {
  readonly tally = new Tally();
  readonly #options: MeshOptions;
  readonly #places = new Map<string, Place>();
  /** How many places were made for a peer's message. */
  readonly #madeBy = new Map<SiteId, number>();
  /** Where a death is not survived: who takes part no longer. */
  readonly #departed = new Set<SiteId>();
  /** Where failures are survived. */
  readonly #suspicion: Suspicion | null;
  /** Has a majority been in reach? Before that, at the start of all, a suspicion would only disturb. */
  #begun = false;
  /** Why nobody is granted anything any more. */
  #refusal: Error | null = null;
  #ended = false;

  constructor(options: MeshOptions) {
    this.#options = options;
    const suspect = (name: string) => this.#suspect(name);
    this.#suspicion = options.protocol.survives ? new Suspicion({ ...options, suspect }) : null;
  }

  get locks(): number {
    return this.#places.size;
  }

  get majority(): boolean {
    return this.#suspicion?.majority ?? true;
  }

  /** Throws `TOO_MANY_LOCKS`, and why nothing is granted any more. */
  place(name: string): Place {
    const known = this.#places.get(name);
    if (known) return known;
    if (this.#refusal) throw this.#refusal;
    return this.#make(name);
  }

  #make(name: string): Place {
    const { self: site, voters, protocol, store, recorder, mailbox, inspect, limits } = this.#options;
    const peers = this.#options.peers.filter((peer) => !this.#departed.has(peer));
    if (this.#places.size >= limits.maxLocks) {
      throw new OperatingError(
        'TOO_MANY_LOCKS',
        `${site} knows ${limits.maxLocks} locks already (limits.maxLocks); there is no room for ${name}`,
      );
    }
    const root = this.#options.root(name);
    const { tally } = this;
    const suspicion = this.#suspicion;
    const disk = suspicion ? store.read(name, root) : 'none';
    let epoch = typeof disk === 'string' ? 0 : disk.epoch;
    suspicion?.open(name, disk);
    const lock = new Lock({
      name,
      clock: this.#options.clock,
      tell: (event) => this.#tell(name, event),
    });
    const ballot = new Ballot({
      clock: this.#options.clock,
      graceMs: this.#options.timing.electionMinMs / 4,
      inReach: (peer) => suspicion?.isUp(peer) ?? false,
      deliver: (envelope) => host.deliver(envelope),
    });
    const { strict, clock } = this.#options;
    const leases = strict && new LeaseClock({ ...strict, clock, wake: () => host.wake() });
    const host: Host = new Host({
      site,
      life: store.life,
      peers,
      lock: name,
      protocol,
      input: protocol.input({ site, root, peers, voters, disk, strict: strict !== null }),
      recorder,
      tally,
      ...(inspect && { inspect }),
      post: (envelope) => {
        ballot.sent(envelope);
        mailbox.post(envelope);
      },
      persist: (kept: Disk) => {
        store.put(name, kept);
        suspicion?.persisted(name, kept);
        if (kept.epoch === epoch) return;
        epoch = kept.epoch;
        this.#options.notice({ type: 'adopted', lock: name, epoch, root: kept.root });
      },
      sync: () => this.#sync(),
      grant: (fence) => {
        tally.entered += 1;
        suspicion?.settled(name);
        lock.grant(fence);
      },
      lost: (fence) => {
        tally.lost += 1;
        leases?.client('lost');
        lock.lose(fence);
        this.#options.notice({ type: 'lost', lock: name, fence });
      },
      elected: ({ epoch: won, root: chosen }) => {
        tally.elections += 1;
        this.#options.notice({ type: 'elected', lock: name, epoch: won, root: chosen });
      },
      left: () => lock.left(),
      lease: (effect) => leases?.take(effect),
      due: () => leases?.due() ?? [],
      crashed: (error) => this.crash(error),
    });
    const place: Place = { host, lock, ballot, leases };
    this.#places.set(name, place);
    if (this.#begun) lock.begin();
    return place;
  }

  async open(): Promise<void> {
    const { mailbox } = this.#options;
    this.#beginWhenMajority();
    await mailbox.open({
      receive: (envelope) => this.#receive(envelope),
      peer: (change) => this.#peer(change),
      beforeWrite: () => this.#beforeWrite(),
    } satisfies MailboxHandlers);
  }

  /** Grants no more. Resolves when nobody holds a lock here and who waited has the token, or after `timeoutMs`. */
  async leave(timeoutMs: number): Promise<void> {
    this.#refusal ??= new OperatingError('SITE_LEAVING', 'this site is leaving and acquires no more');
    const { survives } = this.#options.protocol;
    await Promise.all(
      [...this.#places.values()].map(({ lock }) => (survives ? lock.drain(timeoutMs) : lock.leave())),
    );
  }

  /** Nothing is taken or granted any more. */
  end(reason: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#refusal = reason;
    this.#suspicion?.stop();
    for (const { host, lock, ballot, leases } of this.#places.values()) {
      ballot.stop();
      leases?.stop();
      host.stop();
      lock.end(reason);
    }
  }

  /** Ends, sends what is queued and says goodbye. */
  async close(goodbye: ByeReason, reason: Error): Promise<void> {
    const { mailbox } = this.#options;
    if (!this.#ended) {
      this.end(reason);
      try {
        // A mailbox that closes asks nobody any more before it writes.
        this.#sync();
      } catch (error) {
        mailbox.abort();
        throw error;
      }
    }
    await mailbox.close(goodbye);
  }

  crash(error: InvariantError): void {
    if (this.#ended) return;
    this.end(error);
    this.#options.mailbox.abort();
    this.#options.crashed(error);
  }

  #receive(envelope: StampedEnvelope): void {
    if (this.#ended) return;
    const { ballot } = this.#places.get(envelope.lock) ?? this.#makeFor(envelope);
    ballot.arrive(envelope);
  }

  #makeFor({ source, lock }: StampedEnvelope): Place {
    const { maxLocksOfPeer } = this.#options.limits;
    const made = this.#madeBy.get(source) ?? 0;
    if (made >= maxLocksOfPeer) {
      throw new OperatingError(
        'TOO_MANY_LOCKS',
        `${source} was the first to name ${made} locks here (limits.maxLocksOfPeer); there is no room for ${lock}`,
      );
    }
    const place = this.#make(lock);
    this.#madeBy.set(source, made + 1);
    return place;
  }

  #peer(change: PeerChange): void {
    const { notice } = this.#options;
    if (this.#ended) return;
    notice(change);
    for (const { ballot, host } of this.#places.values()) {
      if (change.type === 'down') ballot.absent(change.peer);
      if (change.type !== 'restarted') continue;
      // What is kept came by the link as it was.
      ballot.close();
      host.linkBegan(change.peer);
    }
    if (!this.#suspicion && change.type === 'down' && change.why === 'left') this.#departed.add(change.peer);
    const error = this.#suspicion ? null : deathOf(change);
    if (error) notice({ type: 'error', error, peer: change.peer, remote: null });
    this.#suspicion?.peer(change);
    this.#beginWhenMajority();
  }

  #beginWhenMajority(): void {
    this.#begun ||= this.#suspicion?.majority ?? true;
    if (!this.#begun) return;
    for (const { lock } of this.#places.values()) lock.begin();
  }

  /** The record first: it may say more than the disk, which a crash forgets, but never less. */
  #sync(): void {
    const { recorder, store } = this.#options;
    recorder.flush();
    store.sync();
  }

  #beforeWrite(): void {
    try {
      this.#sync();
    } catch (cause) {
      const { self } = this.#options;
      const reason = cause instanceof Error ? cause.message : String(cause);
      // It closes every connection, so that nothing is written.
      this.crash(new InvariantError('EFFECT_FAILED', `${self} cannot sync its disk: ${reason}`, { cause }));
    }
  }

  #tell(name: string, event: ClientEvent): void {
    const { host, leases } = this.#places.get(name)!;
    if (event.type !== 'leave') leases?.client(event.type);
    if (event.type === 'ask' && this.#suspicion?.asked(name)) this.#suspect(name);
    if (event.type === 'withdraw') this.#suspicion?.settled(name);
    host.tell(event);
  }

  #suspect(name: string): void {
    this.tally.suspicions += 1;
    this.#options.notice({ type: 'suspected', lock: name });
    this.#places.get(name)!.host.tell({ type: 'suspect' });
  }
}

/** What a death means to sites that do not survive one. */
function deathOf(change: PeerChange): OperatingError | null {
  const { peer } = change;
  if (change.type === 'up' || (change.type === 'down' && change.why === 'left')) return null;
  if (change.type === 'restarted') {
    return new OperatingError(
      'PEER_RESTARTED',
      `${peer} was started again and knows nothing of the run it was part of: it cannot rejoin; start every site again`,
    );
  }
  return change.why === 'closed'
    ? new OperatingError('PEER_CLOSED', `${peer} has closed without leaving; if it held the token, all wait`)
    : new OperatingError(
        'PEER_LOST',
        `${peer} is down (${change.why}); if it held the token, or a request was on its way through it, all wait`,
      );
}
