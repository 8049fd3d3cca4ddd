import type { ActorView, Property, StatePredicate } from '../../system/system.ts';
import type { Options } from '../sites.ts';
import { hasLeft, site, tokens, travelling } from './observed.ts';
import { always, happens, idsOf, leftKeepsNothing, reachable, rules } from './properties.ts';
import { nobodyPointsAtLeft, observe } from './structure.ts';

/** One site that is gone, in a sum that also counts other things. */
const GONE = 1 << 8;

const isReached = (actor: ActorView) => hasLeft(actor) && actor.inbox.length > 0;

/**
 * With sites that leave: a site that has left is outside of the rules, and nothing may point or travel to
 * it. The last one has nobody to hand the token to, and leaves with it.
 */
export function leavingProperties(options: Options): readonly Property[] {
  const { sites } = options;
  const haveLeft = (least: number): StatePredicate => ({
    kind: 'count',
    of: (actor) => (hasLeft(actor) ? 1 : 0),
    is: (sum) => sum >= least,
  });
  const properties: Property[] = [
    ...rules,
    always(
      'exactly one token, until all have left',
      {
        kind: 'count',
        of: (actor) => (hasLeft(actor) ? GONE : tokens(actor)),
        is: (sum) => sum % GONE === 1 || sum === sites * GONE,
      },
      (state) =>
        `of those who have not left, ${idsOf(state, (actor) => !hasLeft(actor) && tokens(actor) > 0) || 'nobody'} has one or gets one`,
    ),
    { kind: 'deadlockFree', name: 'no deadlock, until all have left', quiescent: haveLeft(sites) },
    leftKeepsNothing,
    always(
      'nothing travels to a site that has left',
      { kind: 'every', is: (actor) => !isReached(actor) },
      (state) => `something is on its way to ${idsOf(state, isReached)}`,
    ),
    always(
      'nobody points at a site that has left',
      { kind: 'relation', of: observe, holds: nobodyPointsAtLeft },
      (state) => `${idsOf(state, hasLeft)} has left, and is somebody's last or next`,
    ),
    always(
      'a leaver awaits the goodbyes that will come',
      {
        // No count: a mutant awaits fewer than none.
        kind: 'relation',
        of: (actor) =>
          (actor.in('client.leaving') ? site(actor).context.peers * GONE : 0) +
          travelling(actor, 'LEAVE') +
          travelling(actor, 'GOODBYE'),
        holds: (observed) => {
          const sum = observed.reduce((total, ofSite) => total + ofSite, 0);
          return Math.floor(sum / GONE) === sum % GONE;
        },
      },
      (state) => `${idsOf(state, (actor) => actor.in('client.leaving'))} awaits more or fewer`,
    ),
    ...happens(options),
    reachable('all have left', haveLeft(sites)),
  ];
  if (sites >= 3) {
    // With two sites, the other one's request is behind the token that the withdrawn one awaits.
    properties.push(
      reachable('a site that withdrew is passed by', {
        kind: 'some',
        is: (actor) => actor.in('client.withdrawn') && site(actor).context.next !== null,
      }),
    );
  }
  return properties;
}
