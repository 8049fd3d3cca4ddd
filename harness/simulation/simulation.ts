import type { AnyStateMachine } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import type { DurableState, Fence } from '../../machines/epoch/messages.ts';
import type { SiteContext } from '../../machines/epoch/site.ts';
import { CodedError, reasonOf } from '../../machines/errors.ts';
import { voterOf } from '../../machines/members/configuration.ts';
import type { FoundingDisk } from '../../machines/members/founding.ts';
import type { MembersEffect } from '../../machines/members/messages.ts';
import type { EventLine, RecordLine } from '../../machines/record.ts';
import { OperatingError } from '../../runtime/api/errors.ts';
import type { Held } from '../../runtime/api/lock.ts';
import type { Notice } from '../../runtime/api/notice.ts';
import { type Channel, MemoryHub } from '../../runtime/mailbox/memory.ts';
import { noRecorder } from '../../runtime/observe/recorder.ts';
import type { StrictSettings, Timing } from '../../runtime/options/schema.ts';
import { defaultLimits, defaultTiming } from '../../runtime/options/schema.ts';
import { beginAnew } from '../../runtime/site/found-anew.ts';
import type { LockActor } from '../../runtime/site/lock-actor.ts';
import { since } from '../../runtime/site/protocol.ts';
import { Site } from '../../runtime/site/site.ts';
import type { MembersRecord } from '../../runtime/store/content.ts';
import type { Store } from '../../runtime/store/store.ts';
import { foundedBy } from '../../runtime/testing/founded.ts';
import { protocolVersion } from '../../runtime/wire/frames.ts';
import { FoundingWitness } from './founding-witness.ts';
import { GrantWitness } from './grant-witness.ts';
import { LeaseWitness } from './lease-witness.ts';
import { LineWitness } from './line-witness.ts';
import { MembersWitness } from './members-witness.ts';
import { OverlapWitness } from './overlap-witness.ts';
import { SiteClock, seeded, VirtualClock } from './virtual-clock.ts';
import { brokenByVote } from './vote-witness.ts';

/** A disk that loses in a crash everything that was not synced. */
class SimulatedDisk {
  life = -1;
  /** It refuses every write: it is full, or turned read-only. */
  fails = false;
  #synced = new Map<string, DurableState>();
  #hasRun = false;

  readonly #syncs: boolean;
  readonly #id: string;
  readonly #kept: { founding: FoundingDisk | null; members: MembersRecord | null };

  /** `founders`: empty at a site that is to join. */
  constructor(syncs: boolean, id: string, founders: readonly SiteId[]) {
    this.#syncs = syncs;
    this.#id = id;
    this.#kept = { founding: founders.length > 0 ? foundedBy(founders) : null, members: null };
  }

  /** As it was synced last. */
  get founding(): FoundingDisk | null {
    return this.#kept.founding;
  }

  get isNew(): boolean {
    return this.#kept.founding === null;
  }

  get isOfCluster(): boolean {
    return this.#kept.founding !== null && this.#kept.founding.stage !== 'accepted';
  }

  get members(): MembersRecord | null {
    return this.#kept.members;
  }

