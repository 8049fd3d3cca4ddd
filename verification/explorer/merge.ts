import type { SiteId } from '../../machines/actor.ts';
import {
  type EventLine,
  eventsPerLife,
  type LinkLine,
  type RecordLine,
  type StartLine,
} from '../../machines/record.ts';

/** What happened in a recorded run, one thing after the other. */
export type Happening =
  | { readonly type: 'start'; readonly line: StartLine; readonly isFirst: boolean }
  | { readonly type: 'event'; readonly line: EventLine }
  | { readonly type: 'link'; readonly line: LinkLine }
  /** A life has ended without a word, and another follows. */
  | { readonly type: 'crash'; readonly site: SiteId };

interface Life {
  readonly start: StartLine;
  readonly lines: readonly (EventLine | LinkLine)[];
}

interface Cursor {
  readonly lives: readonly Life[];
  /** How many events the lives before the one of this number had. */
  readonly before: readonly number[];
  life: number;
  line: number;
  /** `seq` of the last event that has been given out. */
  seq: number;
}

/**
 * The records of one lock in one order that respects causality: of all that may come next, whatever knows of
 * the fewest events comes first.
 */
export function* merged(records: readonly (readonly RecordLine[])[]): Generator<Happening> {
  const cursors = cursorsOf(records);
  for (const { lives } of cursors.values()) yield { type: 'start', line: lives[0]!.start, isFirst: true };
  for (;;) {
    const ready = [...cursors.values()].filter((cursor) => isReady(cursor, cursors));
    if (ready.length === 0) return;
    const cursor = ready.reduce((left, right) => (rank(right, cursors) < rank(left, cursors) ? right : left));
    yield* advance(cursor);
  }
}

function cursorsOf(records: readonly (readonly RecordLine[])[]): ReadonlyMap<SiteId, Cursor> {
  const lives = records
    .filter((lines) => lines[0]?.kind === 'start')
    .map(
      ([start, ...lines]): Life => ({ start: start as StartLine, lines: lines as (EventLine | LinkLine)[] }),
    )
    .sort((left, right) => (left.start.life ?? 0) - (right.start.life ?? 0));
  const sites = [...new Set(lives.map(({ start }) => start.site))].sort();
  return new Map(
    sites.map((site) => {
      const own = lives.filter(({ start }) => start.site === site);
      const before: number[] = [];
      let sum = 0;
      for (const { start, lines } of own) {
        before[start.life ?? 0] = sum;
        sum += lines.length;
      }
      return [site, { lives: own, before, life: 0, line: 0, seq: 0 }];
    }),
  );
}

function headOf({ lives, life, line }: Cursor): EventLine | LinkLine | 'next life' | null {
  return lives[life]!.lines[line] ?? (life + 1 < lives.length ? 'next life' : null);
}

function isReady(cursor: Cursor, cursors: ReadonlyMap<SiteId, Cursor>): boolean {
  const head = headOf(cursor);
  if (head === null) return false;
  if (head === 'next life' || head.kind === 'link' || head.cause === null) return true;
  return (cursors.get(head.cause.site)?.seq ?? Number.POSITIVE_INFINITY) >= head.cause.seq;
}

/** How many events it can know of. What is no event has the rank of the one after it. */
function rank(cursor: Cursor, cursors: ReadonlyMap<SiteId, Cursor>): number {
  const next = nextEvent(cursor);
  if (next === null) return Number.POSITIVE_INFINITY;
  return Object.entries(next.clock).reduce((sum, [site, seq]) => {
    const before = cursors.get(site)?.before[Math.floor(seq / eventsPerLife)] ?? 0;
    return sum + before + (seq % eventsPerLife);
  }, 0);
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
}
