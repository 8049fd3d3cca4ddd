import { hostname, networkInterfaces } from 'node:os';
import type { SiteId } from '../../machines/actor.ts';
import type { Configuration } from '../../machines/members/configuration.ts';
import type { Founding } from '../../machines/members/founding.ts';
import type { Clock } from '../api/clock.ts';
import type { Notice } from '../api/notice.ts';
import type { Address } from '../api/peer.ts';
import type { Viewer, WatchSession } from '../api/watch.ts';
import type { GuestSite } from '../guest/guest-site.ts';
import type { ByeReason } from '../wire/frames.ts';
import type { ClusterSite } from './joined-cluster.ts';
import type { WantedChange } from './members-actor.ts';
import type { Site } from './site.ts';
import type { Tally } from './tally.ts';

export interface FittingSiteOptions {
  readonly site: Site;
  readonly guest: GuestSite<Tally>;
  /** Where others find this process. */
  readonly advertised: () => Address;
  readonly clock: Clock;
  /** How long a process waits before it founds the cluster, in ms. */
  readonly foundAfterMs: number;
  /** As `limits.closeTimeoutMs`, of all processes. */
  readonly closeTimeoutMs: number;
}

const lookEveryMs = 100;
/** How long a process that was asked to become a member tries to. */
const joinForMs = 5_000;
/** The longest time for which a member that ends waits for a guest to take its place. */
const handOverMs = 10_000;
/** The parts of a close that take up to `closeTimeoutMs`: holders here and as a guest, the change of the members, the last messages. */
const partsOfClose = 4;

/** The result of the last attempt to reach an address, and its time. */
interface Seen {
  readonly what: 'alive' | 'refused' | 'unknown';
  readonly at: number;
}

/**
 * A process that is a member or a guest, as there are members enough or not (`size`). Its callers use the member where this is one,
 * else the guest. It is a guest first; a member asks it when another is needed.
 *
 * Where there is no cluster, the process with the first of all addresses founds it alone, and asks the others. It does so when it has
 * seen the same addresses for `foundAfterMs`, itself among them, and each of the others is one of a process that runs and is no
 * member, or one at which no process listens. An address that does not answer may be that of a member. A process that has met a member
 * waits longer: a member that ends is listed no more, and may still serve a holder or hand the cluster on.
 */
export class FittingSite implements ClusterSite {
  readonly ready: Promise<void>;
  readonly #options: FittingSiteOptions;
  readonly #seen = new Map<string, Seen>();
  #addresses: readonly Address[] = [];
  #changedAt: number;
  /** When this process was last a member, or attached to one. */
  #metAt = Number.NEGATIVE_INFINITY;
  #asksUntil = Number.NEGATIVE_INFINITY;
  #wasMember = false;
  #stopLooking: (() => void) | null = null;
  #isLeaving = false;
  #ended = false;

  constructor(options: FittingSiteOptions) {
    this.#options = options;
    this.#changedAt = options.clock.now();
    this.ready = options.guest.ready;
  }

  /** Whether this process wants to be a member now. */
  get asks(): boolean {
    return !this.#isLeaving && this.#options.clock.now() < this.#asksUntil;
  }

  open(): void {
    this.#options.guest.open();
    this.#look();
  }

