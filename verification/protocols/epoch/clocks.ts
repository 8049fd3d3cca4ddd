import type { NamedAction, SiteId } from '../../../machines/actor.ts';
import type { SiteSet } from '../../../machines/epoch/lease.ts';
import type { EpochEffect } from '../../../machines/epoch/messages.ts';
import type { History } from '../../system/system.ts';

/*
 * Time, for strict mode. No machine reads a clock, and no number of the model is a time: any timer may ring at any
 * moment. Clocks of bounded drift guarantee one thing: a lease ends before each promise that began after it, at any
 * site. So whenever a promise ends, all leases that were begun before it are over *in fact*, and they are from then
 * on, whether their sites have noticed or are stopped (SIGSTOP), crashed, or slow. Until then they are taken for
 * valid: every run of real clocks, and of leases that end earlier, is among these runs.
 *
 * The order of the effects `leaseTimer`, `promiseTimer` and `promiseEnded` alone decides this, and nothing that sites
 * or messages say: so a machine is found out that counts a lease from the wrong moment, or forgets its promise in a
 * crash.
 */

/** A lease, or the round of heartbeats that may become one, since its timer was set. */
interface Timer {
  readonly epoch: number;
  readonly round: number;
  /** The sites whose promises, as long as they have not ended, were begun (again) later. */
  readonly before: SiteSet;
  /** One of these has ended: so has this. */
  readonly over: boolean;
}

/** An entry for each site; `null` where there is none. */
export interface Clocks {
  readonly open: Readonly<Record<SiteId, Timer | null>>;
  readonly held: Readonly<Record<SiteId, Timer | null>>;
}

type Heard = Extract<
  EpochEffect,
  { type: 'leaseTimer' | 'leased' | 'leaseEnded' | 'promiseTimer' | 'promiseEnded' | 'persist' }
>;

export const clocks: History = {
  initial: { open: {}, held: {} } satisfies Clocks,
  effects: ['leaseTimer', 'leased', 'leaseEnded', 'promiseTimer', 'promiseEnded', 'persist'],
  after: (history, site, effects) =>
    effects.reduce((now, effect) => ticked(now, site, effect as NamedAction & Heard), history as Clocks),
};

export function holdsLease(history: unknown, site: SiteId): boolean {
  return (history as Clocks).held[site]?.over === false;
}

/** A lease, valid or over: a timer that will ring. */
export function hasTimer(history: unknown, site: SiteId): boolean {
  return (history as Clocks).held[site] != null;
}

function ticked(clocks: Clocks, site: SiteId, effect: Heard): Clocks {
  const { open, held } = clocks;
  switch (effect.type) {
    case 'leaseTimer': {
      const { epoch, round } = effect;
      return { open: { ...open, [site]: { epoch, round, before: {}, over: false } }, held };
    }
    case 'leased':
      return { open: { ...open, [site]: null }, held: { ...held, [site]: open[site] ?? null } };
    case 'leaseEnded':
      return of(clocks, site, (timer) => (timer.round === effect.round ? null : timer));
    case 'persist':
      return of(clocks, site, (timer) => (timer.epoch === effect.epoch ? timer : null));
    case 'promiseTimer':
      return all(clocks, (timer) =>
        timer.over ? timer : { ...timer, before: { ...timer.before, [site]: true } },
      );
    case 'promiseEnded':
      return all(clocks, (timer) => (site in timer.before ? { ...timer, before: {}, over: true } : timer));
  }
}

type Change = (timer: Timer) => Timer | null;

function of({ open, held }: Clocks, site: SiteId, change: Change): Clocks {
  const changed = (timers: Clocks['open']) => {
    const timer = timers[site];
    return timer ? { ...timers, [site]: change(timer) } : timers;
  };
  return { open: changed(open), held: changed(held) };
}

function all(clocks: Clocks, change: Change): Clocks {
  const sites = new Set([...Object.keys(clocks.open), ...Object.keys(clocks.held)]);
  return [...sites].reduce((now, site) => of(now, site, change), clocks);
}
