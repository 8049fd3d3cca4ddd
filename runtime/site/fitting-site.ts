import { hostname, networkInterfaces } from 'node:os';
import type { SiteId } from '../../machines/actor.ts';
import type { Configuration } from '../../machines/members/configuration.ts';
import {
  type CallResult,
  type FittingContext,
  type FittingEffect,
  type FittingEvent,
  fittingMachine,
  vacanciesOf,
} from '../../machines/members/fitting.ts';
import type { Founding } from '../../machines/members/founding.ts';
import type { Clock } from '../api/clock.ts';
import type { InvariantError } from '../api/errors.ts';
import type { Notice } from '../api/notice.ts';
import type { Address } from '../api/peer.ts';
import type { Viewer, WatchSession } from '../api/watch.ts';
import { Driver, type DriverOwner } from '../driver/driver.ts';
import type { GuestSite } from '../guest/guest-site.ts';
import type { ByeReason } from '../wire/frames.ts';
import type { ClusterSite } from './joined-cluster.ts';
import type { WantedChange } from './members-actor.ts';
import type { Site } from './site.ts';
import type { Tally } from './tally.ts';

export interface FittingSiteOptions {
  readonly self: SiteId;
  readonly site: Site;
  readonly guest: GuestSite<Tally>;
  /** Number of members that there should be. */
  readonly size: number;
  /** Where others find this process. */
  readonly advertised: () => Address;
  readonly clock: Clock;
  /** How long a process waits before it looks whether it is to found the cluster, in ms. */
  readonly foundAfterMs: number;
  /** As `limits.closeTimeoutMs`, of all processes. */
  readonly closeTimeoutMs: number;
  readonly crashed: (error: InvariantError) => void;
}

/** How long a process that was asked to become a member tries to. */
const joinForMs = 5_000;
/** The longest time for which a member that ends waits for a guest to take its place, and how often it looks for one. */
const handOverMs = 10_000;
const handOverEveryMs = 50;
/** The parts of a close that take up to `closeTimeoutMs`: holders here and as a guest, the change of the members, the last messages. */
const partsOfClose = 4;

const effectTypes = [
  'wait',
  'look',
  'found',
  'answer',
  'ask',
  'invite',
  'replace',
  'left',
] as const satisfies readonly FittingEffect['type'][];

/**
 * A process that is a member or a guest, as there are members enough or not (protocol.md, M10 to M12): its statechart, run by a driver, and the
 * effects of that carried out. Its callers use the member where this is one, else the guest.
 */
export class FittingSite implements ClusterSite, DriverOwner<FittingEvent, FittingEffect, never> {
  readonly ready: Promise<void>;
  readonly #options: FittingSiteOptions;
  readonly #driver: Driver<FittingEvent, FittingEffect>;
  readonly #left: Promise<void>;
  #resolveLeft!: () => void;
  /** When the last session with a member was over, this process was a member last, or discovery stopped showing another one. */
  #metAt = Number.NEGATIVE_INFINITY;
  /** Where the members listen, by the one that has invited this process. */
  #members: Readonly<Record<SiteId, Address>> = {};
  #wasMember = false;
  #stopWaiting = () => {};
  #stopAsking = () => {};
  #stopHandingOver = () => {};
  #heirTimeoutMs: number;
  #ended = false;

