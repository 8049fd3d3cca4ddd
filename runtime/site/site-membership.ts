import type { AnyStateMachine } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import { type Configuration, firstConfiguration, voterOf } from '../../machines/members/configuration.ts';
import type { Founding } from '../../machines/members/founding.ts';
import type { Clock, Random } from '../api/clock.ts';
import { type InvariantError, OperatingError } from '../api/errors.ts';
import type { Notice } from '../api/notice.ts';
import type { Address, StampedEnvelope } from '../api/peer.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { MembersSettings, Timing } from '../options/schema.ts';
import type { MembersRecord } from '../store/content.ts';
import type { Store } from '../store/store.ts';
import { FoundingActor } from './founding-actor.ts';
import { lastVoter, MembersActor, type MembersActorSetting, type WantedChange } from './members-actor.ts';
import { membersLayout } from './protocol.ts';
import { Roster } from './roster.ts';

export interface MembershipSetting {
  readonly self: SiteId;
  /** The sites that this one is told of at its start: where it finds the others. */
  readonly peers: readonly SiteId[];
  /** The sites that found the cluster, if it is not founded yet. Default: this one and its peers. */
  readonly founders?: readonly SiteId[];
  /** The founders that vote. */
  readonly voters: readonly SiteId[];
  /** The first root of every lock. Default: for each lock a voter, by its name. */
  readonly root?: SiteId;
  /** Asks to be added to a cluster that was founded without this site. Default: true. */
  readonly joins?: boolean;
  /** Whether this site, which may join, asks to be added now. Default: always. */
  readonly asks?: () => boolean;
  /** Number of voters with which no site is added by itself. Default: as many as ask. */
  readonly mostVoters?: () => number;
  /** See `membersSchema`. */
  readonly members?: MembersSettings;
  /** Where this site listens for others; `null`: they find it without. Default: that. */
  readonly address?: () => Address | null;
  /** Default: `membersMachine`. A test gives a mutant. */
  readonly membersStatechart?: AnyStateMachine;
  /** See `MembersActorSetting`. Default: nobody judges. */
  readonly membersTook?: NonNullable<MembersActorSetting['membersTook']>;
  /** Default: `foundingMachine`. A test gives a mutant. */
  readonly foundingStatechart?: AnyStateMachine;
  /** A number above the generation of every earlier cluster of this name. Default: 1. */
  readonly generation?: () => number;
  readonly mailbox: Mailbox;
  readonly store: Store;
  readonly timing: Timing;
  readonly clock: Clock;
  readonly random: Random;
  readonly notice: (notice: Notice) => void;
  readonly crashed: (error: InvariantError) => void;
}

/** The site that takes part: its locks go by the configuration. */
export interface MembershipOwner {
  /** The longest time that a promise of a lease lasts: a coordinator waits for it before each change. */
  readonly promiseMs: number;
  /** The cluster is founded just now, by this site among others. */
  founded(): void;
  /** From now on this is the configuration here. `joins`: this site had no part in the one before. `isOut`: it has no part in this one. */
  configured(configuration: Configuration, joins: boolean, isOut: boolean): void;
  /** This site takes no part any more, for this reason. */
  excluded(reason: OperatingError): void;
  /** No majority of the voters is in reach; `null`: one is. Else the voters that are missing. */
  missing(): readonly SiteId[] | null;
  /** The disk must hold what was put there. */
  sync(what: string): void;
}

/**
 * One site's part in its cluster: it founds it with others, is added to it, changes its voters, leaves it, is removed, or is shut out.
 * `Roster` has the members; `FoundingActor` and `MembersActor` run the two statecharts.
 */
export class SiteMembership {
  readonly roster: Roster;
  readonly #setting: MembershipSetting;
  readonly #owner: MembershipOwner;
  #foundingActor: FoundingActor;
  /** `null`: the cluster is not founded, as far as is known here, and no lock may be used. */
  #members: MembersActor | null = null;
  #exclusion: OperatingError | null = null;
  #isLeaving = false;
  #isReplacing = false;
  #ended = false;

