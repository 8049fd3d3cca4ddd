import type { SiteId } from '../../machines/actor.ts';
import {
  type EventLine,
  eventsPerLife,
  type LinkLine,
  type RecordedSnapshot,
  type RecordLine,
  type StartLine,
} from '../../machines/record.ts';
import type { Candidacy } from './format.ts';

/** One happening of a recorded run. */
export type Happening =
  | { readonly type: 'start'; readonly line: StartLine; readonly isFirst: boolean }
  | { readonly type: 'event'; readonly line: EventLine }
  | { readonly type: 'link'; readonly line: LinkLine }
  /** A run of the site has ended without notice, and another follows. */
  | { readonly type: 'crash'; readonly site: SiteId }
  /**
   * The site's steps are seen from here on. `missed` is the number of events before that were not seen.
   * `snapshot` is `null` if there is no actor yet.
   */
  | {
      readonly type: 'seen';
      readonly site: SiteId;
      readonly snapshot: RecordedSnapshot | null;
      readonly missed: number;
      /** Milliseconds since 1970, by the clock of the site. */
      readonly at?: number;
      /** Likewise: since when it holds the lock or waits for it. */
      readonly since?: number;
      /** Its last candidacy, as it remembers it. */
      readonly stood?: Candidacy;
    }
  /** The site's steps are not seen from here on. */
  | { readonly type: 'unseen'; readonly site: SiteId; readonly at?: number }
  /** Nor is the site seen: the connection to it has ended. */
  | { readonly type: 'gone'; readonly site: SiteId; readonly at?: number };

interface Life {
  readonly start: StartLine;
  readonly lines: (EventLine | LinkLine)[];
  /** Total number of lines, including those that are no longer kept. */
  count: number;
}

/** The position in the records of one site. */
interface Cursor {
  /** The runs of the site, in order. */
  readonly lives: Life[];
  life: number;
  line: number;
  /** `seq` of the last yielded event. */
  seq: number;
  hasBegun: boolean;
}

/**
 * The records of one lock in one order that respects causality. Among the candidates for the next place, the
 * one that can know of the fewest events comes first. Lines may be added during the iteration, those of a
 * file in their order.
 */
export class CausalOrder {
  readonly #cursors = new Map<SiteId, Cursor>();

  /**
   * Adds lines that follow the previously added lines of the same file. The first line of a file is a start
   * line.
   */
  add(lines: readonly RecordLine[]): void {
    for (const line of lines) {
      if (line.kind === 'start') this.#begin(line);
      else {
        const life = this.#lifeOf(line);
        if (life === undefined) continue;
        life.lines.push(line);
        life.count++;
      }
    }
  }

  /** Yields all happenings whose place is known by now. */
  *ready(): Generator<Happening> {
    const unbegun = [...this.#cursors.values()].filter(({ hasBegun }) => !hasBegun);
    for (const cursor of unbegun) {
      cursor.hasBegun = true;
      yield { type: 'start', line: cursor.lives[0]!.start, isFirst: true };
    }
    for (;;) {
      let first: Cursor | null = null;
      let least = Number.POSITIVE_INFINITY;
      for (const cursor of this.#cursors.values()) {
        if (!this.#isReady(cursor)) continue;
        const rank = this.#rank(cursor);
        if (first !== null && rank >= least) continue;
        first = cursor;
        least = rank;
      }
      if (first === null) return;
      yield* advance(first);
    }
  }

  #begin(start: StartLine): void {
    const cursor = this.#cursors.get(start.site);
    const life: Life = { start, lines: [], count: 0 };
    if (cursor === undefined) {
      this.#cursors.set(start.site, { lives: [life], life: 0, line: 0, seq: 0, hasBegun: false });
      return;
    }
    cursor.lives.push(life);
    cursor.lives.sort((left, right) => (left.start.life ?? 0) - (right.start.life ?? 0));
  }

  /** The `seq` of an event determines its run. A link line belongs to the newest run. */
  #lifeOf(line: EventLine | LinkLine): Life | undefined {
    const lives = this.#cursors.get(line.site)?.lives ?? [];
    if (line.kind === 'link') return lives.at(-1);
    const life = Math.floor(line.seq / eventsPerLife);
    return lives.find(({ start }) => (start.life ?? 0) === life);
  }

  #isReady(cursor: Cursor): boolean {
    const head = headOf(cursor);
    if (head === null) return false;
    if (head === 'next life' || head.kind === 'link' || head.cause === null) return true;
    return (this.#cursors.get(head.cause.site)?.seq ?? -1) >= head.cause.seq;
  }

  /**
   * The number of events that the next happening can know of. A happening other than an event has the rank of
   * the event after it.
   */
  #rank(cursor: Cursor): number {
    const next = nextEvent(cursor);
    if (next === null) return Number.POSITIVE_INFINITY;
    return Object.entries(next.clock).reduce((sum, [site, seq]) => {
      const lives = this.#cursors.get(site)?.lives ?? [];
      const before = lives.filter(({ start }) => (start.life ?? 0) < Math.floor(seq / eventsPerLife));
      return before.reduce((sums, { count }) => sums + count, sum) + (seq % eventsPerLife);
    }, 0);
  }
}

function headOf({ lives, life, line }: Cursor): EventLine | LinkLine | 'next life' | null {
  return lives[life]!.lines[line] ?? (life + 1 < lives.length ? 'next life' : null);
}

function nextEvent({ lives, life, line }: Cursor): EventLine | null {
  for (let of = life, from = line; of < lives.length; of++, from = 0) {
    const { lines } = lives[of]!;
    for (let at = from; at < lines.length; at++) {
      const one = lines[at]!;
      if (one.kind === 'event') return one;
    }
  }
  return null;
}

function* advance(cursor: Cursor): Generator<Happening> {
  const { lives, life } = cursor;
  const head = headOf(cursor)!;
  if (head === 'next life') {
    const { start } = lives[life + 1]!;
    cursor.life++;
    cursor.line = 0;
    yield { type: 'crash', site: start.site };
    yield { type: 'start', line: start, isFirst: false };
    return;
  }
  cursor.line++;
  if (head.kind === 'link') yield { type: 'link', line: head };
  else {
    cursor.seq = head.seq;
    yield { type: 'event', line: head };
  }
  // Yielded lines need not be kept.
  if (cursor.line > 10_000) {
    lives[life]!.lines.splice(0, cursor.line);
    cursor.line = 0;
  }
}
