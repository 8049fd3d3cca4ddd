import type { SiteId } from '../../machines/actor.ts';
import type { Request } from '../../machines/guests/messages.ts';
import { type ProxyEffect, type ProxyEvent, proxyMachine } from '../../machines/guests/proxy.ts';
import type { Clock } from '../api/clock.ts';
import { InvariantError, OperatingError } from '../api/errors.ts';
import type { Held } from '../api/lock.ts';
import { Driver, type DriverOwner } from '../driver/driver.ts';
import type { WaitQueue } from '../lock/wait-queue.ts';
import type { MemberTold } from './protocol.ts';

/** A lock of this member, as a proxy uses it. */
export interface HostedLock {
  readonly queue: WaitQueue;
  /** How long the lease lasts under which this site may be inside, in ms; `null`: there are no leases. */
  readonly leaseLeftMs: number | null;
}

export interface ProxyOwner {
  readonly clock: Clock;
  /** The lock of this name. Throws why this site has none. */
  lock(name: string): HostedLock;
  /** How long this member waits after the last sign of life of a guest, in ms. */
  waitMs(guest: SiteId): number;
  send(target: SiteId, lock: string, message: MemberTold): void;
  /** This site grants nothing any more: the guest must go to another. */
  cannotServe(request: Request): void;
  /** Whether the guest waits here or is inside. */
  used(guest: SiteId, proxy: LockProxy, isUsed: boolean): void;
  /** No guest waits or is inside: another proxy would do as well. */
  idle(proxy: LockProxy): void;
  crashed(error: InvariantError): void;
}

const effectTypes = [
  'send',
  'acquire',
  'abandon',
  'release',
  'unexpected',
] as const satisfies readonly ProxyEffect['type'][];

/** Why a wait in the member's queue ends. */
const abandoned = new Error('the guest waits no more');
const nothing: readonly ProxyEvent[] = [];

/** One lock at this member for all its guests: its statechart, run by a driver, and the effects of that carried out. */
export class LockProxy implements DriverOwner<ProxyEvent, ProxyEffect, never> {
  readonly name: string;
  readonly #owner: ProxyOwner;
  readonly #driver: Driver<ProxyEvent, ProxyEffect>;
  /** The guests that wait, in the order in which they came. */
  readonly #waiting = new Map<SiteId, AbortController>();
  /** The guest that is inside. */
  #holder: SiteId | null = null;
  #held: Held | null = null;
  /** Waits in the member's queue that have not ended. */
  #waits = 0;
  /** There is no room for one more lock of the guest. */
  #isFull = false;
  #stopped = false;

  constructor(name: string, owner: ProxyOwner) {
    this.name = name;
    this.#owner = owner;
    this.#driver = new Driver(
      proxyMachine,
      effectTypes,
      { id: `the proxy of ${name}`, input: undefined },
      this,
    );
  }

  waits(guest: SiteId): boolean {
    return this.#waiting.has(guest);
  }

  holdsFor(guest: SiteId): boolean {
    return this.#holder === guest;
  }

  has(guest: SiteId): boolean {
    return this.waits(guest) || this.holdsFor(guest);
  }

  /** Whether this member is inside for so long, at least. */
  outlasts(ms: number): boolean {
    const leftMs = this.#owner.lock(this.name).leaseLeftMs;
    return leftMs === null || leftMs >= ms;
  }

  /** `isFull`: there is no room for one more request of the guest. */
  take(event: ProxyEvent, isFull = false): void {
    if (this.#stopped) return;
    this.#isFull = isFull;
    this.#driver.take(event);
    this.#isFull = false;
    if (this.#waiting.size === 0 && this.#held === null && this.#waits === 0) this.#owner.idle(this);
  }

  stop(): void {
    this.#stopped = true;
    this.#driver.stop();
    for (const wait of this.#waiting.values()) wait.abort(abandoned);
  }

  // For the driver.

  due(): readonly ProxyEvent[] {
    return nothing;
  }

  judge(): 'take' {
    return 'take';
  }

  refuses(): boolean {
    return false;
  }

  took(): void {}

  crashed(error: InvariantError): void {
    this.#owner.crashed(error);
  }

  execute(effect: ProxyEffect): void {
    switch (effect.type) {
      case 'send':
        this.#send(effect.target, effect.message as MemberTold);
        return;
      case 'acquire':
        this.#acquire(effect);
        return;
      case 'abandon':
        this.#waiting.get(effect.guest)?.abort(abandoned);
        this.#leave(effect.guest);
        return;
      case 'release': {
        const held = this.#held;
        this.#held = null;
        this.#takeBack();
        held?.release();
        return;
      }
      case 'unexpected':
        throw new InvariantError(
          'UNEXPECTED_EVENT',
          `no transition of the proxy of ${this.name} takes ${effect.event.type}`,
        );
      default:
        effect satisfies never;
    }
  }

  #send(guest: SiteId, message: MemberTold): void {
    if (message.type === 'GRANT') {
      this.#waiting.delete(guest);
      this.#holder = guest;
    } else if (message.type === 'LOST') this.#takeBack();
    else this.#leave(guest);
    this.#owner.send(guest, this.name, message);
  }

  #leave(guest: SiteId): void {
    this.#waiting.delete(guest);
    if (!this.has(guest)) this.#owner.used(guest, this, false);
  }

  #takeBack(): void {
    const guest = this.#holder;
    this.#holder = null;
    // It may wait for the next critical section already.
    if (guest !== null && !this.has(guest)) this.#owner.used(guest, this, false);
  }

  #acquire({ guest, session, request }: Request): void {
    const wait = new AbortController();
    const of = { guest, session, request };
    this.#waiting.set(guest, wait);
    this.#owner.used(guest, this, true);
    if (this.#isFull) {
      this.#driver.take({ type: 'refused', ...of });
      return;
    }
    this.#waits += 1;
    this.#enter(wait.signal).then(
      (held) => {
        this.#waits -= 1;
        this.#granted(held);
      },
      (error: unknown) => {
        this.#waits -= 1;
        this.#failed(of, error);
      },
    );
  }

  /** Waits in the member's queue as a client of its own does. */
  async #enter(signal: AbortSignal): Promise<Held> {
    return this.#owner.lock(this.name).queue.acquire({ signal }, true);
  }

  #granted(held: Held): void {
    if (this.#stopped) {
      held.release();
      return;
    }
    const [first] = this.#waiting.keys();
    // The lease of the guest's session must end before that of this member (G3).
    if (first !== undefined && !held.signal.aborted && !this.outlasts(this.#owner.waitMs(first))) {
      this.#waits += 1;
      this.#owner.clock.after(this.#owner.waitMs(first) / 8, () => {
        this.#waits -= 1;
        this.#granted(held);
      });
      return;
    }
    this.#held = held;
    this.take({ type: 'granted', fence: held.fence });
    if (this.#held !== held) return;
    const lose = () => {
      if (this.#held !== held) return;
      this.#held = null;
      this.take({ type: 'lost' });
    };
    if (held.signal.aborted) lose();
    else held.signal.addEventListener('abort', lose, { once: true });
  }

  #failed(request: Request, error: unknown): void {
    if (this.#stopped || error === abandoned) {
      if (!this.#stopped && this.#waiting.size === 0 && this.#held === null && this.#waits === 0)
        this.#owner.idle(this);
      return;
    }
    if (error instanceof OperatingError && error.code === 'TOO_MANY_LOCKS')
      this.take({ type: 'refused', ...request });
    else this.#owner.cannotServe(request);
  }
}
