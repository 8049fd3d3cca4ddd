import type { Suspicion } from '../machines/epoch/messages.ts';
import type { LockReport, LockReports } from '../runtime/api/lock-report.ts';
import type { Membership } from '../runtime/api/members.ts';
import type { Explored as ExploredTimeline, Timeline } from '../verification/timeline/format.ts';
import type { SentLaid } from './sent.ts';

export type { Choice, Found } from '../verification/timeline/format.ts';
export type { LockReport, Suspicion };

/** A timeline as it is served: with its statecharts laid out. */
export interface Laid {
  readonly timeline: Timeline;
  /** The plans by the name of the chart, as in `timeline.machines`. */
  readonly plans: Readonly<Record<string, ChartPlan>>;
}

/** A path through a model as it is served. */
export interface Explored extends Laid, ExploredTimeline {}

/** The requests of the page to its server: JSON over same-origin GET. */

/** `GET api/sources`; a self-contained page carries it in itself. */
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
  /**
   * With a live cluster: another lock of it may be shown, `GET api/locks?like=TEXT` gives `Locks`, and
   * `GET api/table?like=TEXT` gives `LockTable`, and `GET api/members` gives `SiteMembers` of each site.
   */
  readonly locks?: true;
  /** For each chart, by its name: the transitions that no explored step took. */
  readonly never?: Readonly<Record<string, readonly string[]>>;
}

export interface Result {
  readonly name: string;
  readonly kind: string;
  readonly verdict: 'holds' | 'violated' | 'incomplete';
  readonly reason?: string;
}

/**
 * - `timeline`: `GET api/timeline/ID` gives `SentLaid`.
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

/** A lock that no site tells of any more while a site is silent, as it was last seen. */
export interface SeenLock extends LockReport {
  /** Time since it was last seen, in milliseconds. */
  readonly seenMs: number;
}

/** The locks of a watched cluster. */
export interface LockTable extends LockReports {
  readonly lastSeen: readonly SeenLock[];
}

/** The members as the site knows them whose watch port is at `url`, or why it does not say. */
export type SiteMembers = { readonly url: string } & (
  | { readonly membership: Membership }
  | { readonly reason: string }
);

/** The content of a self-contained page: an element of this id, with JSON of this shape. */
export const embeddedId = 'baton-embedded';

export interface Embedded {
  readonly sources: Sources;
  readonly timelines: Readonly<Record<string, SentLaid>>;
}

/**
 * The frames of a live source. `whole` comes first, and again if the page was too slow for all of them; `more` adds to it. `clocks`:
 * the time at each site when the frame was sent, by its own clock, in milliseconds since 1970; none of a site that does not answer.
 */
export type LiveFrame = { readonly clocks: Readonly<Record<string, number>> } & (
  | ({ readonly type: 'whole' } & Laid)
  | {
      readonly type: 'more';
      /** The number of steps that the page is to forget first, as `withoutFirst` does: the oldest. */
      readonly forget: number;
      /** The steps after those that the page has. */
      readonly steps: Timeline['steps'];
      /** Messages that are new, or are no longer under way, each with its index. */
      readonly messages: readonly (readonly [number, Timeline['messages'][number]])[];
    }
);

/** The code with which the server closes a live connection that it refuses or cannot go on with, and says why. */
export const cannotBeShown = 1008;

/** Every refusal, with a status of 4xx. */
export interface Problem {
  readonly code: string;
  readonly message: string;
}

/** A statechart laid out, in pixels at scale 1. The page arranges its parts as its panel has room. */
export interface ChartPlan {
  /** The texts in a parallel root, whose regions are the parts. `null`: the one part is the whole. */
  readonly header: { readonly lines: readonly PlanLine[]; readonly height: number } | null;
  readonly parts: readonly ChartPart[];
}

/** A state with all that is in it, laid out from the top down, and from the left to the right. */
export interface ChartPart {
  readonly id: string;
  readonly ways: readonly LaidOut[];
  /** The same for a place with less room: the states and the arrows, without the names of events. */
  readonly bare: readonly LaidOut[];
}

export interface LaidOut {
  readonly width: number;
  readonly height: number;
  /** Outer ones before inner ones. */
  readonly states: readonly PlacedState[];
  readonly arrows: readonly PlacedArrow[];
}

export interface PlacedState {
  readonly id: string;
  readonly box: Box;
  /** Lines for transitions that need no arrow: they stay, or go from a state to one within it. */
  readonly lines: readonly PlanLine[];
}

/** All transitions from one state to another, by their ids. */
export interface PlacedArrow {
  readonly id: string;
  readonly transitions: readonly string[];
  readonly points: readonly Point[];
  readonly label: Box;
  readonly lines: readonly PlanLine[];
}

/** A line of text; `y`: of its base line, below the top of what it stands in. */
export interface PlanLine {
  readonly parts: readonly PlanText[];
  readonly y: number;
}

/** The name of an event, and the transitions that take it where it stands. */
export interface PlanText {
  readonly text: string;
  readonly transitions: readonly string[];
}

export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The name of an event as a chart shows it. */
export function eventName(event: string): string {
  return event === '' ? 'always' : event.replace(/^xstate\.after\.([^.]+)\..*$/, 'after $1');
}
