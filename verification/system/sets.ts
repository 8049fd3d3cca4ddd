import type { SiteId } from '../../machines/actor.ts';

/**
 * A set of ids as a value that contexts and messages may carry. It has no order, and so survives the renaming of actors that
 * are interchangeable: a list of ids does not.
 */
export type IdSet = Readonly<Record<SiteId, true>>;

/** The set of these ids. */
export const setOf = (...ids: readonly SiteId[]): IdSet => Object.fromEntries(ids.map((id) => [id, true]));

/** `set` with these ids as well. */
export const adding = (set: IdSet, ...ids: readonly SiteId[]): IdSet => ({ ...set, ...setOf(...ids) });

/** `set` without these ids. */
export const removing = (set: IdSet, ...ids: readonly SiteId[]): IdSet =>
  Object.fromEntries(Object.entries(set).filter(([id]) => !ids.includes(id)));

/** True when `id` is in `set`. */
export const isIn = (set: IdSet, id: SiteId): boolean => Object.hasOwn(set, id);

/** The number of ids in `set`. */
export const sizeOf = (set: IdSet): number => Object.keys(set).length;

/** True when `set` has more than half of `of` sites. Any two such sets have a site in common. */
export const isMajority = (set: IdSet, of: number): boolean => sizeOf(set) * 2 > of;
