import type { SiteState } from '../../verification/timeline/format.ts';
import type { Moments } from './moments.ts';
import { contextOf, regionsOf } from './values.ts';

/** The pointers between sites, by the names of the algorithm's variables. */
export interface Pointers {
  /** `undefined`: this site has no such variable. `null`: no site. */
  readonly last: string | null | undefined;
  readonly next: string | null | undefined;
  /** The sites that get the token after this one, as far as it knows them: its `line`, or `next` alone. */
  readonly line: readonly string[];
  readonly token: boolean;
}

export function pointersOf(state: SiteState, ids: ReadonlySet<string>): Pointers {
  if (!state.up) return { last: undefined, next: undefined, line: [], token: false };
  const context = contextOf(state);
  const { line } = context;
  const next = pointer(Array.isArray(line) ? (line[0] ?? null) : context['next'], ids);
  return {
    last: pointer(context['last'], ids),
    next,
    line: Array.isArray(line) ? line.filter((id) => ids.has(id)) : typeof next === 'string' ? [next] : [],
    token: context['token'] === true || context['hastoken'] === true,
  };
}

function pointer(value: unknown, ids: ReadonlySet<string>): string | null | undefined {
  if (value === null) return null;
  return typeof value === 'string' && ids.has(value) ? value : undefined;
}

const known = new WeakMap<Moments, boolean>();

/** Tells whether the system has such variables. */
export function hasPointers(moments: Moments): boolean {
  const before = known.get(moments);
  if (before !== undefined) return before;
  const found = findPointers(moments);
  known.set(moments, found);
  return found;
}

/** The word for one line of the run: the sites of a lock, or the actors of any other system. */
export function actorWord(moments: Moments): 'site' | 'actor' {
  return hasPointers(moments) ? 'site' : 'actor';
}

/** An expression about the run, for an empty field: `a in client.inCS`. */
export function exampleOf(moments: Moments): string {
  if (hasPointers(moments)) return 'a.next, a in client.inCS';
  const { sites } = moments.timeline;
  for (const { id } of sites) {
    const [region, state] = Object.entries(regionsOf(moments.site(id, 0).value))[0] ?? [];
    if (region !== undefined) return `${id} in ${region === 'state' ? state : `${region}.${state}`}`;
  }
  return `${sites[0]?.id ?? 'a'}.variable`;
}

function findPointers(moments: Moments): boolean {
  // A site that is not seen at first has no variables then.
  return moments.timeline.sites.some(({ id }) =>
    moments
      .siteHistory(id)
      .values.slice(0, 8)
      .some((state) => {
        const context = contextOf(state);
        return 'last' in context || 'next' in context || 'line' in context;
      }),
  );
}

/** The distance of each site from its root along `last`. `null`: it is on a circle or leads into one. */
export function depths(
  last: ReadonlyMap<string, string | null | undefined>,
): ReadonlyMap<string, number | null> {
  const found = new Map<string, number | null>();
  const depthOf = (id: string, below: readonly string[]): number | null => {
    const known = found.get(id);
    if (known !== undefined) return known;
    if (below.includes(id)) return null;
    const to = last.get(id);
    const above = to === null || to === undefined || to === id ? -1 : depthOf(to, [...below, id]);
    const depth = above === null ? null : above + 1;
    found.set(id, depth);
    return depth;
  };
  for (const id of last.keys()) depthOf(id, []);
  return found;
}
