import type { Message, NamedAction, SiteId } from './actor.ts';

/**
 * What a site did, one line of NDJSON each: the one thing that the rooms which run and the rooms which
 * check have in common. Version 1. The first line of a file says who began and how; every further line
 * is one event that the site's actor took. A file holds one lock of one site, in order of `seq`.
 */
export type RecordLine = StartLine | EventLine;

/** How often each site had taken an event, as far as this event can know: a vector clock. */
export type VectorClock = Readonly<Record<SiteId, number>>;

export interface RecordedSnapshot {
  readonly value: unknown;
  readonly context: unknown;
}

export interface StartLine {
  readonly version: 1;
  readonly kind: 'start';
  readonly site: SiteId;
  readonly lock: string;
  /** The machine that ran, by the name that `baton verify` knows. */
  readonly machine: string;
  readonly input: unknown;
  /** The other sites of the mesh. */
  readonly peers: readonly SiteId[];
  readonly snapshot: RecordedSnapshot;
}

export interface EventLine {
  readonly version: 1;
  readonly kind: 'event';
  readonly site: SiteId;
  readonly lock: string;
  /** Counts from 1 at each site; `clock[site]` is the same number. */
  readonly seq: number;
  readonly clock: VectorClock;
  /** For a message: the event of its sender (`seq` there) in which it was sent. `null` for a client's event. */
  readonly cause: { readonly site: SiteId; readonly seq: number } | null;
  readonly event: Message & { readonly [key: string]: unknown };
  /** After the event. */
  readonly snapshot: RecordedSnapshot;
  readonly effects: readonly NamedAction[];
}