  constructor(options: FittingSiteOptions) {
    const { self, guest, size, closeTimeoutMs } = options;
    this.#options = options;
    this.#heirTimeoutMs = closeTimeoutMs;
    this.ready = guest.ready;
    this.#left = new Promise((resolve) => {
      this.#resolveLeft = resolve;
    });
    this.#driver = new Driver(fittingMachine, effectTypes, { id: self, input: { size } }, this);
  }

  /** Whether this process wants to be a member now. */
  get asks(): boolean {
    return ['asking', 'lastAsking'].includes(this.#driver.state.value as string);
  }

  get mostVoters(): number {
    return this.#context.mostVoters;
  }

  get vacancies(): number {
    return vacanciesOf(this.#context);
  }

  get #context(): FittingContext {
    return this.#driver.state.context as FittingContext;
  }

  open(): void {
    this.#options.guest.open();
    this.#driver.start();
  }

  /** These are the addresses of all processes. */
  found(addresses: readonly Address[]): void {
    const own = addresses.find((one) => this.#isOwn(one));
    const others = addresses.filter((one) => !this.#isOwn(one));
    const keys = others.map(keyOf);
    if (this.#context.others.some((one) => !keys.includes(one))) this.#metAt = this.#options.clock.now();
    this.#take({ type: 'listed', own: own ? keyOf(own) : null, others: keys });
    this.#options.guest.found(others);
  }

  tried(address: Address, result: CallResult): void {
    this.#take({ type: 'tried', address: keyOf(address), result });
  }

  called(guest: SiteId, at: Address | null): void {
    this.#take({ type: 'called', guest, address: at && keyOf(at) });
  }

  sessionChanged(isAttached: boolean): void {
    if (!isAttached) this.#metAt = this.#options.clock.now();
    this.#take({ type: isAttached ? 'attached' : 'parted' });
  }

  invited(members: Readonly<Record<SiteId, Address>>): void {
    this.#members = members;
    this.#take({ type: 'invited' });
  }

  inviteDue(guests: readonly SiteId[]): void {
    this.#take({ type: 'inviteDue', guests });
  }

  /** The members may have changed. */
  noticed({ type }: Notice): void {
    if (this.#ended || (type !== 'members' && type !== 'founded' && type !== 'error')) return;
    const { guest, site, clock } = this.#options;
    const { voters } = site;
    if (this.#isMember === this.#wasMember) {
      if (!this.#isMember) return;
      this.#take({ type: 'members', voters });
      site.guests?.inviteLater();
      return;
    }
    this.#wasMember = this.#isMember;
    if (this.#isMember) {
      this.#take({ type: 'joined', voters });
      guest.suspend();
    } else {
      this.#metAt = clock.now();
      this.#take({ type: 'removed' });
      guest.resume();
    }
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

  #take(event: FittingEvent): void {
    if (this.#ended) return;
    const { heirs } = this.#options.site;
    if (heirs !== this.#context.heirs) this.#driver.take({ type: 'heirs', count: heirs });
    this.#driver.take(event);
  }

  // For the driver.

  due(): readonly FittingEvent[] {
    return [];
  }

  judge(): 'take' {
    return 'take';
  }

  refuses(): boolean {
    return false;
  }

  took(): void {}

  execute(effect: FittingEffect): void {
    const { site, guest, clock } = this.#options;
    switch (effect.type) {
      case 'wait':
        this.#wait(effect.afterMember);
        return;
      case 'look':
        guest.hasten();
        return;
      case 'found':
        site.foundAlone();
        return;
      case 'answer':
        site.guests!.answer(effect.guest, effect.as);
        return;
      case 'ask':
        this.#stopAsking();
        this.#stopAsking = clock.after(joinForMs, () => this.#take({ type: 'gaveUp' }));
        site.join(this.#members);
        return;
      case 'invite':
        site.guests!.invite(effect.guest);
        return;
      case 'replace':
        this.#handOver();
        return;
      case 'left':
        this.#resolveLeft();
        return;
      default:
        effect satisfies never;
    }
  }

  crashed(error: InvariantError): void {
    this.#options.crashed(error);
  }

  #wait(afterMember: boolean): void {
    const { clock, foundAfterMs, closeTimeoutMs } = this.#options;
    const now = clock.now();
    const goneAt = afterMember ? this.#metAt + handOverMs + partsOfClose * closeTimeoutMs : now;
    this.#stopWaiting();
    this.#stopWaiting = clock.after(Math.max(goneAt, now) - now + foundAfterMs, () =>
      this.#take({ type: 'waited' }),
    );
  }

  #handOver(): void {
    const { site, clock } = this.#options;
    const begunAt = clock.now();
    let heirAt = begunAt;
    const look = () => {
      const now = clock.now();
      if (site.heirs > 0) heirAt = now;
      else if (now - heirAt > this.#heirTimeoutMs) this.#take({ type: 'noHeir' });
      if (now - begunAt > handOverMs) this.#take({ type: 'late' });
      this.#stopHandingOver = clock.after(handOverEveryMs, look);
    };
    this.#stopHandingOver = clock.after(0, look);
    site.replace();
  }

  async leave(timeoutMs: number, membership: boolean): Promise<void> {
    const { site, guest } = this.#options;
    this.#heirTimeoutMs = timeoutMs;
    this.#take({ type: 'leave' });
    // It keeps its place.
    if (!membership) for (const type of ['gaveUp', 'late'] as const) this.#take({ type });
    await this.#left;
    this.#stop();
    await guest.leave(timeoutMs);
    await site.leave(timeoutMs, membership);
  }

  #stop(): void {
    for (const stop of [this.#stopWaiting, this.#stopAsking, this.#stopHandingOver]) stop();
  }

  async close(goodbye: ByeReason, reason: Error): Promise<void> {
    this.#ended = true;
    this.#stop();
    this.#resolveLeft();
    this.#driver.stop();
    const { site, guest } = this.#options;
    await Promise.all([guest.close(goodbye, reason), site.close(goodbye, reason)]);
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
}

const keyOf = ({ host, port }: Address) => `${host}:${port}`;
