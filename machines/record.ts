import type { Message, NamedAction, SiteId } from './actor.ts';

/**
 * What a site did, one line of NDJSON each: the one thing that the rooms which run and the rooms which
 * check have in common. Version 1. The first line of a lock says who began and how; every further line of it
 * is one event that the lock's actor took, or a link that began anew, in order of `seq`. A file holds all locks of one
 * site, and one life of it: from a start to an end or a crash.
 */
export type RecordLine = StartLine | EventLine | LinkLine;

/**
 * `seq` counts on through the lives of a site, so that a vector clock tells them apart and needs one number for
 * each site: the first event of life 0 is 1, the first of life 2 is 2,000,000,001.
 */
export const eventsPerLife = 1_000_000_000;

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
  /** How many lives the site had before, under this name and with this disk. Not there: 0. */
  readonly life?: number;
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
  /** Counts by one at each site, from `life * eventsPerLife + 1`; `clock[site]` is the same number. */
  readonly seq: number;
  readonly clock: VectorClock;
  /** For a message: the event of its sender (`seq` there) in which it was sent. `null` for a client's event. */
  readonly cause: { readonly site: SiteId; readonly seq: number } | null;
  readonly event: Message & { readonly [key: string]: unknown };
  /** After the event. */
  readonly snapshot: RecordedSnapshot;
  readonly effects: readonly NamedAction[];
}

/**
 * What was under way between this site and `peer`, in both directions, is lost, and a link of theirs begins anew
 * though both may live on (`restarted`, as the mailbox tells it).
 */
export interface LinkLine {
  readonly version: 1;
  readonly kind: 'link';
  readonly site: SiteId;
  readonly lock: string;
  readonly peer: SiteId;
}
