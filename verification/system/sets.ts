import type { SiteId } from '../../machines/actor.ts';

/**
 * A set of ids as a value that contexts and messages may carry. It has no order, and so survives the renaming of actors that
 * are interchangeable: a list of ids does not.
 */
export type IdSet = Readonly<Record<SiteId, true>>;

export const setOf = (...ids: readonly SiteId[]): IdSet => Object.fromEntries(ids.map((id) => [id, true]));

export const adding = (set: IdSet, ...ids: readonly SiteId[]): IdSet => ({ ...set, ...setOf(...ids) });

export const removing = (set: IdSet, ...ids: readonly SiteId[]): IdSet =>
  Object.fromEntries(Object.entries(set).filter(([id]) => !ids.includes(id)));

export const isIn = (set: IdSet, id: SiteId): boolean => Object.hasOwn(set, id);

export const sizeOf = (set: IdSet): number => Object.keys(set).length;

/** Is it more than half of `of`, a number of sites? Any two such sets have a site in common. */
export const isMajority = (set: IdSet, of: number): boolean => sizeOf(set) * 2 > of;
