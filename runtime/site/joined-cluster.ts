import type { SiteId } from '../../machines/actor.ts';
import { idOf, nameOf } from '../../machines/members/configuration.ts';
import type { Clock } from '../api/clock.ts';
import type { ChangeOptions, CloseOptions, Cluster, ClusterEvents } from '../api/cluster.ts';
import { OperatingError } from '../api/errors.ts';
import type { Leadership, LeadOptions } from '../api/leadership.ts';
import type { AcquireOptions, Held, HeldAll, Lock } from '../api/lock.ts';
import type { Membership } from '../api/members.ts';
import type { Address } from '../api/peer.ts';
import type { ClusterStatus, Counters } from '../api/status.ts';
import type { Viewer, WatchSession } from '../api/watch.ts';
import { acquireAll } from '../lock/acquire-all.ts';
import type { Leaders } from '../lock/leader.ts';
import type { TcpMailbox } from '../mailbox/tcp/mailbox.ts';
import type { Events } from '../observe/events.ts';
import type { Telemetry } from '../observe/telemetry.ts';
import {
  checkAcquire,
  checkChange,
  checkClose,
  checkLead,
  checkListener,
  checkLockName,
  checkNames,
  checkReady,
  checkSite,
  checkViewer,
} from '../options/calls.ts';
import type { WantedChange } from './members-actor.ts';
import { type LockSource, NamedLock } from './named-lock.ts';
import type { Site } from './site.ts';

/** A site, or a guest. */
export interface ClusterSite
  extends Pick<
      Site,
      | 'tally'
      | 'ready'
      | 'locks'
      | 'unmet'
      | 'majority'
      | 'founding'
      | 'configuration'
      | 'reached'
      | 'addressOf'
      | 'guestNames'
      | 'frozen'
      | 'watch'
      | 'leave'
      | 'change'
      | 'close'
    >,
    LockSource {}

export interface JoinedClusterOptions {
  readonly cluster: string;
  readonly site: ClusterSite;
  readonly mailbox: Pick<
    TcpMailbox,
    'self' | 'address' | 'refused' | 'traffic' | 'connected' | 'versionOf' | 'unref'
  >;
  readonly events: Events;
  readonly telemetry: Telemetry;
  readonly leaders: Leaders;
  readonly clock: Clock;
  readonly closeTimeoutMs: number;
  /** Its data end with the process. */
  readonly forgets: boolean;
  /** Called when the site is closed. */
  readonly ended: () => void;
}

/** Time for one change of the members, unless the caller says otherwise. */
const defaultChangeMs = 30_000;

