/**
 * The data that the page shows, for every source: a counterexample, a recorded run, a path through a model, a
 * live cluster. Plain JSON, version 1. Moments are counted from 0, the start. Moment `k` is right after step
 * `k`.
 */
export interface Timeline {
  readonly version: 1;
  readonly title: string;
  /** The source in a few words, shown under the title. */
  readonly about: string;
  readonly sites: readonly TimelineSite[];
  /** The charts, by the name in `TimelineSite.machine`. */
  readonly machines: Readonly<Record<string, Chart>>;
  readonly properties: readonly TimelineProperty[];
  /** Index of the property that this run is about. */
  readonly focus?: number;
  /** State paths, such as `client.inCS`, in which a site is in its critical section. */
  readonly critical: readonly string[];
  readonly start: Moment;
  readonly steps: readonly TimelineStep[];
  /** Every message of the run, in the order of sending. */
  readonly messages: readonly Message[];
  /**
   * For a lasso: after the last step the state is that of this moment, and the run repeats from there for
   * ever.
   */
  readonly loop?: number;
  /** For a live run: number of earlier steps that are no longer kept. */
  readonly forgotten?: number;
  /** Remarks for the reader, such as steps that the system does not take. */
  readonly notes?: readonly string[];
}

export interface TimelineSite {
  readonly id: string;
  /** `null`: its statechart is not known. */
  readonly machine: string | null;
  /** The kind of an actor that comes and goes. Several of a kind may be shown as one. */
  readonly group?: string;
  /** The sites that this one stands for. */
  readonly members?: readonly string[];
}

export interface TimelineProperty {
  readonly name: string;
  readonly kind: string;
  /** The rule in words, if the name is an abbreviation. */
  readonly about?: string;
}

export interface Moment {
  readonly sites: Readonly<Record<string, SiteState>>;
  readonly verdicts: readonly Judgement[];
}

export interface SiteState {
  /** False while it is crashed. */
  readonly up: boolean;
  /** XState's state value. `null` while it is down. */
  readonly value: unknown;
  readonly context: unknown;
  readonly timers?: readonly string[];
  /** The reason why its machine failed. */
  readonly fault?: string;
  /** The site is not watched now. The state is the last one seen, if any. */
  readonly unseen?: true;
  /** The connection to the site has ended, too. */
  readonly gone?: true;
  /**
   * In a live run: since when its client is as it is, so since when it holds or waits. Milliseconds since 1970, by the site's clock.
   */
  readonly since?: number;
  /** In a live run: its last candidacy, which may be the cause of an epoch that began before the first step. */
  readonly stood?: Candidacy;
}

/** A site stood for a new epoch. */
export interface Candidacy {
  readonly epoch: number;
  /** Milliseconds since 1970, by the site's clock. */
  readonly at: number;
  /** Its grounds, and the sites that it believed down, each with the grounds for that. */
  readonly because: { readonly reason: string; readonly down: Readonly<Record<string, string>> };
}

/** `open`: not decided yet. `reason` describes the violated part in words. */
export interface Judgement {
  readonly verdict: 'holds' | 'violated' | 'open';
  readonly reason?: string;
  /** The sites that are the violated part. */
  readonly sites?: readonly string[];
  /** The values that the property read at the moment from which on it is violated. */
  readonly reads?: readonly Read[];
}

/** One value that a property read, and the value one moment before. */
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
   * `deliver`, `environment`, `timer`, `start`, `crash`, `restart`, `lose`, `duplicate`, `break`, ... `unseen`: the
   * site's steps are not seen from here on, until it is `seen` again; `gone`: likewise, and the connection to
   * it has ended.
   */
  readonly kind: string;
  /** The site that took the step. For a lost message: its target. */
  readonly site: string;
  /** `b receives TOKEN from a`. */
  readonly text: string;
  /** Milliseconds since 1970 by the site's clock, if known. */
  readonly at?: number;
  /** The event that the machine took. `null` when it took none. */
  readonly event: TypedValue | null;
  /** Index of the message that arrived or was lost. */
  readonly message: number | null;
  readonly effects: readonly TypedValue[];
  /** Ids of the transitions taken, `ChartTransition.id`, in order. */
  readonly taken: readonly string[];
  /** The new states of the sites that changed. */
  readonly sites: Readonly<Record<string, SiteState>>;
  /** The judgements that changed, by index of their property. */
  readonly verdicts: Readonly<Record<string, Judgement>>;
}

export interface TypedValue {
  readonly type: string;
  readonly [key: string]: unknown;
}

export interface Message {
  /** `null` if the network does not keep it. */
  readonly source: string | null;
  readonly target: string;
  readonly message: TypedValue;
  /** The moment at which it is sent. 0: it was on its way at the start. */
  readonly sent: number;
  /** The moment at which it is no longer on its way. `null`: it is on its way at the end. */
  readonly ended: number | null;
  /** `unseen`: it is not known whether and when it arrived. */
  readonly fate: 'received' | 'lost' | 'under way' | 'unseen';
}

/** A statechart as it is defined. */
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
  /** Ids of the target states. Empty: no state changes. */
  readonly targets: readonly string[];
  /** `''`: always. */
  readonly event: string;
  readonly guard: string | null;
  readonly actions: readonly string[];
}

/** A model that is explored step by step: the moments of the path so far, and the possible next steps. */
export interface Explored {
  readonly timeline: Timeline;
  /**
   * For each moment: the possible next steps. The index of the chosen step is the next number of the path.
   */
  readonly choices: readonly (readonly Choice[])[];
  readonly path: readonly number[];
}

export interface Choice {
  readonly site: string;
  readonly kind: string;
  readonly text: string;
}

/**
 * The shortest path to the requested state. `null`: none was found, and `reason` tells how certain that is.
 */
export interface Found {
  readonly path: readonly number[] | null;
  readonly reason: string;
}