  /** The disk of the site `site` after it founded its cluster anew. In a life before any lock may have run, as in every one of that cluster. */
  begunAnew(site: SiteId, least: number, newId: string, statechart?: AnyStateMachine): SimulatedDisk {
    const content = { site, id: this.#id, founding: this.#kept.founding! };
    const { id, ...kept } = beginAnew(content, least, newId, statechart);
    const begun = new SimulatedDisk(this.#syncs, id, []);
    Object.assign(begun.#kept, kept);
    begun.#hasRun = true;
    return begun;
  }

  /** Its data, as they are now. */
  copy(): SimulatedDisk {
    const copied = new SimulatedDisk(this.#syncs, this.#id, []);
    copied.life = this.life;
    copied.#hasRun = this.#hasRun;
    copied.#synced = new Map(this.#synced);
    Object.assign(copied.#kept, this.#kept);
    return copied;
  }

  get id(): string {
    return this.#id;
  }

  /** The store of the next run. `synced`: called when it has kept what was put there. */
  open(synced: () => void = () => undefined): Store {
    const kept = new Map(this.#synced);
    const head = { ...this.#kept };
    const hasRun = this.#hasRun;
    this.#hasRun = true;
    this.life += 1;
    return {
      life: this.life,
      id: this.#id,
      get founding() {
        return head.founding;
      },
      putFounding: (founding) => {
        head.founding = founding;
      },
      get members() {
        return head.members;
      },
      putMembers: (members) => {
        head.members = members;
      },
      read: (lock, root) => kept.get(lock) ?? (hasRun ? { promised: 0, epoch: 0, root } : 'none'),
      locks: () => [...kept.keys()],
      put: (lock, disk) => void kept.set(lock, disk),
      forget: (lock) => void kept.delete(lock),
      sync: () => {
        if (this.fails) throw new OperatingError('DISK_FAILED', `the disk of ${this.#id} is read-only`);
        if (!this.#syncs) return;
        this.#synced = new Map(kept);
        Object.assign(this.#kept, head);
        synced();
      },
      close: () => undefined,
    };
  }
}

export interface SimulatedSite {
  readonly id: SiteId;
  readonly mesh: Site;
  /** Created at the first use, if there is no room for a lock that others name. */
  readonly place: LockActor;
  readonly notices: Notice[];
}

export interface SimulationOptions {
  readonly sites: number;
  readonly seed: number;
  readonly voters?: readonly SiteId[];
  /** Default: the statechart that the runtime runs. */
  readonly statechart?: AnyStateMachine;
  /** The voters in the view of `site`. Default: `voters`. */
  readonly believes?: (site: SiteId) => readonly SiteId[];
  readonly timing?: Partial<Timing>;
  /** Use leases. Clocks run at random rates, off by up to `driftShare`. */
  readonly strict?: StrictSettings;
  /** The largest deviation of a clock's rate. Default: that of `strict`. */
  readonly driftShare?: number;
  /** Drop the parts that an idle lock does not need, as often as possible. Default: false. */
  readonly rests?: boolean;
  /** Called with every event of the sites, in the form in which it is recorded. */
  readonly witness?: (line: RecordLine) => void;
  /** Disks keep the data that they sync. Default: true. */
  readonly syncs?: boolean;
  /** The members change: sites may grant without reaching a majority of the first voters. Default: false. */
  readonly changes?: boolean;
  /** With this number of voters no site is added unless it is asked for, and these sites want to be. Default: any number, and all. */
  readonly fits?: { readonly mostVoters: number; readonly asks: (site: SiteId) => boolean };
  /** Founders are no cluster yet: each begins with an empty disk, and the caller opens it. Default: they have founded one. */
  readonly founds?: boolean;
  /** The statecharts of the members and of the founding. Default: those that the runtime runs. */
  readonly membersStatechart?: AnyStateMachine;
  readonly foundingStatechart?: AnyStateMachine;
  /** Called with the effects of the members' statechart of a site, before they are carried out. Default: nobody asks. */
  readonly membersTook?: (site: SiteId, effects: readonly MembersEffect[]) => void;
  /** Sites with no room for a lock that another names. Default: none. */
  readonly roomless?: readonly SiteId[];
  /** Sites forget the lock when nobody has used it for `timing.forgetAfterMs` (R13). Default: false. */
  readonly forgets?: boolean;
  /** Clients of an ordeal wait for up to this long before they want the lock again. Default: 40. */
  readonly pauseMs?: number;
  /** Clients of an ordeal hold the lock for up to this long. Default: 20. */
  readonly holdMs?: number;
  /**
   * The faults of an ordeal. `isolate`: one site at a time is cut off from the others, and none crashes. `bounce`: one site at a time is what
   * the others have in common, as they do not reach each other, and then it crashes and starts again at once. `voter`: as `bounce`, and
   * it also does as soon as it has elected one of the others, which is cut off. `late`: messages of one site at a time take long, and it is
   * cut off as soon as it has a lease. `none`: nothing fails. Default: links are cut, and sites crash and come back.
   */
  readonly faults?: 'isolate' | 'bounce' | 'voter' | 'late' | 'none';
  /** Sites are told to forget the lock while their callers wait for it or hold it, which the runtime never does. Default: false. */
  readonly forgetsInUse?: boolean;
  /** The steps of an ordeal end as soon as a site is told that a request was not taken (M5): no later fault makes up for it. Default: false. */
  readonly endsAtOver?: boolean;
  /** Messages of an ordeal are under way for as long as leases last. Default: for less. */
  readonly slow?: boolean;
}

/**
 * Sites of the real runtime over mailboxes in memory, with virtual time and random numbers from a seed. The
 * caller decides the events and their order. After every event of a site the promises of docs/protocol.md are
 * checked; `check` throws the first that is broken.
 */
export class Simulation {
  /** All names that were ever opened. */
  readonly ids: SiteId[];
  readonly clock = new VirtualClock();
  readonly random: () => number;
  readonly hub = new MemoryHub(undefined, since);
  readonly sites = new Map<SiteId, SimulatedSite>();
  readonly granted: { readonly site: SiteId; readonly fence: Fence }[] = [];
  readonly #cuts = new Set<string>();
  /** The winner of each epoch, and the highest count of a fence in each: by the generation of the cluster and the epoch. */
  readonly #winners = new Map<string, SiteId>();
  readonly #highest = new Map<string, number>();
  /** The generation of all grants so far, since the cluster was founded anew last. */
  #generation: number | null = null;
  #generations = 0;
  /** The generation of all grants before that. */
  #generationBefore: number | null = null;
  /** The generation in which the cluster was founded anew last; `null`: it was not. */
  #anew: number | null = null;
  /** The sites that run with data of a cluster that was founded anew since. */
  readonly #outdated = new Set<SiteId>();
  /** The ids that were told so (M9). */
  readonly #superseded = new Set<string>();
  readonly #adopted = new Map<SiteId, { readonly epoch: number; readonly inMinority: boolean }>();
  readonly #disks = new Map<SiteId, SimulatedDisk>();
  readonly #founders: readonly SiteId[];
  #newDisks = 0;
  readonly #options: SimulationOptions;
  readonly #rates = new Map<SiteId, number>();
  readonly #clocks = new Map<SiteId, SiteClock>();
  readonly #leases: LeaseWitness | null;
  #overlaps = new OverlapWitness();
  readonly #grants = new GrantWitness();
  readonly #lines = new LineWitness();
  readonly #foundings = new FoundingWitness();
  /** The judge of each generation of the cluster. */
  readonly #members = new Map<number, MembersWitness>();
  /** Another configuration is held, or by another site, since S7 was judged. */
  #judgesQuorums = false;
  /** The site that stopped last because its disk failed. */
  #stopping: SimulatedSite | null = null;
  #broken: string | null = null;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.random = seeded(options.seed);
    this.ids = Array.from({ length: options.sites }, (_, index) => String.fromCharCode(97 + index));
    this.#founders = [...this.ids];
    for (const id of this.ids)
      this.#disks.set(id, new SimulatedDisk(options.syncs ?? true, id, options.founds ? [] : this.#founders));
    const { strict, driftShare = strict?.driftShare ?? 0 } = options;
    for (const id of strict ? this.ids : []) this.#rates.set(id, 1 + driftShare * (2 * this.random() - 1));
    this.#leases = strict ? new LeaseWitness(strict.leaseMs) : null;
  }

  async openAll(): Promise<void> {
    for (const id of this.ids) await this.open(id);
  }

  /** Opens the first run of a site, or the next one. `version`: of the wire, as its build speaks it. */
  async open(id: SiteId, version = protocolVersion): Promise<SimulatedSite> {
    const { voters = this.#founders, statechart, believes = () => voters, timing } = this.#options;
    const { membersStatechart, foundingStatechart, fits } = this.#options;
    const notices: Notice[] = [];
    const hasRoom = !this.#options.roomless?.includes(id);
    const clock = new SiteClock(this.clock, this.#rateOf(id));
    this.#clocks.set(id, clock);
    const disk = this.#disks.get(id)!;
    disk.fails = false;
    const voter = voterOf(id, disk.id);
    const { founding } = disk;
    const isOutdated =
      founding !== null && (founding.stage === 'superseded' || founding.generation < (this.#anew ?? 0));
    if (isOutdated && disk.isOfCluster) this.#outdated.add(id);
    else this.#outdated.delete(id);
    const mesh = new Site({
      self: id,
      peers: this.ids.filter((other) => other !== id),
      ...this.#foundersOf(id, disk),
      root: 'a',
      voters: believes(id),
      ...(statechart && { statechart }),
      ...(membersStatechart && { membersStatechart }),
      ...(foundingStatechart && { foundingStatechart }),
      ...(fits && { mostVoters: () => fits.mostVoters, asks: () => fits.asks(id) }),
      // Above the generation of every founding before.
      generation: () => 1 + Math.floor(this.clock.now()),
      mailbox: this.hub.mailbox(id, disk.id, version),
      store: disk.open(() => {
        for (const witness of this.#members.values()) this.#broken ??= witness.synced(voter);
        if (this.#options.founds && disk.founding)
          this.#broken ??= this.#foundings.synced(id, disk.id, disk.founding);
      }),
      membersTook: (effects, generation) => {
        if (disk.fails && effects.some(({ type }) => type === 'committed')) {
          this.#stopping = this.sites.get(id) ?? null;
          return;
        }
        this.#broken ??= this.#membersOf(generation).took(voter, effects);
        if (effects.some(({ type }) => type === 'configured')) this.#judgesQuorums = true;
        this.#options.membersTook?.(id, effects);
      },
      recorder: { ...noRecorder, active: true, record: (line) => this.#observe(line) },
      timing: { ...defaultTiming, ...timing },
      forgets: this.#options.forgets ?? false,
      limits: hasRoom ? defaultLimits : { ...defaultLimits, maxLocksOfPeer: 0 },
      strict: this.#options.strict ?? null,
      clock,
      random: { fraction: this.random, incarnation: () => id },
      notice: (notice) => {
        notices.push(notice);
        if (notice.type !== 'error' || codeOf(notice.error) !== 'FOUNDED_ANEW') return;
        this.#superseded.add(disk.id);
        if (!isOutdated)
          this.#broken ??= `M9: ${id} is told that its cluster was founded anew, and it was not`;
      },
      crashed: (error) => {
        if (disk.fails) this.#gone(id);
        else this.#broken ??= error.message;
      },
    });
    if (hasRoom) mesh.actor('main');
    const site = {
      id,
      mesh,
      notices,
      get place() {
        return mesh.actor('main');
      },
    };
    this.sites.set(id, site);
    // They answer nothing before they are resumed.
    for (const other of this.ids) if (this.isSuspended(other)) this.hub.cut(id, other);
    this.#judgesQuorums = true;
    await mesh.open();
    if (this.#superseded.has(disk.id) && this.sites.get(id) === site && !this.isRefused(id))
      this.#broken ??= `M9: ${id} was told that its cluster was founded anew, and takes part again after a restart`;
    return site;
  }

  /** A new site joins and founds nothing, but for a founder that keeps its settings: until the cluster is founded anew, when all are to join. */
  #foundersOf(id: SiteId, disk: SimulatedDisk): { founders?: readonly SiteId[] } {
    if (!disk.isOfCluster && this.#anew !== null) return { founders: [] };
    if (this.#options.founds) return { founders: this.#founders.includes(id) ? this.#founders : [] };
    return disk.isNew ? { founders: [] } : {};
  }

  /** Empties a disk: for a new name, or a name whose data are gone. With `as`, a mistake: under the id of before. */
  empty(id: SiteId, as?: string): void {
    if (!this.ids.includes(id)) this.ids.push(id);
    this.#newDisks += 1;
    this.#disks.set(id, new SimulatedDisk(this.#options.syncs ?? true, as ?? `${id}-${this.#newDisks}`, []));
  }

  idOf(id: SiteId): string {
    return this.#disks.get(id)!.id;
  }

  /** The data of a site: of the founding, and of the voters. */
  dataOf(id: SiteId): Pick<SimulatedDisk, 'id' | 'isOfCluster' | 'founding' | 'members'> {
    return this.#disks.get(id)!;
  }

  /** Founds the cluster anew with the data of `id`, as the operator's command does (M9). No process is left. `least`: the operator's clock. */
  foundAnew(id: SiteId, least: number): void {
    if (this.sites.size > 0) throw new RangeError(`${[...this.sites.keys()].join(', ')} run still`);
    this.#newDisks += 1;
    const newId = `${id}-${this.#newDisks}`;
    const begun = this.#disks.get(id)!.begunAnew(id, least, newId, this.#options.foundingStatechart);
    this.#disks.set(id, begun);
    this.#anew = begun.founding!.generation;
    this.#generationBefore = this.#generation ?? this.#generationBefore;
    this.#generation = null;
    // Nothing of the cluster before stands in the way of an overlap (M9).
    this.#overlaps = new OverlapWitness();
  }

  /** How many clusters granted locks, one after the other. */
  get generations(): number {
    return this.#generations;
  }

  get isFoundedAnew(): boolean {
    return this.#anew !== null;
  }

  /** Does the site run with data of a cluster that was founded anew since? */
  isOutdated(id: SiteId): boolean {
    return this.#outdated.has(id);
  }

  /** Are the callers of a site told that its cluster was founded anew? */
  isRefused(id: SiteId): boolean {
    try {
      this.sites.get(id)!.mesh.actor('main');
      return false;
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      return codeOf(error) === 'FOUNDED_ANEW';
    }
  }

  /** A copy of the data of a site, which `putBack` puts in their place: a mistake of an operator. */
  copy(id: SiteId): () => void {
    const kept = this.#disks.get(id)!.copy();
    return () => void this.#disks.set(id, kept);
  }

  /** Does the disk of any founder say that the cluster is founded? */
  get isFounded(): boolean {
    return this.#founders.some((id) => this.#disks.get(id)!.isOfCluster);
  }

  crash(id: SiteId): void {
    this.hub.crash(id);
    this.sites.get(id)!.mesh.end(new OperatingError('SITE_CLOSED', `${id} has crashed`));
    this.#gone(id);
  }

  #gone(id: SiteId): void {
    for (const witness of this.#members.values()) witness.crashed(voterOf(id, this.idOf(id)));
    if (this.isSuspended(id)) this.#reconnect(id);
    this.#clocks.delete(id);
    this.sites.delete(id);
    this.#leases?.crashed(id);
  }

  /** Its disk refuses every write from now on, so that the site stops by itself. Opened again it has a disk that works. */
  failDisk(id: SiteId): void {
    this.#disks.get(id)!.fails = true;
  }

  /** All disks work again. */
  mendDisks(): void {
    for (const disk of this.#disks.values()) disk.fails = false;
  }

  /** Stops the process of a site: it takes no message and no timer until `resume`, and the others believe it silent. */
  suspend(id: SiteId): void {
    this.#clocks.get(id)!.suspend();
    // It may stop meanwhile, if its disk fails as it hears that another one is silent.
    for (const other of [...this.sites.keys()])
      if (other !== id && this.isSuspended(id)) this.hub.cut(id, other);
  }

  #reconnect(id: SiteId): void {
    for (const other of this.ids)
      if (other !== id && !this.isSuspended(other) && !this.#cuts.has(pairOf(id, other)))
        this.hub.restore(id, other);
  }

  /** The site runs its late timers first, and then takes the messages that came meanwhile. */
  resume(id: SiteId): void {
    this.#leases?.resumed(id, this.clock.now());
    this.#clocks.get(id)!.resume();
    this.#reconnect(id);
  }

  /** Resolves after `ms`. A caller at a suspended site does nothing until that is resumed. */
  sleepAt(id: SiteId, ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.after(ms, () => {
        const clock = this.#clocks.get(id);
        if (clock) clock.whenAwake(resolve);
        else resolve();
      });
    });
  }

  isSuspended(id: SiteId): boolean {
    return this.#clocks.get(id)?.suspended ?? false;
  }

  /** How many times as fast as an ideal one its clock runs: that of a site which was added is ideal at first. */
  #rateOf(id: SiteId): number {
    return this.#rates.get(id) ?? 1;
  }

  /** From now on its clock runs `rate` times as fast as an ideal one. */
  setRate(id: SiteId, rate: number): void {
    this.#rates.set(id, rate);
    this.#clocks.get(id)!.rate = rate;
  }

  cut(one: SiteId, other: SiteId): void {
    this.#cuts.add(pairOf(one, other));
    this.hub.cut(one, other);
  }

  /** No other site reaches `id` from now on, and all others reach each other. */
  isolate(id: SiteId): void {
    this.healAll();
    for (const other of this.ids) if (other !== id) this.cut(id, other);
  }

  /** All others reach `id`, and none reaches another. */
  center(id: SiteId): void {
    this.healAll();
    const others = this.ids.filter((other) => other !== id);
    for (const [at, one] of others.entries()) for (const other of others.slice(at + 1)) this.cut(one, other);
  }

  restore(one: SiteId, other: SiteId): void {
    this.#cuts.delete(pairOf(one, other));
    if (!this.isSuspended(one) && !this.isSuspended(other)) this.hub.restore(one, other);
  }

  healAll(): void {
    for (const pair of [...this.#cuts]) this.restore(...(pair.split(' ') as [SiteId, SiteId]));
  }

  /** Returns the sites that `id` reaches, over any number of links. */
  componentOf(id: SiteId): ReadonlySet<SiteId> {
    const reached = new Set([id]);
    for (const one of reached) for (const other of this.#neighboursOf(one)) reached.add(other);
    return reached;
  }

  /** The channels that can deliver now. A message to a site that is down waits until its loss is known, one to a suspended site until it goes on. */
  pending(): readonly Channel[] {
    return this.hub.pending().filter(({ target }) => this.#clocks.get(target)?.suspended === false);
  }

  /** Lets `ms` pass; messages arrive within the same instant. `late`: a site that takes none meanwhile, though it is up. */
  async run(ms: number, late: SiteId | null = null): Promise<void> {
    const until = this.clock.now() + ms;
    for (;;) {
      await this.settle(late);
      if (!this.clock.tick(until)) break;
    }
    this.clock.advance(until - this.clock.now());
  }

  /** Delivers all messages under way, in a random order. */
  async settle(late: SiteId | null = null): Promise<void> {
    for (;;) {
      await microtasks();
      this.check();
      const pending = this.pending().filter(({ target }) => target !== late);
      if (pending.length === 0) return;
      this.hub.deliver(pending[Math.floor(this.random() * pending.length)]!);
    }
  }

  acquire(id: SiteId): Promise<Held> {
    return this.sites.get(id)!.place.queue.acquire();
  }

  /** Tells a site that the lock is unused though it is in use: its statechart alone prevents that it is forgotten (R13). */
  forgetInUse(id: SiteId): void {
    const place = this.sites.get(id)?.mesh.find('main');
    if (place && place.state.value.client !== 'idle') place.forget();
  }

  elections(): number {
    return this.#winners.size;
  }

  contextOf(id: SiteId): SiteContext {
    return this.sites.get(id)!.place.state.context;
  }

  /** A client failed in a way that no caller of the lock expects. */
  fail(error: unknown): void {
    this.#broken ??= `a client fails: ${reasonOf(error)}`;
  }

  /** Nothing runs any more, whether a promise was broken or not. */
  async stop(): Promise<void> {
    for (const { mesh } of this.sites.values())
      mesh.end(new OperatingError('SITE_CLOSED', 'the simulation is over'));
    this.clock.stop();
    // Node forgets grants that became garbage only in another turn of its event loop, and virtual time needs none. Without it each of
    // a thousand schedules would keep a megabyte.
    await new Promise(setImmediate);
  }

  /** Throws the first broken promise. */
  check(): void {
    if (this.#options.rests)
      for (const { mesh } of this.sites.values()) if (mesh.founding) mesh.find('main')?.passivate();
    if (this.#judgesQuorums && this.#options.changes) this.#checkQuorums();
    if (this.#broken !== null) throw new Error(this.#broken);
    if (this.hub.breaches.length > 0) throw this.hub.breaches[0]!;
    if (this.#stopping && this.sites.get(this.#stopping.id) === this.#stopping)
      throw new Error(`${this.#stopping.id} goes on though its disk does not keep what it did`);
    this.#checkTokens();
  }

  /** It runs after each step, so that it makes nothing unless two sites have a token. */
  #checkTokens(): void {
    let holder: SiteId | null = null;
    let holders: Map<string, SiteId> | null = null;
    for (const { id, mesh } of this.sites.values()) {
      // A lock that a site opened before it was a member is closed when it joins.
      const context = mesh.find('main')?.state.context;
      if (!context?.token || !mesh.founding) continue;
      if (holder === null) {
        holder = id;
        continue;
      }
      holders ??= new Map([[this.#generationAnd(holder, this.contextOf(holder).epoch), holder]]);
      const of = this.#generationAnd(id, context.epoch);
      const other = holders.get(of);
      if (other !== undefined)
        throw new Error(`S1: ${id} and ${other} have tokens of epoch ${context.epoch}`);
      holders.set(of, id);
    }
  }

  /** S7, among the sites of the newest generation, and those that ask to be added. */
  #checkQuorums(): void {
    this.#judgesQuorums = false;
    const newest = Math.max(...this.#members.keys());
    const held = [...this.sites.values()].flatMap(({ id, mesh: { voter, founding, configuration } }) => {
      // One that is no member yet may know of the cluster before alone.
      const isEarlier = (this.#disks.get(id)!.members?.generation ?? newest) < newest;
      if (founding === null)
        return this.#outdated.has(id) ? [] : [[voter, isEarlier ? null : configuration] as const];
      return founding.generation === newest ? [[voter, configuration] as const] : [];
    });
    this.#broken ??= this.#members.get(newest)?.holds(new Map(held)) ?? null;
  }

  #membersOf(generation: number): MembersWitness {
    const known = this.#members.get(generation) ?? new MembersWitness();
    this.#members.set(generation, known);
    return known;
  }

  /** The run is over. Throws the first broken promise, also of those that a later event could have kept. */
  end(): void {
    this.#broken ??= this.#overlaps.end();
    this.check();
  }

  #generationAnd(site: SiteId, epoch: number): string {
    return `${this.sites.get(site)?.mesh.founding?.generation ?? 0} ${epoch}`;
  }

  #observe(line: RecordLine): void {
    this.#options.witness?.(line);
    if (this.#stops(line)) return;
    // All that a site of the cluster before must not do is be granted a lock: the locks of the two are different ones.
    if (this.#outdated.has(line.site)) {
      if (line.kind !== 'event') return;
      for (const effect of line.effects)
        if (effect.type === 'grant') this.#grant(line.site, effect['fence'] as Fence);
      return;
    }
    if (line.lock === 'main') this.#broken ??= this.#overlaps.observe(line);
    if (line.kind !== 'event') return;
    if (line.lock === 'main') {
      const generation = this.sites.get(line.site)?.mesh.founding?.generation ?? 0;
      this.#broken ??=
        this.#grants.observe(line) ??
        this.#lines.observe(line, this.ids.length, generation) ??
        brokenByVote(line);
    }
    const overlap = this.#leases?.observe(line, this.clock.now(), this.#rateOf(line.site));
    if (overlap) this.#broken ??= overlap;
    if (line.lock === 'main') this.#judgeEpochs(line);
    for (const effect of line.effects) {
      if (effect.type === 'elected') this.#elected(line.site, effect['epoch'] as number);
      if (effect.type === 'persist') this.#persist(line.site, effect['epoch'] as number);
      if (effect.type === 'grant') this.#grant(line.site, effect['fence'] as Fence);
    }
  }

  /** S8 and S9: when a site stands, and what it wins. */
  #judgeEpochs({ site, effects, snapshot }: EventLine): void {
    const won = effects.find(({ type }) => type === 'elected');
    const { epoch: state } = snapshot.value as { readonly epoch: string };
    if (won === undefined && state !== 'candidate') return;
    const { promised, membership } = snapshot.context as SiteContext;
    const witness = this.#membersOf(this.sites.get(site)?.mesh.founding?.generation ?? 0);
    const voter = voterOf(site, this.idOf(site));
    witness.stood(voter, promised);
    if (won !== undefined) this.#broken ??= witness.elected(voter, won['epoch'] as number, membership);
  }

  /** A site whose disk fails stops at the first effect of which others hear: nobody is granted, and nothing of the event is on its disk. */
  #stops(line: RecordLine): boolean {
    if (line.kind !== 'event' || !this.#disks.get(line.site)!.fails) return false;
    if (!line.effects.some(({ type }) => ['grant', 'lost', 'elected'].includes(type))) return false;
    this.#stopping = this.sites.get(line.site) ?? null;
    return true;
  }

  #elected(site: SiteId, epoch: number): void {
    const of = this.#generationAnd(site, epoch);
    const other = this.#winners.get(of);
    if (other !== undefined) this.#broken ??= `S2: ${site} and ${other} have won epoch ${epoch}`;
    this.#winners.set(of, site);
  }

  #grant(site: SiteId, fence: Fence): void {
    this.granted.push({ site, fence });
    const text = `${site} is granted (${fence.epoch}, ${fence.k})`;
    const generation = this.sites.get(site)?.mesh.founding?.generation;
    if (generation === undefined) {
      this.#broken ??= `members: ${text}, which is no member`;
      return;
    }
    if (generation <= (this.#generationBefore ?? 0))
      this.#broken ??= `M9: ${text} in generation ${generation}, others were in ${this.#generationBefore}, and the cluster was founded anew since`;
    if (this.#generation === null) this.#generations += 1;
    this.#generation ??= generation;
    if (generation !== this.#generation)
      this.#broken ??= `M8: ${text} in generation ${generation}, others were in ${this.#generation}`;
    const of = this.#generationAnd(site, fence.epoch);
    const highest = this.#highest.get(of) ?? 0;
    if (fence.k <= highest) this.#broken ??= `S3, S5: ${text} after (${fence.epoch}, ${highest})`;
    this.#highest.set(of, fence.k);
    // A lease is the promise of a majority that may be unreachable by now.
    if (this.#leases || this.#options.changes) return;
    // A grant in a minority is allowed only in an epoch that the site heard of while it reached no majority:
    // a majority elsewhere elected it.
    if (this.#isMajority(this.componentOf(site)) || this.#adopted.get(site)?.inMinority === true) return;
    this.#broken ??= `minority: ${text} among ${[...this.componentOf(site)].join(', ')}`;
  }

  #persist(site: SiteId, of: number): void {
    if (this.#adopted.get(site)?.epoch === of) return;
    this.#adopted.set(site, { epoch: of, inMinority: !this.#isMajority(this.#neighboursOf(site)) });
  }

  #neighboursOf(id: SiteId): ReadonlySet<SiteId> {
    if (this.#cuts.size === 0) return new Set(this.sites.keys());
    return new Set([...this.sites.keys()].filter((other) => !this.#cuts.has(pairOf(id, other))));
  }

  #isMajority(sites: ReadonlySet<SiteId>): boolean {
    const { voters = this.#founders } = this.#options;
    return 2 * voters.filter((voter) => sites.has(voter)).length > voters.length;
  }
}

const codeOf = (error: unknown) => (error instanceof CodedError ? error.code : undefined);

const pairOf = (one: SiteId, other: SiteId) => (one < other ? `${one} ${other}` : `${other} ${one}`);

/** Runs the continuations of all settled promises. */
async function microtasks(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await Promise.resolve();
}