  constructor(setting: MembershipSetting, owner: MembershipOwner) {
    this.#setting = setting;
    this.#owner = owner;
    this.roster = new Roster({ ...setting, id: setting.store.id });
    this.#foundingActor = this.#newFoundingActor();
  }

  #newFoundingActor(alone = false): FoundingActor {
    const {
      self,
      peers,
      founders: given = [self, ...peers],
      foundingStatechart,
      mailbox,
      store,
      generation = () => 1,
      crashed,
    } = this.#setting;
    const founders = alone ? [self] : given;
    return new FoundingActor({
      self,
      ...(foundingStatechart && { statechart: foundingStatechart }),
      founders,
      mailbox,
      store,
      generation,
      founded: (founding) => this.#founded(founding),
      excluded: (founding) => this.#excluded(founding),
      superseded: (founding) => this.#superseded(founding),
      isMember: (peer) => this.roster.configuration !== null && this.roster.isMember(peer),
      crashed,
    });
  }

  #replaceFoundingActor(alone = false): void {
    this.#foundingActor.stop();
    this.#foundingActor = this.#newFoundingActor(alone);
    if (alone) this.#foundingActor.start();
    for (const peer of this.roster.met) this.#foundingActor.met(peer, this.roster.idOf(peer)!);
  }

  /** The founding of the cluster that this site is a member of; `null`: none is known here. */
  get founding(): Founding | null {
    return this.roster.includesSelf ? this.roster.founding : null;
  }

  /** Why this site takes no part in the cluster that there is; `null`: it takes part, or may yet. */
  get exclusion(): OperatingError | null {
    return this.#exclusion;
  }

  /** The founders that vote and the first root of the cluster, as it was founded; before that, those of the settings. */
  get first(): Pick<MembershipSetting, 'voters'> & { readonly root?: SiteId | null } {
    return this.#members?.record.first ?? this.#setting;
  }

  /** See `MembersActor`. */
  get floor(): number | null {
    return this.#members?.floor ?? null;
  }

  raiseFloor(epoch: number): void {
    this.#members!.raiseFloor(epoch);
  }

  promised(epoch: number): void {
    this.#members?.promised(epoch);
  }

  /** Where the cluster says that this member listens. */
  toldAddressOf(member: SiteId): Address | null {
    return this.#members?.record.addresses[member] ?? null;
  }

  /** Whether the cluster that these data belong to, or may join, is founded, as far as is known here. */
  get isFounded(): boolean {
    return this.#members !== null;
  }

  start(): void {
    this.#foundingActor.start();
  }

  /** Founds the cluster with this site alone; it adds others that ask. For a site without founders. */
  foundAlone(): void {
    if (!this.#ended && !this.roster.includesSelf) this.#replaceFoundingActor(true);
  }

  /** Asks these members to add this site. */
  join(members: Readonly<Record<SiteId, Address>>): void {
    if (this.#ended) return;
    const { self, mailbox } = this.#setting;
    for (const [name, address] of Object.entries(members)) if (name !== self) mailbox.add(name, address);
    this.#members?.ask();
  }

  /** This site is going to leave: it makes the changes that it plans at once. */
  hasten(): void {
    this.#isReplacing = true;
  }

  /**
   * Leaves the configuration if possible, so that the majority shrinks. Otherwise the site ends as after a
   * crash.
   */
  async resign(timeoutMs: number): Promise<void> {
    const { self, members, timing, notice } = this.#setting;
    const voters = this.roster.voters.length;
    if (!this.#members?.isVoter || voters <= (members?.leastVoters ?? 1) || this.#ended) return;
    this.#isLeaving = true;
    // All others may leave at the same time, one change after the other. One that is only late is back by the shorter time.
    const waitMs =
      this.#owner.missing() === null && this.#members.canLeave
        ? (timeoutMs + 2 * this.#owner.promiseMs) * (voters - 1)
        : Math.min(timeoutMs, 2 * timing.failureTimeoutMs);
    await this.#members.change({ remove: self }, waitMs).catch((error: OperatingError) => {
      notice({ type: 'error', error, peer: null, remote: null });
    });
  }

  /**
   * Has this site make a change of the voters. Resolves when a majority of the voters have agreed to it.
   *
   * Rejects with `CHANGE_TIMEOUT`, `NOT_A_MEMBER`, `TOO_FEW_VOTERS`.
   */
  async change(wanted: WantedChange, timeoutMs: number): Promise<void> {
    if (this.#exclusion?.code === 'FOUNDED_ANEW') throw this.#exclusion;
    const { self } = this.#setting;
    if (this.#members === null || !this.#members.isVoter) {
      const why = this.#exclusion?.message ?? this.hindrance() ?? `${self} does not vote`;
      throw new OperatingError('NOT_A_MEMBER', `only a voter can change the members: ${why}`);
    }
    const { voters } = this.roster;
    if ('remove' in wanted && voters.length === 1 && voters[0] === wanted.remove)
      throw lastVoter(wanted.remove);
    await this.#members.change(wanted, timeoutMs);
  }

  stop(reason: OperatingError): void {
    this.#ended = true;
    this.#foundingActor.stop();
    this.#members?.stop(reason);
  }

  /** Takes a message about the founding or the members. */
  receive(envelope: StampedEnvelope): void {
    if (!Object.hasOwn(membersLayout, envelope.message.type)) this.#foundingActor.receive(envelope);
    else this.#members?.receive(envelope);
  }

  /** `peer` is up, with these data. */
  met(peer: SiteId, id: string): void {
    this.#foundingActor.met(peer, id);
    this.#members?.met(peer);
  }

  lost(peer: SiteId): void {
    this.#members?.lost(peer);
  }

  /** A message of `peer` counts in another configuration than that of this site. */
  differs(peer: SiteId): void {
    this.#members?.differs(peer);
  }

  /** Why nobody may be granted anything here as yet, to be read behind a colon; `null`: nothing is known to be in the way. */
  hindrance(): string | null {
    const { founding, configuration } = this.roster;
    if (founding !== null && !this.roster.includesSelf) {
      const voters = configuration ? this.roster.voters : Object.keys(founding.ids);
      return `this site is no member yet: it asks ${voters.toSorted().join(', ')} to be added, and a majority of them must be up`;
    }
    if (founding === null) {
      const unmet = this.#foundingActor.unmet;
      const why =
        unmet.length > 0 ? `never met: ${unmet.join(', ')}` : 'not all of its sites have agreed to it';
      return `the cluster is not founded yet (${why})`;
    }
    const missing = this.#owner.missing();
    if (missing === null) return null;
    const changed = missing.filter((voter) => this.#setting.mailbox.isUp(voter)).join(', ');
    const others = changed === '' ? '' : `; up with other data than the voter of that name: ${changed}`;
    return `no majority of the voters is in reach (missing: ${missing.join(', ')}${others})`;
  }

  /** The cluster is founded, by this site among others, or it has joined it before. */
  #founded(founding: Founding): void {
    const { voters, root = null, store, notice } = this.#setting;
    const ids = Object.entries(founding.ids).filter(([name]) => voters.includes(name));
    const first = { voters: ids.map(([name]) => name), root };
    const kept = store.members;
    const isKept = kept?.generation === founding.generation;
    if (!isKept) this.#owner.founded();
    this.#enter(
      founding,
      isKept
        ? kept
        : {
            generation: founding.generation,
            first,
            floor: null,
            configuration: firstConfiguration(ids.map(([name, id]) => voterOf(name, id))),
            promised: 0,
            top: 0,
            addresses: {},
          },
    );
    notice({ type: 'founded', ...founding });
  }

  /** The cluster was founded without the data of this site, which may be added to it. */
  #excluded(founding: Founding): void {
    const { joins = true, self, store, root = null } = this.#setting;
    const { generation, ids } = founding;
    if (this.#members?.record.generation === generation) return;
    const first = { voters: Object.keys(ids), root };
    const empty = { configuration: null, promised: 0, top: 0, addresses: {} };
    const record = { generation, first, floor: null, ...empty };
    if (joins || self in ids) {
      this.#enter(founding, record);
      return;
    }
    const why =
      `the cluster was founded without ${self} (${store.id}), by ${Object.keys(ids).sort().join(', ')}, and the settings name it as a ` +
      'founder: start it with join in place of founders, and it asks to be added';
    this.#enter(founding, record, new OperatingError('NOT_A_MEMBER', why));
    this.#exclude('NOT_A_MEMBER', why);
  }

  /** The cluster was founded anew, and the data of this site belong to the one before: it takes no part in either (M9). */
  #superseded(founding: Founding): void {
    const { self, store } = this.#setting;
    const { generation, ids } = founding;
    this.#members?.stop(new OperatingError('FOUNDED_ANEW', 'the cluster was founded anew'));
    this.#members = null;
    this.roster.founding = founding;
    this.roster.configuration = firstConfiguration(
      Object.entries(ids).map(([name, id]) => voterOf(name, id)),
    );
    this.#exclude(
      'FOUNDED_ANEW',
      `the cluster was founded anew, as generation ${generation} by ${Object.keys(ids).sort().join(', ')}, and ${self} has data ` +
        `(${store.id}) of the cluster before it: start it with an empty data directory, and it asks to be added`,
    );
  }

  /** `exclusion`: why this site does not ask to be added. */
  #enter(founding: Founding, record: MembersRecord, exclusion: OperatingError | null = null): void {
    const { self, mailbox, store, clock, random, timing, members, membersStatechart, membersTook, crashed } =
      this.#setting;
    this.#members?.stop(new OperatingError('NOT_A_MEMBER', 'the cluster was founded anew'));
    this.#exclusion = exclusion;
    this.roster.founding = founding;
    this.roster.first = record.first.voters;
    const actor = new MembersActor(
      {
        ...{ self, mailbox, store, clock, random, timing, crashed },
        ...(membersStatechart && { statechart: membersStatechart }),
        ...(membersTook && { membersTook }),
        dataOf: (peer) => this.roster.dataOf(peer),
        idOf: (peer) => this.roster.idOf(peer),
        address: this.#setting.address ?? (() => null),
        settleMs: this.#owner.promiseMs,
        asks: () => this.#exclusion === null && !this.#isLeaving && (this.#setting.asks?.() ?? true),
        mostVoters: this.#setting.mostVoters ?? (() => Number.POSITIVE_INFINITY),
        hastens: () => this.#isReplacing,
        leastVoters: members?.leastVoters ?? 1,
        removeAfterMs: members?.removeAfterMs ?? null,
        configured: (...change) => this.#configured(...change),
        sync: (what) => this.#owner.sync(what),
      },
      record,
    );
    this.#members = actor;
    if (record.configuration) {
      if (record !== store.members) {
        store.putMembers(record);
        this.#owner.sync('keep the voters');
      }
      this.#owner.configured(record.configuration, false, false);
    }
    actor.start();
  }

  /** A site that is no member without having been removed in this run asks to be added. */
  #configured(configuration: Configuration, joins: boolean, isRemoved: boolean): void {
    const { self, store, notice } = this.#setting;
    const { term, version } = configuration;
    const isOut = isRemoved && !this.#isLeaving;
    this.#owner.configured(configuration, joins, isOut);
    const { voters } = this.roster;
    notice({ type: 'members', term, version, voters, joins });
    if (joins) this.#joined();
    if (!isOut) return;
    this.#exclude(
      'NOT_A_MEMBER',
      `${self} (${store.id}) was removed from the cluster, whose members are ${voters.toSorted().join(', ')}: start it ` +
        'again, and it asks to be added',
    );
  }

  /** From now on this site tells of the founding as those do that were there. */
  #joined(): void {
    const { store } = this.#setting;
    const { founding } = this.roster;
    this.#exclusion = null;
    if (store.founding?.stage === 'settled' && store.founding.generation === founding!.generation) return;
    store.putFounding({ ...founding!, stage: 'settled' });
    this.#replaceFoundingActor();
  }

  #exclude(code: 'NOT_A_MEMBER' | 'FOUNDED_ANEW', why: string): void {
    this.#exclusion = new OperatingError(code, why);
    this.#owner.excluded(this.#exclusion);
  }
}
