import type { HostAndPort } from '../options.ts';

/** What the demo and one of its site processes say to each other over Node's channel between processes. */

export type ToSite =
  /** Open the site; the peers after it are open already. */
  | ({ readonly type: 'open' } & OpenSite)
  /** Take the lock again and again. */
  | { readonly type: 'start' }
  /** Ask no more, then leave. */
  | { readonly type: 'stop' };

export interface OpenSite {
  readonly site: string;
  readonly cluster: string;
  readonly root: string;
  readonly peers: Readonly<Record<string, HostAndPort>>;
  /** Where the ledger and the counter are. */
  readonly resource: string;
  readonly trace: string;
}

export type FromSite =
  | { readonly type: 'loaded' }
  | { readonly type: 'opened'; readonly address: HostAndPort }
  /** Connected to every peer. */
  | { readonly type: 'ready' }
  | ({ readonly type: 'progress' } & Figures)
  /** Takes the lock no more; what it did from `start` to `stop`. */
  | ({ readonly type: 'stopped' } & Figures)
  /** Has handed everything on. `criticalSections`: all that it ever had. */
  | { readonly type: 'left'; readonly criticalSections: number }
  | { readonly type: 'failed'; readonly reason: string };

export interface Figures {
  readonly criticalSections: number;
  /** Messages sent, by type. */
  readonly sent: Readonly<Record<string, number>>;
}
