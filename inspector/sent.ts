import type { SiteState, Timeline, TimelineStep } from '../verification/timeline/format.ts';
import type { Laid } from './protocol.ts';

/**
 * A laid timeline as it is sent. Equal states, events, effects and lists of transitions stand once in `values`, and each step has
 * their indices: a long run becomes a third as long, and the page keeps each value once.
 */
export interface SentLaid extends Omit<Laid, 'timeline'> {
  readonly timeline: Omit<Timeline, 'steps'> & { readonly steps: readonly SentStep[] };
  readonly values: readonly unknown[];
}

interface SentStep extends Omit<TimelineStep, 'event' | 'effects' | 'taken' | 'sites'> {
  readonly event: number;
  readonly effects: number;
  readonly taken: number;
  readonly sites: Readonly<Record<string, number>>;
}

export function sent({ timeline, plans }: Laid): SentLaid {
  const values: unknown[] = [];
  const indices = new Map<string, number>();
  const indexOf = (value: unknown): number => {
    const text = JSON.stringify(value);
    const known = indices.get(text);
    if (known !== undefined) return known;
    indices.set(text, values.length);
    return values.push(value) - 1;
  };
  const steps = timeline.steps.map((step) => ({
    ...step,
    event: indexOf(step.event),
    effects: indexOf(step.effects),
    taken: indexOf(step.taken),
    sites: Object.fromEntries(Object.entries(step.sites).map(([id, state]) => [id, indexOf(state)])),
  }));
  return { timeline: { ...timeline, steps }, plans, values };
}

/** The timeline that was sent. Equal values are one object. */
export function received({ timeline, plans, values }: SentLaid): Laid {
  const steps = timeline.steps.map((step): TimelineStep => {
    const sites: Record<string, SiteState> = {};
    for (const [id, index] of Object.entries(step.sites)) sites[id] = values[index] as SiteState;
    return {
      ...step,
      event: values[step.event] as TimelineStep['event'],
      effects: values[step.effects] as TimelineStep['effects'],
      taken: values[step.taken] as TimelineStep['taken'],
      sites,
    };
  });
  return { timeline: { ...timeline, steps }, plans };
}
