import type { SiteState } from '../../verification/timeline/format.ts';
import type { Moments } from './moments.ts';
import { contextOf, regionsOf } from './values.ts';

/** A value as JSON, except that a plain word stands without quotes. `[]`, `""`, `null` and `"1"` differ. */
export function literal(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return isWord(value) ? value : JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  const fields = Object.entries(value);
  if (isSet(value)) return `{${fields.map(([key]) => key).join(', ')}}`;
  return `{${fields.map(([key, one]) => `${key}: ${literal(one)}`).join(', ')}}`;
}

function isWord(text: string): boolean {
  return (
    /^[\p{L}_][\p{L}\p{N}_.:@-]*$/u.test(text) && !['true', 'false', 'null', 'NaN', 'Infinity'].includes(text)
  );
}

/** Tells whether the object is the JSON form of a set. */
export function isSet(value: object): boolean {
  const members = Object.values(value);
  return members.length > 0 && members.every((one) => one === true);
}

/** Tells whether the value is shown as a tree of its fields instead of one line. */
export function isTree(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const parts = Object.values(value);
  if (parts.length === 0) return false;
  return Array.isArray(value)
    ? parts.some((part) => typeof part === 'object' && part !== null)
    : !isSet(value);
}

/** All values of a site, by path: its regions, then the leaves of its context. */
export function leavesOf(state: SiteState): ReadonlyMap<string, string> {
  const leaves = new Map<string, string>();
  if (!state.up) return leaves.set('state', 'down');
  for (const [region, inner] of Object.entries(regionsOf(state.value))) leaves.set(region, inner);
  const add = (value: unknown, path: string): void => {
    if (!isTree(value)) leaves.set(path, literal(value));
    else for (const [key, inner] of Object.entries(value)) add(inner, `${path}.${key}`);
  };
  for (const [key, value] of Object.entries(contextOf(state))) if (key !== 'self') add(value, key);
  if (state.fault !== undefined) leaves.set('fault', state.fault);
  return leaves;
}

export interface Change {
  readonly site: string;
  readonly path: string;
  /** `''`: the value did not exist, or no longer exists. */
  readonly before: string;
  readonly now: string;
}

/** The changes of the step that led to `moment`. */
export function changesOf(moments: Moments, moment: number): readonly Change[] {
  const step = moments.timeline.steps[moment - 1];
  if (step === undefined) return [];
  return Object.keys(step.sites).flatMap((site) => {
    const before = leavesOf(moments.site(site, moment - 1));
    const now = leavesOf(moments.site(site, moment));
    return [...new Set([...now.keys(), ...before.keys()])].flatMap((path) => {
      const [was, is] = [before.get(path) ?? '', now.get(path) ?? ''];
      return was === is ? [] : [{ site, path, before: was, now: is }];
    });
  });
}
