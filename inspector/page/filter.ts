import { changesOf } from './diff.ts';
import type { Moments } from './moments.ts';
import { typedText } from './values.ts';

/** A search for steps. */
export interface Filter {
  /** Words that must all be in the step. `''`: any step. */
  readonly text: string;
  /** `null`: any site. */
  readonly site: string | null;
}

export const everyStep: Filter = { text: '', site: null };

export function isFiltering({ text, site }: Filter): boolean {
  return text.trim() !== '' || site !== null;
}

/** Tells whether the step that led to `moment` matches. */
export function matches(moments: Moments, moment: number, { text, site }: Filter): boolean {
  const step = moments.timeline.steps[moment - 1]!;
  if (site !== null && step.site !== site) return false;
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
