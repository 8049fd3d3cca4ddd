/**
 * What the page shows, whatever it came from: a counterexample, a recorded run, a path through a model, a live
 * cluster. Plain JSON, version 1. Moments are counted from 0, the start; moment `k` is right after step `k`.
 */
export interface Timeline {
  readonly version: 1;
  readonly title: string;
  /** Where it came from, in a few words; said under the title. */
  readonly about: string;
  readonly sites: readonly TimelineSite[];
  /** By the name that `TimelineSite.machine` uses. */
  readonly machines: Readonly<Record<string, Chart>>;
  readonly properties: readonly TimelineProperty[];
  /** The property that this run is about: its index. */
  readonly focus?: number;
  /** Paths of states, `client.inCS`, in which a site is in its critical section. */
  readonly critical: readonly string[];
  readonly start: Moment;
  readonly steps: readonly TimelineStep[];
  /** Every message of the run, in the order of sending. */
  readonly letters: readonly Message[];
  /** A lasso: after the last step all is as at this moment, and goes on from there for ever. */
  readonly loop?: number;
  /** What the reader must know of it, such as steps that the system does not take. */
  readonly notes?: readonly string[];
}

export interface TimelineSite {
  readonly id: string;
  /** `null`: its statechart is not known. */
  readonly machine: string | null;
}

export interface TimelineProperty {
  readonly name: string;
  readonly kind: string;
  /** The rule in words, where the name is an abbreviation. */
  readonly about?: string;
}

export interface Moment {
  readonly sites: Readonly<Record<string, SiteState>>;
  readonly verdicts: readonly Judgement[];
}

export interface SiteState {
  /** False while it is crashed. */
  readonly up: boolean;
  /** XState's state value; `null` while it is down. */
  readonly value: unknown;
  readonly context: unknown;
  readonly timers?: readonly string[];
  /** Why its machine failed. */
  readonly fault?: string;
  /** It is not watched now: this is how it was when it was last seen, if ever. */
  readonly unseen?: true;
}

/** `open`: nothing is owed or proved yet. `reason`: in words, which part is broken. */
export interface Judgement {
  readonly verdict: 'holds' | 'violated' | 'open';
  readonly reason?: string;
  /** The sites that are the broken part. */
  readonly sites?: readonly string[];
  /** The values that the property read at the moment from which on it is violated. */
  readonly reads?: readonly Read[];
}

/** One value that a property read, and what it was a moment before. */
export interface Read {
  /** `null`: the history variable, which belongs to no site. */
  readonly site: string | null;
  /** `in client.inCS`, a path in the context, `messages on their way`, ... */
  readonly path: string;
  readonly before: unknown;
  readonly now: unknown;
}

export interface TimelineStep {
  /**
   * `deliver`, `environment`, `timer`, `crash`, `restart`, `lose`, `duplicate`, `break`, ...; `unseen`: what the site
   * does from here on is not seen, until it is `seen` again.
   */
  readonly kind: string;
  /** Who took the step; of a lost message, to whom it was on its way. */
  readonly site: string;
  /** `b receives TOKEN from a`. */
  readonly text: string;
  /** Milliseconds since 1970 by the clock of the site, where that is known. */
  readonly at?: number;
  /** What the machine took; `null` when it took nothing. */
  readonly event: TypedValue | null;
  /** Index of the letter that arrived, or was lost. */
  readonly letter: number | null;
  readonly effects: readonly TypedValue[];
  /** Ids of the transitions taken, `ChartTransition.id`, in order. */
  readonly taken: readonly string[];
  /** The sites that changed, as they are now. */
  readonly sites: Readonly<Record<string, SiteState>>;
  /** The judgements that changed, by index of their property. */
  readonly verdicts: Readonly<Record<string, Judgement>>;
}

export interface TypedValue {
  readonly type: string;
  readonly [key: string]: unknown;
}

export interface Message {
  /** `null` where the network does not keep it. */
  readonly source: string | null;
  readonly target: string;
  readonly message: TypedValue;
  /** The moment at which it is on its way: 0 when it was sent at the start. */
  readonly sent: number;
  /** The moment at which it is no longer; `null`: it is under way at the end. */
  readonly ended: number | null;
  /** `unseen`: whether it arrived, and when, was not seen. */
  readonly fate: 'received' | 'lost' | 'under way' | 'unseen';
}

/** A statechart, as it is defined. */
export interface Chart {
  readonly id: string;
  readonly root: ChartState;
  readonly transitions: readonly ChartTransition[];
}

export interface ChartState {
  /** XState's id: `site.client.idle`. */
  readonly id: string;
  readonly key: string;
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  /** Key of the initial child. */
  readonly initial: string | null;
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly children: readonly ChartState[];
}

export interface ChartTransition {
  readonly id: string;
  readonly source: string;
  /** Ids of states; none: it stays where it is. */
  readonly targets: readonly string[];
  /** `''`: always. */
  readonly event: string;
  readonly guard: string | null;
  readonly actions: readonly string[];
}

/** A model that is walked by hand: the moments of the path so far, and what may happen next. */
export interface Explored {
  readonly timeline: Timeline;
  /** By moment: what may happen next. The index of what is picked is the next number of the path. */
  readonly choices: readonly (readonly Choice[])[];
  readonly path: readonly number[];
}

export interface Choice {
  readonly site: string;
  readonly kind: string;
  readonly text: string;
}

/** The shortest path to what was asked for; `null`: none was found, and `reason` says how sure that is. */
export interface Found {
  readonly path: readonly number[] | null;
  readonly reason: string;
}
