import type { SiteId } from '../../../machines/actor.ts';
import type { Fence } from '../../../machines/epoch/messages.ts';

/**
 * What happened in a run, as whoever took part wrote it down. `at` is in milliseconds of one monotonic clock
 * that all of them share; entries of a history are sorted by it.
 *
 * `site` is a name, `life` counts the starts of it, `section` names one wish for the lock from its `ask` to its
 * end and is used once.
 */
export type Entry =
  /** By the sites' clients. */
  | Ask
  | Grant
  /** The client waits no longer; a grant that comes is not its own. */
  | (OfSection & { readonly type: 'cancel' })
  /** The wait ended with an error. */
  | (OfSection & { readonly type: 'rejected'; readonly code: string })
  /** Written down before the site was told. */
  | (OfSection & { readonly type: 'release' })
  | (OfSection & { readonly type: 'lost' })
  /** The client has heard that the resource took this write. */
  | (OfSection & { readonly type: 'acknowledged'; readonly step: WriteStep })
  /** By a site: what it believes of others, and what becomes of it. Nothing is judged by it. */
  | (OfLife & { readonly type: 'notice'; readonly what: string })
  /** By the resource, in the order in which it decided. */
  | Write
  /** By whoever starts and stops sites. */
  | (OfLife & { readonly type: 'open' })
  | (OfLife & { readonly type: 'end'; readonly why: string })
  /** The site stopped because an invariant was broken. */
  | (OfLife & { readonly type: 'crash'; readonly code: string; readonly message: string })
  | Fault
  | Split
  /** Every fault is over: all sites that will live are up and reach each other. */
  | { readonly type: 'quiet'; readonly at: number };

export interface OfLife {
  readonly at: number;
  readonly site: SiteId;
  /** From 0. */
  readonly life: number;
}

export interface OfSection extends OfLife {
  readonly section: string;
}

export interface Ask extends OfSection {
  readonly type: 'ask';
}

export interface Grant extends OfSection {
  readonly type: 'grant';
  readonly fence: Fence;
}

/** `enter` reads a counter and shows the fence to the resource; `leave` writes the counter back, one higher. */
export type WriteStep = 'enter' | 'leave';

export interface Write {
  readonly type: 'write';
  readonly at: number;
  readonly site: SiteId;
  readonly section: string;
  readonly fence: Fence;
  readonly step: WriteStep;
  readonly accepted: boolean;
  /** Of the counter: what `enter` read, or what `leave` put there. */
  readonly value: number;
}

export interface Fault {
  readonly type: 'fault';
  readonly at: number;
  /** In words. */
  readonly what: string;
}

/** The sites of `minority` reach none of the others, from `at` to `until`. */
export interface Split {
  readonly type: 'split';
  readonly at: number;
  readonly until: number;
  readonly minority: readonly SiteId[];
}

/** One accepted write as the resource keeps it. */
export type LedgerLine = Pick<Write, 'section' | 'step' | 'value'>;
