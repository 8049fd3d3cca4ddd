import type { Message, SiteId } from '../../../machines/actor.ts';
import type { RecordedSnapshot } from '../../../machines/record.ts';
import type { GlobalPromise, JudgedStep, LifeStart, Refuse } from './promises.ts';

/** Where a protocol's token is. */
export interface TokenCount {
  /** How many tokens a site in `snapshot` holds. */
  tokensHeld(snapshot: RecordedSnapshot): number;
  /** How many tokens travel in `message`. */
  tokensIn(message: Message): number;
  inCriticalSection(snapshot: RecordedSnapshot): boolean;
}

/** A mesh without failures: it starts with one token, which no step makes or loses. */
export class OneToken implements GlobalPromise {
  readonly #count: TokenCount;
  #atStart = 0;

  constructor(count: TokenCount) {
    this.#count = count;
  }

  start({ snapshot }: LifeStart): void {
    this.#atStart += this.#count.tokensHeld(snapshot);
  }

  begun(refuse: Refuse): void {
    if (this.#atStart !== 1) refuse('REPLAY_TOKEN', `the mesh starts with ${this.#atStart} tokens, not one`);
  }

  step({ received, before, after, sent, refuse }: JudgedStep): void {
    const { tokensHeld, tokensIn } = this.#count;
    const was = tokensHeld(before) + (received === null ? 0 : tokensIn(received));
    const made = tokensHeld(after) + sent.reduce((sum, message) => sum + tokensIn(message), 0) - was;
    if (made === 0) return;
    const reason = made > 0 ? `the step makes ${made} more` : `the step loses ${-made}`;
    refuse('REPLAY_TOKEN', `there is one token, and ${reason}`);
  }
}

/** Each critical section begins causally after the one before it has ended. */
export class Turns implements GlobalPromise {
  readonly #count: TokenCount;
  #inside: SiteId | null = null;
  #lastExit: Pick<JudgedStep, 'site' | 'seq'> | null = null;

  constructor(count: TokenCount) {
    this.#count = count;
  }

  step({ site, seq, clock, before, after, refuse }: JudgedStep): void {
    const was = this.#count.inCriticalSection(before);
    const is = this.#count.inCriticalSection(after);
    if (is && !was) {
      const last = this.#lastExit;
      const isAfter = last === null || (clock[last.site] ?? 0) >= last.seq;
      const other = this.#inside ?? (isAfter ? null : last.site);
      if (other !== null) {
        refuse('REPLAY_OVERLAP', `no chain of messages puts it after the critical section of ${other}`);
      }
      this.#inside = site;
    }
    if (was && !is) {
      this.#inside = null;
      this.#lastExit = { site, seq };
    }
  }
}
