import type { NamedAction, SiteId } from '../../../machines/actor.ts';
import type { EpochEffect, Fence } from '../../../machines/epoch/messages.ts';
import type { History } from '../../system/system.ts';

/* The history that S2 to S5 need and that no site keeps. */

type Elected = Extract<EpochEffect, { type: 'elected' }>;

/** For each epoch, the voters that decided it, once for each time that it was won. */
export type Elections = Readonly<Record<number, readonly Elected['voters'][]>>;

export const elections: History = {
  initial: {},
  effects: ['elected'],
  after: (history, _, effects) => {
    const all: Record<number, readonly Elected['voters'][]> = { ...(history as Elections) };
    for (const { epoch, voters } of effects as readonly Elected[]) {
      all[epoch] = [...(all[epoch] ?? []), voters];
    }
    return all;
  },
};

/** The grants so far. */
export interface Grants {
  /** For each epoch, the number of entries that its tokens have counted. */
  readonly highest: Readonly<Record<number, number>>;
  /** For each site, the fence of its last grant. */
  readonly last: Readonly<Record<SiteId, Fence>>;
  /** A fence that was granted again. */
  readonly again: Fence | null;
  /** A fence that was granted where or when a higher one had been. */
  readonly fell: Fence | null;
  readonly lost: boolean;
}

const none: Grants = { highest: {}, last: {}, again: null, fell: null, lost: false };

/**
 * Within an epoch, `k` must rise with every grant, at whichever site: then no two are equal (S3), and along the token
 * they rise (S5). At one site they must rise across epochs too. Only a repetition of the highest fence of an epoch is
 * seen as equal; that of any other is seen as a fall. Either way one of the two rules is broken.
 */
export const grants: History = {
  initial: none,
  effects: ['grant', 'lost'],
  after: (history, site, effects) =>
    effects.reduce((now, effect) => granted(now, site, effect), history as Grants),
};

function granted(before: Grants, site: SiteId, { type, ...params }: NamedAction): Grants {
  if (type === 'lost') return { ...before, lost: true };
  const fence = (params as unknown as { readonly fence: Fence }).fence;
  const highest = before.highest[fence.epoch] ?? 0;
  const own = before.last[site];
  const rises = fence.k > highest && (own === undefined || isBelow(own, fence));
  return {
    ...before,
    highest: { ...before.highest, [fence.epoch]: Math.max(highest, fence.k) },
    last: { ...before.last, [site]: fence },
    again: before.again ?? (fence.k === highest ? fence : null),
    fell: before.fell ?? (rises ? null : fence),
  };
}

export function isBelow(left: Fence, right: Fence): boolean {
  return left.epoch < right.epoch || (left.epoch === right.epoch && left.k < right.k);
}
