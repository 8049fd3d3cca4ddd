import type { SiteId } from '../../../machines/actor.ts';
import type { DownReason, PeerChange, StampedEnvelope } from '../../api/peer.ts';

export interface PeerHealthOptions {
  readonly peer: () => SiteId;
  readonly failureTimeoutMs: number;
  /** When to begin to count. */
  readonly now: number;
  readonly tell: (change: PeerChange) => void;
}

/** The failure detector of one peer: whether it is believed to be up, by when it was last heard. */
export class PeerHealth {
  readonly #options: PeerHealthOptions;
  #state: 'unmet' | 'up' | 'down' = 'unmet';
  #incarnation: string | null = null;
  #heardAt: number;
  #wasRefused = false;
  /** Pongs below it answer pings from before a pause. */
  #trustFrom = 0;

  constructor(options: PeerHealthOptions) {
    this.#options = options;
    this.#heardAt = options.now;
  }

  get up(): boolean {
    return this.#state === 'up';
  }

  /** How long nothing has been heard of it. */
  silence(now: number): number {
    return now - this.#heardAt;
  }

  isSilent(now: number): boolean {
    return this.silence(now) >= this.#options.failureTimeoutMs;
  }

  heard(now: number): void {
    this.#heardAt = now;
  }

  /** It is counted as one to be met, if it never was. Reports whether that is so. */
  expect(now: number): boolean {
    if (this.#incarnation !== null) return false;
    this.#state = 'unmet';
    this.#heardAt = now;
    return true;
  }

  /** Its link is up. `lost`: of messages, between lives that have not met before, though one was known; else null. */
  met(incarnation: string, lost: readonly StampedEnvelope[] | null, now: number): void {
    this.#heardAt = now;
    this.#wasRefused = false;
    this.#incarnation = incarnation;
    if (this.#state === 'up' && lost === null) return;
    this.#state = 'up';
    const { tell } = this.#options;
    const peer = this.#options.peer();
    tell(lost ? { type: 'restarted', peer, incarnation, lost } : { type: 'up', peer, incarnation });
  }

  /** The last word of its kernel: nobody listens there (`yes`), or a process may. For a peer that was never met it counts once the peer is silent. */
  refused(yes: boolean): void {
    this.#wasRefused = yes;
    if (yes && this.#state === 'up') this.down('refused');
  }

  silent(): void {
    this.down(this.#state === 'unmet' && this.#wasRefused ? 'refused' : 'silent');
  }

  down(why: DownReason): void {
    if (this.#state === 'down') return;
    this.#state = 'down';
    const { tell } = this.#options;
    const peer = this.#options.peer();
    tell({ type: 'down', peer, why });
  }

  /** This process was stopped: the peer is trusted again when it answers a ping of this number or a later one. */
  paused(trustFrom: number, now: number): void {
    this.#trustFrom = trustFrom;
    this.#heardAt = now;
    if (this.#state === 'up') this.down('silent');
  }

  pong(number: number): void {
    if (this.#state !== 'down' || number < this.#trustFrom || this.#incarnation === null) return;
    this.#state = 'up';
    const { tell } = this.#options;
    const peer = this.#options.peer();
    tell({ type: 'up', peer, incarnation: this.#incarnation });
  }
}
