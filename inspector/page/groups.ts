import type { SiteState, Timeline, TimelineStep } from '../../verification/timeline/format.ts';
import { regionsOf } from './values.ts';

/** Actors of one kind that come and go. */
export interface Group {
  readonly name: string;
  readonly members: readonly string[];
}

/** Fewer are shown one by one. */
const leastMembers = 4;

export function groupsOf({ sites }: Timeline): readonly Group[] {
  const groups = new Map<string, string[]>();
  for (const { id, group } of sites)
    if (group !== undefined) groups.set(group, [...(groups.get(group) ?? []), id]);
  return [...groups]
    .filter(([, members]) => members.length >= leastMembers)
    .map(([name, members]) => ({ name, members }));
}

/**
 * The run with each of `groups` as one line: its state is the number of members in each state, its steps and messages are
 * those of all members.
 */
export function folded(timeline: Timeline, groups: readonly Group[]): Timeline {
  if (groups.length === 0) return timeline;
  const idOf = new Map(groups.flatMap((group) => group.members.map((member) => [member, idFor(group)])));
  const shown = (id: string) => idOf.get(id) ?? id;
  /** The states of the members so far, by group. */
  const states = new Map(
    groups.map((group) => [
      idFor(group),
      new Map(group.members.map((member) => [member, timeline.start.sites[member]!])),
    ]),
  );
  const sitesOf = (sites: Readonly<Record<string, SiteState>>): Record<string, SiteState> => {
    const after: Record<string, SiteState> = {};
    const touched = new Set<string>();
    for (const [id, state] of Object.entries(sites)) {
      const group = idOf.get(id);
      if (group === undefined) after[id] = state;
      else touched.add(group);
      states.get(group ?? '')?.set(id, state);
    }
    for (const group of touched) after[group] = together([...states.get(group)!.values()]);
    return after;
  };
  const start = { ...timeline.start, sites: sitesOf(timeline.start.sites) };
  const steps = timeline.steps.map(
    (step): TimelineStep => ({
      ...step,
      site: shown(step.site),
      sites: sitesOf(step.sites),
      taken: idOf.has(step.site) ? [] : step.taken,
    }),
  );
  return {
    ...timeline,
    sites: [
      ...timeline.sites.filter(({ id }) => !idOf.has(id)),
      ...groups.map((group) => ({ id: idFor(group), machine: null, members: group.members })),
    ],
    start,
    steps,
    messages: timeline.messages.map((message) => ({
      ...message,
      source: message.source === null ? null : shown(message.source),
      target: shown(message.target),
    })),
  };
}

const idFor = ({ name, members }: Group) => `${name} × ${members.length}`;

/** `{ there: 3, 'in open': 2, 'in done': 1 }`. */
function together(states: readonly SiteState[]): SiteState {
  const there = states.filter(({ up }) => up);
  const counts: Record<string, number> = { there: there.length };
  for (const { value } of there)
    for (const [region, state] of Object.entries(regionsOf(value))) {
      const key = region === 'state' ? `in ${state}` : `in ${region} ${state}`;
      counts[key] = (counts[key] ?? 0) + 1;
    }
  return { up: there.length > 0, value: null, context: counts };
}
