import type { AnyStateMachine } from 'xstate';
import { seeded, VirtualClock } from '../../harness/simulation/virtual-clock.ts';
import type { SiteId } from '../../machines/actor.ts';
import type { Fence } from '../../machines/epoch/messages.ts';
import type { SiteContext } from '../../machines/epoch/site.ts';
import { OperatingError } from '../api/errors.ts';
import type { Held } from '../api/lock.ts';
import { MemoryHub } from '../mailbox/memory.ts';
import { noRecorder } from '../observe/recorder.ts';
import { defaultLimits, defaultTiming } from '../options/schema.ts';
import { Site } from '../site/site.ts';
import { foundedStore } from './founded.ts';

export interface StormOptions {
  readonly sites: number;
  readonly locks: number;
  readonly seed: number;
  readonly statechart?: AnyStateMachine;
  readonly maxBatch?: number;
}

/** An action of a caller, or an event around it. */
export type Deed = 'ask' | 'ask briefly' | 'cancel' | 'try' | 'release' | 'deliver' | 'tick' | 'close';

/** A caller that waits. */
interface Ask {
  readonly site: SiteId;
  readonly lock: string;
  readonly stop: AbortController;
  readonly order: number;
  /** How many were granted the lock at other sites when it asked. */
  readonly before: number;
}

interface Section {
  readonly site: SiteId;
  readonly lock: string;
  readonly held: Held;
}

/**
 * Callers of many locks at several sites. They ask, cancel, time out, try and release, while messages of different
 * pairs overtake each other and sites leave; time and chance are the test's. Throws the first promise that is broken.
 */
export class Storm {
  readonly clock = new VirtualClock();
  readonly sites = new Map<SiteId, Site>();
  readonly outcomes = new Map<string, number>();
  readonly #hub = new MemoryHub();
  readonly #random: () => number;
  readonly #options: StormOptions;
  readonly #asks = new Set<Ask>();
  readonly #inside = new Set<Section>();
  readonly #last = new Map<string, Fence>();
  #orders = 0;
  #broken: string | null = null;
  #closing: Promise<void>[] = [];

  constructor(options: StormOptions) {
    this.#options = options;
    this.#random = seeded(options.seed);
  }

  static async open(options: StormOptions): Promise<Storm> {
    const storm = new Storm(options);
    const ids = Array.from({ length: options.sites }, (_, index) => String.fromCharCode(97 + index));
    for (const id of ids) await storm.#open(id, ids);
    return storm;
  }

  /** Callers that wait, and those that are inside. */
  get waiting(): number {
    return this.#asks.size;
  }

