import { type Possibility, possible } from '../../check/possible.ts';
import { and, count, deliveries, events, every, ltl, some, weakly } from '../../system/properties.ts';
import type { ActorView, Fairness, Property, StatePredicate, System } from '../../system/system.ts';
import { sectionEnds } from '../row.ts';
import { follows, isInside, messages, promiseOf, putOffBy, tokens, waits } from './observed.ts';
import { type EpochOptions, epoch } from './system.ts';

/** Nothing stays on its way for ever, sections end, and suspicion comes as long as an epoch is left. */
const quietInTheEnd: Fairness = weakly(deliveries, sectionEnds, events('suspect'));

/**
 * `epoch`, where the founder may crash as long as it has not promised the last epoch: the last epoch is then decided
 * among sites that stay up, a majority. Its properties: each site that waits is served, whatever the others do.
 *
 * A bounded system cannot let suspicion go on until a candidate wins, and so the one excuse is bad luck: the last
 * epoch is never decided, because two stood against each other. Back-off by chance (R10) makes that improbable, not
 * impossible, and no checker of possibilities can express this; `possible.ts` has the properties that it can. Links
 * are whole: a tail that is lost after the last change could only be made good by another one.
 */
export function epochLiveness(options: EpochOptions, fairness: Fairness = quietInTheEnd): System {
  const { changes = 1 } = options;
  const { actors, history: _, ...rest } = epoch({ ...options, isSeen: true });
  const [founder] = Object.keys(actors);
  const early = { times: 1, when: (site: ActorView) => promiseOf(site) < changes };
  return {
    ...rest,
    name: 'epoch-liveness',
    actors: { ...actors, [founder!]: { ...actors[founder!]!, crash: early } },
    properties: Object.keys(actors).map((id) => isServed(id, changes, fairness)),
  };
}

function isServed(id: string, changes: number, fairness: Fairness): Property {
  const at = (is: (site: ActorView) => boolean): StatePredicate => some((site) => site.id === id && is(site));
  return ltl(
    `${id} is served`,
    'G (waits -> F (served | down | G (tried & !decided)))',
    {
      waits: at(waits),
      served: at(isInside),
      down: at(({ up }) => !up),
      tried: some((site) => promiseOf(site) === changes),
      decided: some((site) => follows(site) && promiseOf(site) === changes),
    },
    fairness,
  );
}

const at = (id: string, is: (site: ActorView) => boolean) => some((site) => site.id === id && is(site));

/** While a majority is up and an epoch is left, a waiting `id` can still be served; asked of every reachable state. */
function canBeServed(system: System, id: string, { sites, changes = 1 }: EpochOptions): Promise<Possibility> {
  const left = every((site) => Math.max(promiseOf(site), putOffBy(site)) < changes);
  const majority = count(
    ({ up }) => up,
    (standing) => 2 * standing > sites,
  );
  return possible(system, and(at(id, waits), left, majority), at(id, isInside));
}

/** `id` waits, missed the last epoch because its NEW was lost, and all others follow that epoch: it can still enter. */
function canJoin(system: System, id: string, { changes = 1 }: EpochOptions): Promise<Possibility> {
  const missed = (site: ActorView) =>
    waits(site) && promiseOf(site) < changes && messages(site).every(({ type }) => type !== 'NEW');
  const decided = (site: ActorView) => site.id === id || (follows(site) && promiseOf(site) === changes);
  const token = some((site) => site.id !== id && tokens(site).some(({ epoch }) => epoch === changes));
  return possible(system, and(at(id, missed), every(decided), token), at(id, isInside));
}

/** The states that must stay possible, by their names in docs/protocol.md. */
export const possibilities = {
  'a waiting site can still be served': canBeServed,
  'a site that missed the last epoch can still join it': canJoin,
} as const;