  /** These are the addresses of all processes. */
  found(addresses: readonly Address[]): void {
    this.#addresses = addresses;
    this.#changedAt = this.#options.clock.now();
    for (const known of [...this.#seen.keys()])
      if (!addresses.some((one) => keyOf(one) === known)) this.#seen.delete(known);
    this.#options.guest.found(addresses.filter((one) => !this.#isOwn(one)));
  }

  tried(address: Address, isAlive: boolean, why = ''): void {
    const what = isAlive ? 'alive' : /ECONNREFUSED/.test(why) ? 'refused' : 'unknown';
    this.#seen.set(keyOf(address), { what, at: this.#options.clock.now() });
  }

  invited(members: Readonly<Record<SiteId, Address>>): void {
    if (this.#isLeaving) return;
    this.#asksUntil = this.#options.clock.now() + joinForMs;
    this.#options.site.join(members);
  }

  /** The members may have changed. */
  noticed({ type }: Notice): void {
    if (type !== 'members' && type !== 'founded' && type !== 'error') return;
    if (this.#ended || this.#isMember === this.#wasMember) return;
    this.#wasMember = this.#isMember;
    const { guest } = this.#options;
    if (this.#isMember) guest.suspend();
    else guest.resume();
  }

  get #isMember(): boolean {
    return this.#options.site.founding !== null;
  }

  get #serving(): Site | GuestSite<Tally> {
    const { site, guest } = this.#options;
    return this.#isMember ? site : guest;
  }

  #isOwn({ host, port }: Address): boolean {
    const own = this.#options.advertised();
    if (port !== own.port) return false;
    const local = Object.values(networkInterfaces()).flatMap((all) =>
      (all ?? []).map(({ address }) => address),
    );
    return [own.host, hostname(), ...local].includes(host);
  }

  #look(): void {
    const { clock, site, guest } = this.#options;
    this.#stopLooking = clock.after(lookEveryMs, () => {
      if (this.#isMember || guest.majority) this.#metAt = clock.now();
      else if (this.#mayFound()) site.foundAlone();
      this.#look();
    });
  }

  #mayFound(): boolean {
    const { clock, foundAfterMs, closeTimeoutMs } = this.#options;
    const endedAt = this.#metAt + handOverMs + partsOfClose * closeTimeoutMs;
    if (clock.now() < Math.max(this.#changedAt, endedAt) + foundAfterMs) return false;
    const all = this.#addresses.map((address) => ({ key: keyOf(address), isOwn: this.#isOwn(address) }));
    const own = all.find(({ isOwn }) => isOwn)?.key;
    if (own === undefined) return false;
    return all.every(({ key, isOwn }) => {
      const seen = this.#seen.get(key);
      // One that was no member before may have become one of a cluster that was handed on.
      if (isOwn || !seen || seen.at < endedAt) return isOwn;
      return seen.what === 'refused' || (seen.what === 'alive' && key > own);
    });
  }

  // As `Site` has them, for the API.

  get tally(): Tally {
    return this.#options.site.tally;
  }

  get locks(): number {
    return this.#options.site.locks + this.#options.guest.locks;
  }

  get unmet(): readonly SiteId[] {
    return this.#serving.unmet;
  }

  get majority(): boolean {
    return this.#serving.majority;
  }

  get frozen(): number {
    return this.#serving.frozen;
  }

  get founding(): Founding | null {
    return this.#options.site.founding;
  }

  get configuration(): Configuration | null {
    return this.#options.site.configuration;
  }

  get reached(): readonly SiteId[] {
    return this.#serving.reached;
  }

  addressOf(member: SiteId): Address | null {
    return this.#options.site.addressOf(member);
  }

  get guestNames(): readonly SiteId[] {
    return this.#options.site.guestNames;
  }

  watch(viewer: Viewer): WatchSession {
    return this.#options.site.watch(viewer);
  }

  change(wanted: WantedChange, timeoutMs: number): Promise<void> {
    return this.#options.site.change(wanted, timeoutMs);
  }

  actor(name: string) {
    return this.#serving.actor(name);
  }

  find(name: string) {
    return this.#serving.find(name);
  }

  async leave(timeoutMs: number, membership: boolean): Promise<void> {
    const { site, guest } = this.#options;
    const wasAsking = this.asks;
    this.#isLeaving = true;
    this.#stopLooking?.();
    if (membership && wasAsking) await this.#until(() => this.#isMember, this.#asksUntil);
    if (membership && this.#isMember) await this.#handOver(timeoutMs);
    await guest.leave(timeoutMs);
    await site.leave(timeoutMs, membership);
  }

  /**
   * A member that ends first has a guest take its place, and waits for one to come: where all members end at once, the last of them would
   * take the cluster with it.
   */
  async #handOver(timeoutMs: number): Promise<void> {
    const { site, clock } = this.#options;
    const isAlone = () => this.#addresses.every((address) => this.#isOwn(address));
    let guestAt = clock.now();
    site.replace();
    const isDone = () => {
      if (site.heirs > 0) guestAt = clock.now();
      return site.isReplaced || isAlone() || clock.now() - guestAt > timeoutMs;
    };
    await this.#until(isDone, clock.now() + handOverMs);
  }

  async #until(isDone: () => boolean, deadline: number): Promise<void> {
    const { clock } = this.#options;
    while (!this.#ended && !isDone() && clock.now() < deadline)
      await new Promise<void>((resolve) => void clock.after(lookEveryMs / 2, resolve));
  }

  async close(goodbye: ByeReason, reason: Error): Promise<void> {
    this.#ended = true;
    this.#stopLooking?.();
    const { site, guest } = this.#options;
    await Promise.all([guest.close(goodbye, reason), site.close(goodbye, reason)]);
  }
}

const keyOf = ({ host, port }: Address) => `${host}:${port}`;