  get inside(): readonly Section[] {
    return [...this.#inside];
  }

  /** One deed, of what there is to do by chance. */
  async step(deed: Deed): Promise<void> {
    switch (deed) {
      case 'ask':
        this.ask(this.#pick([...this.sites.keys()]), this.#someLock());
        break;
      case 'ask briefly':
        this.ask(this.#pick([...this.sites.keys()]), this.#someLock(), Math.floor(this.#random() * 30));
        break;
      case 'cancel':
        this.#cancel();
        break;
      case 'try':
        this.#try(this.#pick([...this.sites.keys()]), this.#someLock());
        break;
      case 'release':
        if (this.#inside.size > 0) this.release(this.#pick([...this.#inside]));
        break;
      case 'deliver':
        this.#deliver();
        break;
      case 'tick':
        this.clock.tick();
        break;
      case 'close':
        this.#leave();
        break;
      default:
        deed satisfies never;
    }
    await this.#heard();
  }

  /** A caller of `site` asks, for so long if at all. */
  ask(site: SiteId, lock: string, timeoutMs?: number): void {
    const ask: Ask = {
      site,
      lock,
      stop: new AbortController(),
      order: this.#orders++,
      before: this.#last.get(lock)?.k ?? 0,
    };
    this.#asks.add(ask);
    const { signal } = ask.stop;
    this.sites
      .get(site)!
      .actor(lock)
      .queue.acquire({ signal, ...(timeoutMs !== undefined && { timeoutMs }) })
      .then(
        (held) => this.#granted(ask, held),
        (reason: unknown) => this.#failed(ask, reason),
      );
  }

  release(section: Section): void {
    this.#inside.delete(section);
    section.held.release();
    // Once more does nothing.
    section.held.release();
  }

  /** Delivers everything under way and lets time pass until no caller waits. A caller that is inside releases at once. */
  async calm(mostMs = 60_000): Promise<void> {
    const until = this.clock.now() + mostMs;
    while (this.#asks.size > 0 || this.#inside.size > 0 || this.#pending().length > 0) {
      for (const section of this.#inside) this.release(section);
      this.#deliver();
      await this.#heard();
      const quiet = this.#pending().length === 0 && this.#inside.size === 0;
      if (quiet && this.#asks.size > 0 && !this.clock.tick(until)) break;
    }
    await Promise.all(this.#closing);
    const waits = [...this.#asks].map(({ site, lock }) => `${site} for ${lock}`);
    if (waits.length > 0) throw new Error(`${waits.join(', ')}: waits though nobody is inside`);
    this.#countTokens();
  }

  close(): void {
    for (const mesh of this.sites.values()) mesh.end(new Error('the storm is over'));
  }

  async #open(self: SiteId, ids: readonly SiteId[]): Promise<void> {
    const { statechart, maxBatch = defaultLimits.maxBatch } = this.#options;
    const mesh = new Site({
      self,
      peers: ids.filter((id) => id !== self),
      voters: ids,
      ...(statechart && { statechart }),
      mailbox: this.#hub.mailbox(self),
      store: foundedStore(self, ids),
      recorder: noRecorder,
      timing: defaultTiming,
      limits: { ...defaultLimits, maxBatch },
      strict: null,
      clock: this.clock,
      random: { fraction: this.#random, incarnation: () => self },
      notice: () => undefined,
      crashed: (error) => {
        this.#broken ??= error.message;
      },
    });
    this.sites.set(self, mesh);
    await mesh.open();
  }

  #cancel(): void {
    if (this.#asks.size > 0) this.#pick([...this.#asks]).stop.abort(new Error('cancelled'));
  }

  #try(site: SiteId, lock: string): void {
    const mesh = this.sites.get(site)!;
    const others = [...this.#asks].some((ask) => ask.site === site && ask.lock === lock);
    const held = mesh.actor(lock).queue.tryAcquire();
    this.#count(held ? 'tried' : 'tried in vain');
    if (!held) return;
    if (others) this.#broken ??= `${site} has ${lock} by a try, before the callers that wait there`;
    this.#enter({ site, lock, held });
  }

  // A minority leaves: the others must go on.
  #leave(): void {
    if (this.sites.size * 2 <= this.#options.sites + 1) return;
    const [site, mesh] = this.#pick([...this.sites]);
    this.sites.delete(site);
    for (const section of this.#inside) if (section.site === site) this.release(section);
    const closed = new OperatingError('SITE_CLOSED', `${site} is closed`);
    this.#closing.push(mesh.leave(100, false).then(() => mesh.close('left', closed)));
  }

  #granted(ask: Ask, held: Held): void {
    this.#asks.delete(ask);
    this.#count('granted');
    for (const { site, lock, order } of this.#asks) {
      if (site !== ask.site || lock !== ask.lock || order > ask.order) continue;
      this.#broken ??= `${site} has granted ${lock} to caller ${ask.order} before ${order}`;
    }
    this.#enter({ site: ask.site, lock: ask.lock, held });
  }

  #enter(section: Section): void {
    const { site, lock, held } = section;
    const { epoch: of, k } = held.fence;
    const last = this.#last.get(lock);
    if (last && (of < last.epoch || (of === last.epoch && k <= last.k)))
      this.#broken ??= `S5: ${site} has ${lock} under (${of}, ${k}) after (${last.epoch}, ${last.k})`;
    this.#last.set(lock, held.fence);
    for (const other of this.#inside) {
      if (other.lock !== lock || other.held.signal.aborted || other.held.fence.epoch !== of) continue;
      this.#broken ??= `S1: ${site} and ${other.site} are both inside ${lock} in epoch ${of}`;
    }
    this.#inside.add(section);
    held.signal.addEventListener('abort', () => this.#inside.delete(section));
    // Its site may have left as this was heard.
    if (!this.sites.has(site)) this.release(section);
  }

  #failed(ask: Ask, reason: unknown): void {
    this.#asks.delete(ask);
    const code = reason instanceof OperatingError ? reason.code : (reason as Error).message;
    this.#count(code);
    if (!['cancelled', 'ACQUIRE_TIMEOUT', 'SITE_LEAVING', 'SITE_CLOSED'].includes(code))
      this.#broken ??= code;
  }

  #deliver(): void {
    const pending = this.#pending();
    if (pending.length > 0) this.#hub.deliver(this.#pick(pending));
  }

  #pending() {
    return this.#hub.pending().filter(({ target }) => this.sites.has(target));
  }

  async #heard(): Promise<void> {
    for (let turn = 0; turn < 6; turn++) await Promise.resolve();
    if (this.#broken !== null) throw new Error(this.#broken);
    const [breach] = this.#hub.breaches;
    if (breach) throw breach;
  }

  /** Where no site has left, none is lost either. */
  #countTokens(): void {
    if (this.sites.size < this.#options.sites) return;
    for (const lock of this.#last.keys()) {
      const contexts = [...this.sites.values()].map((mesh) => mesh.find(lock)?.snapshot.context);
      const tokens = contexts.filter((context) => (context as SiteContext | undefined)?.token).length;
      if (tokens !== 1) throw new Error(`S1: ${lock} has ${tokens} tokens`);
    }
  }

  #count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  #someLock(): string {
    return `l${Math.floor(this.#random() * this.#options.locks)}`;
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)]!;
  }
}
