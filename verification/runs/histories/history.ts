import type { SiteId } from '../../../machines/actor.ts';
import type { Fence } from '../../../machines/epoch/messages.ts';

/**
 * An event of a chaos run, as its participant recorded it. `at` is in milliseconds of one monotonic clock
 * that all share; the entries of a history are sorted by it.
 *
 * `site` is a name, `life` counts its starts, and `section` names one request for the lock from its `ask` to
 * its end and is used once.
 */
export type Entry =
  /** Entries of the clients. */
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
  /** An entry of a site: a peer is up or down, or its own end. No rule judges it. */
  | (OfLife & { readonly type: 'notice'; readonly what: string })
  /** Entries of the resource, in the order in which it decided. */
  | Write
  /** Entries of the harness, which starts and stops sites. */
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
  /** The value of the counter that `enter` read or `leave` wrote. */
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
