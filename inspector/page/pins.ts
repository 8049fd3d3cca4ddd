import type { SiteState } from '../../verification/timeline/format.ts';
import type { Moments } from './moments.ts';
import { contextOf, isIn, literal, regionsOf } from './values.ts';

/** An expression that is evaluated at every moment: `a.lease.since`, `a.client`, or `a in client.inCS`. */
export interface Pin {
  readonly text: string;
  readonly site: string;
  readonly valueIn: (state: SiteState) => string;
}

/** A value from one moment until the next in the list. */
export interface Segment {
  readonly from: number;
  readonly value: string;
}

const form = /^(?:\.(\S+)|\s+in\s+(\S+))$/;

/** Parses an expression. Returns the reason if it is invalid. */
export function pinOf(text: string, sites: readonly string[]): Pin | string {
  const isOf = (site: string) => text.trim().startsWith(site) && form.test(text.trim().slice(site.length));
  // A name may contain spaces and points, and may begin with another name.
  const id = sites.filter(isOf).sort((one, other) => other.length - one.length)[0];
  if (id === undefined) {
    const [, named] = /^(.+?)(?:\.\S+|\s+in\s+\S+)$/.exec(text.trim()) ?? [];
    return named === undefined
      ? 'expected NAME.VARIABLE or NAME in STATE, such as a.next or a in client.inCS'
      : `there is no ${named}; there is ${sites.join(', ')}`;
  }
  const [, path, state] = form.exec(text.trim().slice(id.length))!;
  const valueIn = (one: SiteState): string => {
    if (one.unseen) return '?';
    if (!one.up) return 'down';
    return state === undefined ? valueAt(one, path!) : String(isIn(one.value, state));
  };
  return { text: text.trim(), site: id, valueIn };
}

function valueAt(state: SiteState, path: string): string {
  const region = regionsOf(state.value)[path];
  if (region !== undefined) return region;
  const value = path
    .split('.')
    .reduce<unknown>(
      (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
      contextOf(state),
    );
  return value === undefined ? '(none)' : literal(value);
}

/** The successive values of a pinned expression. */
export function segmentsOf(moments: Moments, { site, valueIn }: Pin): readonly Segment[] {
  const { moments: times, values } = moments.siteHistory(site);
  const segments: Segment[] = [];
  for (const [index, from] of times.entries()) {
    const value = valueIn(values[index]!);
    if (segments.at(-1)?.value !== value) segments.push({ from, value });
  }
  return segments;
}
