import type { NamedAction, SiteId } from '../../../machines/actor.ts';
import type { EpochEffect } from '../../../machines/epoch/messages.ts';
import { always, relation } from '../../system/properties.ts';
import type { History, InFlight, Property } from '../../system/system.ts';
import { after, begun, type Overtaken } from '../line/overtaking.ts';

/* The bound of overtaking (R12) where epochs change: each epoch has a token and lines of its own. */

export interface OvertakenByEpoch {
  /** For each site, what it has promised: it drops what is below (R0). */
  readonly promised: Readonly<Record<SiteId, number>>;
  /** The epochs in which a site may still enter. */
  readonly epochs: Readonly<Record<number, Overtaken>>;
  /**
   * For each site that waits and has been in the line of a token, in whichever epoch, the entries by other sites since. `null`: not
   * counted.
   */
  readonly entries: Readonly<Record<SiteId, number>> | null;
}

type Effect = Extract<EpochEffect, { type: 'send' | 'grant' | 'elected' | 'persist' }>;

/**
 * Counts up to one above `most`, so that the states stay finite. `isAcross`: also the entries of all epochs together. The first of
 * `sites` is the founder.
 */
export function overtakingByEpoch(sites: readonly SiteId[], most: number, isAcross = false): History {
  return {
    initial: {
      promised: Object.fromEntries(sites.map((site) => [site, 0])),
      epochs: { 0: begun(sites[0]!) },
      entries: isAcross ? {} : null,
    } satisfies OvertakenByEpoch,
    effects: ['send', 'grant', 'elected', 'persist'],
    deliveries: ['REQUEST', 'TOKEN'],
    after: (history, site, effects, delivered) =>
      afterStep(
        history as OvertakenByEpoch,
        site,
        effects as readonly NamedAction[] as readonly Effect[],
        delivered,
        most + 1,
      ),
  };
}

function afterStep(
  before: OvertakenByEpoch,
  site: SiteId,
  effects: readonly Effect[],
  delivered: InFlight | null,
  cap: number,
): OvertakenByEpoch {
  const { epoch: arrived = -1 } = (delivered?.message ?? {}) as { readonly epoch?: number };
  const isDropped = arrived < before.promised[site]!;
  const promised = { ...before.promised };
  const epochs: Record<number, Overtaken> = { ...before.epochs };
  for (const effect of effects) {
    if (effect.type === 'persist') promised[site] = effect.promised;
    if (effect.type === 'elected') epochs[effect.epoch] = begun(effect.root);
  }
  const oldest = Math.min(...Object.values(promised));
  for (const epoch of Object.keys(epochs).map(Number)) {
    const own = effects.filter((effect) => epochOf(effect) === epoch);
    const taken = arrived === epoch && !isDropped ? delivered : null;
    // A site that has promised more enters no more.
    if (epoch < oldest) delete epochs[epoch];
    else if (own.length > 0 || taken)
      epochs[epoch] = after(epochs[epoch]!, site, own as readonly NamedAction[], taken, cap);
  }
  const entries = before.entries && across(before.entries, site, effects, Object.values(epochs), cap);
  return { promised, epochs, entries };
}

function across(
  before: Readonly<Record<SiteId, number>>,
  site: SiteId,
  effects: readonly Effect[],
  epochs: readonly Overtaken[],
  cap: number,
): Readonly<Record<SiteId, number>> {
  const grants = effects.filter(({ type }) => type === 'grant').length;
  const waiting = new Set([...Object.keys(before), ...epochs.flatMap(({ entries }) => Object.keys(entries))]);
  if (grants > 0) waiting.delete(site);
  return Object.fromEntries(
    [...waiting].sort().map((id) => [id, id in before ? Math.min(before[id]! + grants, cap) : 0]),
  );
}

/** The epoch of a message of the algorithm, or of an entry. */
function epochOf(effect: Effect): number | null {
  if (effect.type === 'grant') return effect.fence.epoch;
  if (effect.type !== 'send') return null;
  const { message } = effect;
  return message.type === 'REQUEST' || message.type === 'TOKEN' ? message.epoch : null;
}

/** R12: within an epoch, a request in the line of the token is overtaken by at most `most` entries of that epoch. */
export const boundedWithinEpochs = (most: number): Property =>
  always(
    'bounded overtaking',
    relation(
      () => 0,
      (_, history) =>
        Object.values((history as OvertakenByEpoch).epochs).every((epoch) =>
          Object.values(epoch.entries).every((entries) => entries <= most),
        ),
    ),
    ({ history }) =>
      `in each epoch, entries by others since a site stood in the line of the token: ${JSON.stringify(
        (history as OvertakenByEpoch).epochs,
      )}`,
  );

/** Not promised (R12): the entries of all epochs together. */
export const boundedAcrossEpochs = (most: number): Property =>
  always(
    'bounded overtaking across epochs',
    relation(
      () => 0,
      (_, history) =>
        Object.values((history as OvertakenByEpoch).entries ?? {}).every((entries) => entries <= most),
    ),
  );
