import type { Message, SiteId } from '../../machines/actor.ts';
import type { VectorClock } from '../../machines/record.ts';

/** A message that was sent and has not been received. */
export interface UnderWay {
  readonly source: SiteId;
  readonly target: SiteId;
  readonly message: Message;
  /** The event of `source` in which it was sent. */
  readonly seq: number;
}

export type Sent = UnderWay & { readonly clock: VectorClock };

/**
 * The messages under way from one site to another, first in, first out. Only the tail of a run may be lost:
 * of the sender's (`cut`), of the receiver's (`renew`), or of their link's (both, one for each direction).
 */
export class Link {
  #sent: Sent[] = [];
  /** Positions in `#sent` at which a life of the sender or of the link begins. */
  #cuts: number[] = [];
  /** The receiver has begun a life, or the link one on its side, and nothing was received since. */
  #isRenewed = false;

  get underWay(): readonly Sent[] {
    return this.#sent;
  }

  /** Those that can come next: each is the first of a life. */
  get next(): readonly Sent[] {
    if (this.#isRenewed) return this.#sent;
    return [...new Set([0, ...this.#cuts])].flatMap((index) => this.#sent[index] ?? []);
  }

  send(sent: Sent): void {
    this.#sent.push(sent);
  }

  /** Messages that are sent from here on arrive, though those under way now may be lost. */
  cut(): void {
    if (this.#cuts.at(-1) !== this.#sent.length) this.#cuts.push(this.#sent.length);
  }

  /** Messages that are under way now, and until a message is received, may be lost. */
  renew(): void {
    this.#isRenewed = true;
  }

  /** Takes one of `next`; gives how many before it were lost. */
  receive(sent: Sent): number {
    const lost = this.#sent.indexOf(sent);
    this.#sent.splice(0, lost + 1);
    this.#cuts = this.#cuts.map((index) => index - lost - 1).filter((index) => index >= 0);
    this.#isRenewed = false;
    return lost;
  }
}
