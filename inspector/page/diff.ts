import type { SiteState } from '../../verification/timeline/format.ts';
import type { Moments } from './moments.ts';
import { contextOf, isTree, literal, regionsOf } from './values.ts';

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
