import type { Message, NamedAction, SiteId } from './actor.ts';

/**
 * One line of a recorded run (NDJSON, version 1). Recorded runs are the only thing that the running rooms and
 * the checking rooms share. The first line of a lock tells which site started and in which state. Every
 * further line is one event that the lock's actor took, or a link that started anew, in order of `seq`. A
 * file holds all locks of one run of a site: from a start to an end or a crash.
 */
export type RecordLine = StartLine | EventLine | LinkLine;

/**
 * Difference between the first `seq` of consecutive runs of a site. `seq` continues through the runs of a
 * site, so a vector clock distinguishes them and needs only one number per site. The first event of run 0 is
 * 1, and the first of run 2 is 2,000,000,001.
 */
export const eventsPerLife = 1_000_000_000;

/** A vector clock: for each site, the number of its last event that this event can depend on. */
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
  /** Milliseconds since 1970, by the clock of the site. Absent in records that were made without it. */
  readonly at?: number;
  /** Number of earlier runs of the site under this name and with this disk. Default: 0. */
  readonly life?: number;
  /** The name of the machine that ran, as `baton verify` knows it. */
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
  /** Milliseconds since 1970, by the clock of the site. Absent in records that were made without it. */
  readonly at?: number;
  /**
   * Increases by one per event at each site, starting at `life * eventsPerLife + 1`. Equals `clock[site]`.
   */
  readonly seq: number;
  readonly clock: VectorClock;
  /**
   * For a message: the event of its sender (`seq` there) in which it was sent. `null` for a client's event.
   */
  readonly cause: { readonly site: SiteId; readonly seq: number } | null;
  readonly event: Message & { readonly [key: string]: unknown };
  /** The snapshot after the event. */
  readonly snapshot: RecordedSnapshot;
  readonly effects: readonly NamedAction[];
}

/**
 * A link between this site and `peer` has started anew, though both runs may continue (`restarted` in the
 * mailbox). All messages on their way between the two, in both directions, are lost.
 */
export interface LinkLine {
  readonly version: 1;
  readonly kind: 'link';
  readonly site: SiteId;
  readonly lock: string;
  /** Milliseconds since 1970, by the clock of the site. Absent in records that were made without it. */
  readonly at?: number;
  readonly peer: SiteId;
}
