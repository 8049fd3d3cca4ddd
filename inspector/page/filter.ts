import { changesOf } from './diff.ts';
import type { Moments } from './moments.ts';
import { stepLabel, typedText } from './values.ts';

/** A search for steps. */
export interface Filter {
  /** Words that must all be in the step. `''`: any step. */
  readonly text: string;
  /** `null`: any site. */
  readonly site: string | null;
  /** The name of an event, as `stepLabel` gives it. `null`: any event. */
  readonly event: string | null;
}

export const everyStep: Filter = { text: '', site: null, event: null };

export function isFiltering({ text, site, event }: Filter): boolean {
  return text.trim() !== '' || site !== null || event !== null;
}

/** The names of all events of a run, in alphabetical order. */
export function eventsOf({ timeline }: Moments): readonly string[] {
  return [...new Set(timeline.steps.map(stepLabel))].sort();
}

/** Tells whether the step that led to `moment` matches. */
export function matches(moments: Moments, moment: number, { text, site, event }: Filter): boolean {
  const step = moments.timeline.steps[moment - 1]!;
  if (site !== null && step.site !== site) return false;
  if (event !== null && stepLabel(step) !== event) return false;
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const found = textOf(moments, moment);
  return words.every((word) => found.includes(word));
}

const known = new WeakMap<object, string>();

/** All words of a step in lower case: its description and the changed variables. */
function textOf(moments: Moments, moment: number): string {
  const step = moments.timeline.steps[moment - 1]!;
  const before = known.get(step);
  if (before !== undefined) return before;
  const changed = changesOf(moments, moment).map(({ path, now }) => `${path} ${now}`);
  const words = [step.text, step.kind, ...step.effects.map(typedText), ...changed].join(' ').toLowerCase();
  known.set(step, words);
  return words;
}
