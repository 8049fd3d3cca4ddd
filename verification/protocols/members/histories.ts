import type { NamedAction, SiteId } from '../../../machines/actor.ts';
import type { Configuration } from '../../../machines/members/configuration.ts';
import type { MembersEffect } from '../../../machines/members/messages.ts';
import type { History } from '../../system/system.ts';
import type { LockEffect } from './lock.ts';

/* The history that S7 to S9 need and that no site keeps. */

type Place = Pick<Configuration, 'term' | 'version'>;

export interface Written {
  readonly configuration: Configuration;
  readonly parent: Place;
  readonly by: SiteId;
}

export interface Election {
  readonly epoch: number;
  readonly by: SiteId;
  readonly under: Place;
}

export interface Memory {
  /** Every configuration but the first, as it was written. */
  readonly written: readonly Written[];
  readonly committed: readonly Place[];
  /** The coordinators of all terms, each as `term site`. */
  readonly coordinators: readonly string[];
  /** For a candidacy, as `epoch site`: the highest epoch that was decided before it began. */
  readonly floors: Readonly<Record<string, number>>;
  readonly elections: readonly Election[];
  /** The sites that were granted the token of epoch 0. */
  readonly first: readonly SiteId[];
}

const none: Memory = { written: [], committed: [], coordinators: [], floors: {}, elections: [], first: [] };

type Heard = NamedAction &
  (Extract<MembersEffect, { type: 'written' | 'committed' | 'coordinates' }> | LockEffect);

export const memory: History = {
  initial: none,
  effects: ['written', 'committed', 'coordinates', 'stood', 'elected', 'firstGrant'],
  after: (history, site, effects) =>
    (effects as readonly Heard[]).reduce((now, effect) => remember(now, site, effect), history as Memory),
};

function remember(memory: Memory, by: SiteId, effect: Heard): Memory {
  switch (effect.type) {
    case 'written': {
      const { configuration, parent } = effect;
      return { ...memory, written: withOne(memory.written, { configuration, parent: placeOf(parent), by }) };
    }
    case 'committed':
      return { ...memory, committed: withOne(memory.committed, placeOf(effect.configuration)) };
    case 'coordinates':
      return { ...memory, coordinators: withOne(memory.coordinators, `${effect.term} ${by}`) };
    case 'stood': {
      const decided = Math.max(0, ...memory.elections.map(({ epoch }) => epoch));
      return { ...memory, floors: { ...memory.floors, [`${effect.epoch} ${by}`]: decided } };
    }
    case 'elected': {
      const { epoch, under } = effect;
      return { ...memory, elections: withOne(memory.elections, { epoch, by, under: placeOf(under) }) };
    }
    case 'firstGrant':
      return { ...memory, first: withOne(memory.first, by) };
  }
}

const placeOf = ({ term, version }: Place): Place => ({ term, version });

/** A set in one order, so that states that differ in when a thing happened are one. */
function withOne<Item>(items: readonly Item[], item: Item): readonly Item[] {
  const texts = new Map([...items, item].map((one) => [JSON.stringify(one), one] as const));
  return [...texts].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, one]) => one);
}
