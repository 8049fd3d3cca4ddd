import type { SiteId } from './actor.ts';
import type { RecordedSnapshot, RecordLine } from './record.ts';

/** No name of a lock has more characters. */
export const longestName = 128;

/**
 * What a site tells whoever watches it while it runs, and what it is asked; JSON, version 1. A site tells one lock,
 * window by window: a window begins with a snapshot and has every event from there on. It ends when as many events
 * as were asked for have been told, or when whoever watches is too slow. A window that is asked for again before that
 * has no end: then nothing is missed.
 */
export type WatchAsk =
  /** Of which lock; what is told of another ends. */
  | { readonly type: 'watch'; readonly lock: string }
  /** The window that is open, or else a new one, has so many events more, and lasts so long. */
  | { readonly type: 'begin'; readonly events: number; readonly ms: number }
  /** Locks whose names contain this; of several that are asked in short order the last is answered. */
  | { readonly type: 'find'; readonly like: string };

export type WatchTold =
  /** First, and again whenever a window is asked for and no lock has been named. */
  | {
      readonly type: 'site';
      readonly version: 1;
      readonly site: SiteId;
      /** The machine that runs, by the name that `baton verify` knows. */
      readonly machine: string;
      /** The other sites of the mesh. */
      readonly peers: readonly SiteId[];
      /** Some locks that are in use here, and how many there are. */
      readonly locks: readonly string[];
      readonly count: number;
    }
  /** Some locks of that name, those that are in use first. There may be others when there are `more`. */
  | {
      readonly type: 'found';
      readonly like: string;
      readonly locks: readonly string[];
      readonly more: boolean;
    }
  | {
      readonly type: 'window';
      readonly lock: string;
      /** Milliseconds since 1970, by the site's clock. */
      readonly at: number;
      /** How the lock's actor is now, and `seq` of its last event; `null`: the lock has not been used here. */
      readonly now: { readonly seq: number; readonly snapshot: RecordedSnapshot } | null;
    }
  /** What happened since, each with its time. The clocks of its lines are empty: `cause` says what came from where. */
  | { readonly type: 'lines'; readonly lines: readonly TimedLine[] }
  | { readonly type: 'end'; readonly at: number; readonly why: WindowEnd };

export type TimedLine = readonly [at: number, line: RecordLine];

/** `full`: it had all the events, or the time, that it may have; `slow`: what was told before has not left yet; `closed`: the site is. */
export type WindowEnd = 'full' | 'slow' | 'closed';
