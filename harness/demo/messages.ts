import type { Address } from '../../runtime/api/peer.ts';

/** The messages between the demo and one of its site processes, over Node's channel between processes. */

export type ToSite =
  /** Open the site; the peers after it are open already. */
  | ({ readonly type: 'open' } & OpenSite)
  /** Take the lock again and again. */
  | { readonly type: 'start' }
  /** Stop acquiring. */
  | { readonly type: 'stop' }
  /** Leave: no site asks any more. */
  | { readonly type: 'leave' };

export interface OpenSite {
  readonly site: string;
  readonly cluster: string;
  readonly root: string;
  readonly peers: Readonly<Record<string, Address>>;
  /** Where the ledger and the counter are. */
  readonly resource: string;
  readonly dataDir: string;
  readonly trace: string;
  /** Others may watch it. */
  readonly isWatched: boolean;
}

export type FromSite =
  | { readonly type: 'loaded' }
  | { readonly type: 'opened'; readonly address: Address; readonly watch: string | null }
  /** Connected to every peer. */
  | { readonly type: 'ready' }
  | ({ readonly type: 'progress' } & Figures)
  /** The figures since `start`, in answer to `stop`. */
  | ({ readonly type: 'stopped' } & Figures)
  /** The site neither holds the lock nor waits for it. */
  | { readonly type: 'rests' }
  /** The site has handed everything on. `criticalSections`: number of all its critical sections. */
  | { readonly type: 'left'; readonly criticalSections: number }
  /** A fault of the connection with a peer: also the end of a peer that was killed. */
  | { readonly type: 'fault'; readonly reason: string }
  | { readonly type: 'failed'; readonly reason: string };

export interface Figures {
  readonly criticalSections: number;
  /** Messages sent, by type. */
  readonly sent: Readonly<Record<string, number>>;
}