/** This site as its service sees it: checks the arguments of each call, and passes it on. */
export class JoinedCluster implements Cluster {
  readonly name: string;
  readonly site: SiteId;
  readonly address: Address;
  readonly #options: JoinedClusterOptions;
  #leaving: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: JoinedClusterOptions) {
    const { cluster, mailbox } = options;
    this.#options = options;
    this.name = cluster;
    this.site = mailbox.self;
    this.address = mailbox.address;
  }

  // Callers may take these methods out of the object.

  readonly lock = (name: string): Lock => {
    const { site, telemetry } = this.#options;
    // A name that was used before is known to be one.
    if (site.find(name) === undefined) checkLockName(name);
    return new NamedLock(name, site, telemetry);
  };

  readonly acquireAll = async (names: readonly string[], options?: AcquireOptions): Promise<HeldAll> => {
    checkNames(names);
    checkAcquire(options);
    return acquireAll(names, this.lock, this.#options.clock, options);
  };

  readonly lead = (
    name: string,
    work: (held: Held) => void | Promise<void>,
    options: LeadOptions = {},
  ): Leadership => {
    checkLead(work, options);
    const { leaders, clock } = this.#options;
    // A campaign of a closed site would end without a word.
    if (this.#closing) throw new OperatingError('SITE_CLOSED', `${this.site} is closed, and leads nothing`);
    if (this.#leaving) throw new OperatingError('SITE_LEAVING', `${this.site} is leaving, and leads nothing`);
    return leaders.begin(this.lock(name), work, options, clock);
  };

  readonly status = (): ClusterStatus => {
    const { site, mailbox } = this.#options;
    const { majority, locks, frozen, founding } = site;
    return { connected: mailbox.connected(), majority, locks, frozen, founded: founding !== null };
  };

  readonly counters = (): Counters => {
    const { site, mailbox } = this.#options;
    const { sent, received, ...counts } = site.tally;
    return {
      sent: Object.fromEntries(sent),
      received: Object.fromEntries(received),
      ...counts,
      refused: Object.fromEntries(mailbox.refused),
      ...mailbox.traffic,
    };
  };

  readonly members = (): Membership => {
    const { site, mailbox } = this.#options;
    const { configuration } = site;
    const met = new Set([this.site, ...site.reached]);
    return {
      generation: site.founding?.generation ?? null,
      term: configuration?.term ?? null,
      version: configuration?.version ?? null,
      voters: Object.keys(configuration?.voters ?? {})
        .map((voter) => ({ site: nameOf(voter), id: idOf(voter) }))
        .map((voter) => ({ ...voter, up: met.has(voter.site), address: site.addressOf(voter.site) }))
        .map((voter) => ({ ...voter, wireVersion: mailbox.versionOf(voter.site) }))
        .sort((one, other) => (one.site < other.site ? -1 : 1)),
      guests: site.guestNames,
    };
  };

  readonly addMember = async (name: SiteId, options?: ChangeOptions): Promise<Membership> => {
    return this.#change([{ add: checkSite(name) }], options);
  };

  readonly removeMember = async (name: SiteId, options?: ChangeOptions): Promise<Membership> => {
    return this.#change([{ remove: checkSite(name) }], options);
  };

  readonly replaceMember = async (old: SiteId, by: SiteId, options?: ChangeOptions): Promise<Membership> => {
    // One of the same name is replaced by its being added.
    const removal = old === by ? [] : [{ remove: checkSite(old) }];
    return this.#change([{ add: checkSite(by) }, ...removal], options);
  };

  async #change(changes: readonly WantedChange[], options: ChangeOptions = {}): Promise<Membership> {
    const { timeoutMs = defaultChangeMs } = checkChange(options);
    for (const wanted of changes) await this.#options.site.change(wanted, timeoutMs);
    return this.members();
  }

  readonly ready = async (options?: { readonly timeoutMs?: number }): Promise<void> => {
    checkReady(options);
    const { site, clock } = this.#options;
    const timeoutMs = options?.timeoutMs;
    if (timeoutMs === undefined) return site.ready;
    let stopTimer = () => {};
    const timeout = new Promise<never>((_, reject) => {
      stopTimer = clock.after(timeoutMs, () => {
        const missing = site.unmet.toSorted().join(', ');
        const what = missing === '' ? 'the cluster was not founded' : `${missing} not connected`;
        reject(new OperatingError('READY_TIMEOUT', `${what} within ${timeoutMs} ms`));
      });
    });
    return Promise.race([site.ready, timeout]).finally(stopTimer);
  };

  readonly watch = (viewer: Viewer): WatchSession => {
    checkViewer(viewer);
    return this.#options.site.watch(viewer);
  };

  on<E extends keyof ClusterEvents>(event: E, listener: (what: ClusterEvents[E]) => void): this {
    checkListener(event, listener);
    this.#options.events.on(event, listener);
    return this;
  }

  off<E extends keyof ClusterEvents>(event: E, listener: (what: ClusterEvents[E]) => void): this {
    checkListener(event, listener);
    this.#options.events.off(event, listener);
    return this;
  }

  unref(): this {
    const { mailbox, clock } = this.#options;
    clock.unref?.();
    mailbox.unref();
    return this;
  }

  readonly close = async (how: CloseOptions = {}): Promise<void> => {
    checkClose(how);
    const { site, leaders, closeTimeoutMs, ended } = this.#options;
    const { graceful = true, leave = this.#options.forgets } = how;
    if (graceful && !this.#closing) {
      // A leader would hold its lock for ever.
      leaders.stop(new OperatingError('SITE_LEAVING', `${this.site} is leaving and leads no more`));
      this.#leaving ??= site.leave(closeTimeoutMs, leave);
      await this.#leaving;
    }
    const closed = new OperatingError('SITE_CLOSED', `${this.site} is closed`);
    leaders.stop(closed);
    this.#closing ??= site.close(graceful ? 'left' : 'closed', closed).finally(ended);
    await this.#closing;
  };

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
