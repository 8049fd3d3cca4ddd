import type { SiteId } from './actor.ts';
import type { RecordedSnapshot, RecordLine } from './record.ts';

/** Maximum number of Unicode characters in a lock's name. Such a JavaScript string is up to twice as long. */
export const longestName = 1_024;

/**
 * Messages between a running site and its observer (JSON, version 1). A site reports one lock, in windows. A
 * window begins with a snapshot and has every event after it. It ends when the requested number of events has
 * been sent, or when the observer is too slow. A window that is extended before its end goes on, so that no
 * event is missed.
 */
export type WatchAsk =
  /** The lock to be reported. Reports of another lock end. */
  | { readonly type: 'watch'; readonly lock: string }
  /** Gives the open window, or a new one, `events` more events and `ms` milliseconds. */
  | { readonly type: 'begin'; readonly events: number; readonly ms: number }
  /**
   * Requests locks whose names contain `like`. If several such requests come in quick succession, the last is
   * answered.
   */
  | { readonly type: 'find'; readonly like: string }
  /** Requests a `table` of the locks whose names contain `like`; answered as `find` is. */
  | { readonly type: 'table'; readonly like: string };

export type WatchTold =
  /** Sent first, and again whenever a window is requested and no lock has been named. */
  | {
      readonly type: 'site';
      readonly version: 1;
      readonly site: SiteId;
      /** The name of the running machine, as `baton verify` knows it. */
      readonly machine: string;
      /** The other sites of the mesh. */
      readonly peers: readonly SiteId[];
      /** Some locks that are in use here, and the number of all such locks. */
      readonly locks: readonly string[];
      readonly count: number;
    }
  /** Some locks whose names match, those in use first. `more`: there may be further ones. */
  | {
      readonly type: 'found';
      readonly like: string;
      readonly locks: readonly string[];
      readonly more: boolean;
    }
  /** The state of some locks at this site, those in use first. `more`: there may be further ones. */
  | {
      readonly type: 'table';
      readonly like: string;
      readonly locks: readonly SiteLock[];
      readonly more: boolean;
    }
  | {
      readonly type: 'window';
      readonly lock: string;
      /** Milliseconds since 1970, by the site's clock. */
      readonly at: number;
      /**
       * The current state of the lock's actor, and `seq` of its last event. `null`: the lock has not been
       * used here.
       */
      readonly now: { readonly seq: number; readonly snapshot: RecordedSnapshot } | null;
      /**
       * Time since the site entered its critical section, or since its first caller began to wait. `null`: it does
       * neither. Sites of earlier versions do not tell it.
       */
      readonly sinceMs?: number | null | undefined;
      /** The last candidacy of this site, if it remembers one: the cause of an epoch that began before it was watched. */
      readonly stood?: WatchedCandidacy | undefined;
    }
  /**
   * The events since the last report, each with its time. The clocks of its lines are empty: `cause` tells
   * from which event a message came.
   */
  | { readonly type: 'lines'; readonly lines: readonly TimedLine[] }
  | { readonly type: 'end'; readonly at: number; readonly why: WindowEnd };

/**
 * Requests the voters as the site knows them. `change`: after that change, which it makes where `admin` is its administrator's token, within
 * `timeoutMs`. Answered by one `MembersAnswer`.
 */
export interface MembersRequest {
  readonly type: 'members';
  readonly change?: WatchedChange | undefined;
  readonly admin?: string | undefined;
  readonly timeoutMs?: number | undefined;
}

export type WatchedChange =
  | { readonly add: SiteId }
  | { readonly remove: SiteId }
  | { readonly replace: SiteId; readonly by: SiteId };

/** `reason` begins with a code. */
export type MembersAnswer =
  | {
      readonly type: 'members';
      readonly generation: number | null;
      readonly term: number | null;
      readonly version: number | null;
      readonly voters: readonly {
        readonly site: SiteId;
        readonly id: string;
        readonly up: boolean;
        readonly address: { readonly host: string; readonly port: number } | null;
        readonly wireVersion: number | null;
      }[];
      /** The guests of the site. */
      readonly guests: readonly SiteId[];
    }
  | { readonly type: 'refused'; readonly reason: string };

/** The state of one lock at one site. Durations are in milliseconds, since the clocks of two sites differ. */
export interface SiteLock {
  readonly lock: string;
  readonly epoch: number;
  /** This site takes no part until the next epoch. */
  readonly frozen: boolean;
  readonly token: boolean;
  /** The sites that are served after this one, in order, as far as it knows. */
  readonly line: readonly SiteId[];
  /** The critical section of this site, if there is one. */
  readonly held: { readonly fence: WatchedFence; readonly heldMs: number } | null;
  /** Waiting time of each of the first local callers, in the order of their line. */
  readonly waitedMs: readonly number[];
  /** Number of local callers that wait. */
  readonly waiting: number;
  /** Time since the last event of this lock at this site. */
  readonly changedMs: number;
}

/** A site stood for a new epoch of a lock. */
export interface WatchedCandidacy {
  readonly epoch: number;
  readonly agoMs: number;
  /** Its grounds, and the peers that it believed down, each with the grounds for that. */
  readonly because: { readonly reason: string; readonly down: Readonly<Record<SiteId, string>> };
}

export interface WatchedFence {
  readonly generation: number;
  readonly epoch: number;
  readonly k: number;
}

export type TimedLine = readonly [at: number, line: RecordLine];

/**
 * The reason why a window ended. `full`: it has all of its events, or its time is over. `slow`: earlier
 * reports have not been sent yet. `closed`: the site is closed.
 */
export type WindowEnd = 'full' | 'slow' | 'closed';
