import type { Fence } from '../../runtime/api/fence.ts';
import type { Address } from '../../runtime/api/peer.ts';
import type { ClusterOptions, Counters, Timing } from '../../runtime/index.ts';
import type { Entry, WriteStep } from '../../verification/runs/histories/history.ts';
import type { Credentials } from './credentials.ts';

/** The messages between the harness and one of its site processes, over Node's channel between processes. */

export type ToSite =
  | ({ readonly type: 'open' } & OpenSite)
  | ({ readonly type: 'work' } & Work)
  /** The clients stop. Answered by `rested` once no client has the lock or waits for it. */
  | { readonly type: 'rest' }
  /** Begin one critical section that lasts until `drop`. */
  | { readonly type: 'take'; readonly section: string }
  | { readonly type: 'drop'; readonly section: string }
  /** An operator changes the members here. Answered by `changed`. */
  | { readonly type: 'change'; readonly change: MemberChange; readonly timeoutMs: number }
  /** The resource's answer to a `write`. */
  | { readonly type: 'answer'; readonly id: number; readonly accepted: boolean; readonly value: number }
  | { readonly type: 'close' };

export type MemberChange =
  | { readonly add: string }
  | { readonly remove: string }
  | { readonly replace: string; readonly by: string };

export interface OpenSite {
  readonly site: string;
  readonly life: number;
  readonly cluster: string;
  readonly root: string;
  readonly listen: Address;
  readonly peers: Readonly<Record<string, Address>>;
  /** How it becomes a member; by default the site and its peers found the cluster, or it joins one. */
  readonly membership: Pick<ClusterOptions, 'founders' | 'join'>;
  readonly dataDir: string;
  readonly timing: Timing;
  /** The credentials of the site's links; `none` leaves the links open. */
  readonly credentials: Credentials;
  /**
   * A mutant of the statechart, by its name in `verification/protocols/epoch/mutants.ts`; `null` runs the
   * statechart itself.
   */
  readonly mutant: string | null;
  /** How many times as fast as the machine's its clock runs. */
  readonly rate: number;
  /** Every run says that it is later than all before, also one of an old copy of the data. */
  readonly forgetsRuns: boolean;
  /** One of the members lies, so a peer that breaks the protocol is no fault. */
  readonly hostile: boolean;
}

/** The number of clients that ask for each lock again and again. */
export interface Work {
  readonly seed: number;
  readonly locks: readonly string[];
  readonly clients: number;
  readonly pace: Pace;
}

/** The ranges that the clients draw their pauses and holds from. */
export interface Pace {
  /** Longest pause between two requests, and longest hold, in ms. */
  readonly pauseMs: number;
  readonly holdMs: number;
  /** Percentage of waits that are given up after at most `patienceMs`. */
  readonly cancelPercent: number;
  readonly patienceMs: number;
}

export type FromSite =
  | { readonly type: 'loaded' }
  | { readonly type: 'opened'; readonly address: Address }
  /** The site knows that the cluster is founded, in this run or before. */
  | { readonly type: 'founded' }
  /** The site could not be opened. */
  | { readonly type: 'refused'; readonly code: string; readonly message: string }
  | { readonly type: 'entry'; readonly entry: Entry }
  | ({ readonly type: 'write'; readonly id: number } & WriteRequest)
  | { readonly type: 'rested'; readonly counters: Counters }
  /** `code`: `null` when the change is made. */
  | { readonly type: 'changed'; readonly code: string | null; readonly message: string }
  /** The site closed, by `close` or by SIGTERM. */
  | { readonly type: 'closed' }
  /** The site has stopped by itself. */
  | { readonly type: 'crashed'; readonly code: string; readonly message: string };

export interface WriteRequest {
  readonly site: string;
  readonly section: string;
  readonly fence: Fence;
  readonly step: WriteStep;
  readonly value: number;
}
