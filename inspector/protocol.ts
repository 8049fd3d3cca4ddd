import type { Timeline } from '../verification/timeline/format.ts';

export type { Choice, Explored, Found } from '../verification/timeline/format.ts';

/** What the page asks of whoever serves it: JSON over same-origin GET. */

/** `GET api/sources`; also what a self-contained page carries in itself. */
export interface Sources {
  readonly title: string;
  /** In the order in which they are listed; the first is shown when the address names none. */
  readonly sources: readonly SourceHead[];
  /** Figures of the check that found them, if any: label and value. */
  readonly figures?: readonly (readonly [string, string])[];
  /** Every property that was checked, also those without a trace. */
  readonly results?: readonly Result[];
  /** Apps may tell it what they do: an app that has opened the page is passed on. */
  readonly listens?: true;
  /** Of a live cluster: another lock of it may be shown, and `GET api/locks?like=TEXT` gives `Locks`. */
  readonly locks?: true;
  /** By the chart's name: the transitions that no explored step took. */
  readonly never?: Readonly<Record<string, readonly string[]>>;
}

export interface Result {
  readonly name: string;
  readonly kind: string;
  readonly verdict: 'holds' | 'violated' | 'incomplete';
  readonly reason?: string;
}

/**
 * - `timeline`: `GET api/timeline/ID` gives it.
 * - `explore`: `GET api/explore?path=0.2` gives `Explored`; `GET api/find?...` gives `Found`.
 * - `live`: a WebSocket at `api/live`, or of one lock at `api/live?lock=NAME`, tells it, `LiveFrame` by frame.
 */
export interface SourceHead {
  /** Names it in addresses: lower case, digits, hyphens. */
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly kind: 'timeline' | 'explore' | 'live';
  readonly verdict?: 'holds' | 'violated' | 'incomplete';
}

/** Some locks whose names contain what was asked for; `more`: there may be others. */
export interface Locks {
  readonly names: readonly string[];
  readonly more: boolean;
}

/** What a self-contained page carries: an element of this id, with JSON of this shape. */
export const embeddedId = 'baton-embedded';

export interface Embedded {
  readonly sources: Sources;
  readonly timelines: Readonly<Record<string, Timeline>>;
}

/**
 * What a live source tells, frame by frame: `whole` first, and again whenever what came before is no longer kept
 * or the page was too slow for all of it; then what is `more`.
 */
export type LiveFrame =
  | { readonly type: 'whole'; readonly timeline: Timeline }
  | {
      readonly type: 'more';
      /** The steps after those that the page has. */
      readonly steps: Timeline['steps'];
      /** By index: letters that are new, or are no longer under way. */
      readonly letters: readonly (readonly [number, Timeline['letters'][number]])[];
    };

/** The code with which the server closes a live connection that it refuses or cannot go on with, and says why. */
export const cannotBeShown = 1008;

/** Every refusal, with a status of 4xx. */
export interface Problem {
  readonly code: string;
  readonly message: string;
}
