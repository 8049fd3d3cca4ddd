import { deliveries, events, ltl, some, weakly } from '../../system/properties.ts';
import type { ActorView, Fairness, Property, StatePredicate, System } from '../../system/system.ts';
import { sectionEnds } from '../row.ts';
import { follows, isInside, promiseOf, waits } from './observed.ts';
import { type EpochOptions, epoch } from './system.ts';

/** Nothing stays on its way for ever, sections end, and suspicion comes as long as an epoch is left. */
const quietInTheEnd: Fairness = weakly(deliveries, sectionEnds, events('suspect'));

/**
 * `epoch`, where the founder may crash as long as it has not promised the last epoch: that one is then decided
 * among sites that stay up, a majority. Its properties: each site that waits is served, whatever the others do.
 *
 * A bounded system cannot let suspicion go on until somebody wins, and so the one excuse is bad luck: the last
 * epoch is never decided, because two stood against each other. What lies between, back-off by chance (R10), makes
 * that improbable, not impossible, and no checker of possibilities can say so; see `possible.ts` for what it can.
 * Links are whole: a tail that is lost after the last change could only be made good by another one.
 */
export function epochLiveness(options: EpochOptions, fairness: Fairness = quietInTheEnd): System {
  const { changes = 1 } = options;
  const { actors, history: _, ...rest } = epoch(options);
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
