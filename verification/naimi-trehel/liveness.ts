import { type Options, siteNames } from '../sites.ts';
import type { ActorView, Fairness, Property, StatePredicate } from '../system/system.ts';

/** No message stays on its way forever, and no critical section lasts forever. Clients need not ask. */
const deliveriesAndReleases: Fairness = {
  weak: (action) => {
    if (action.kind === 'deliver') {
      return `deliver ${action.source}->${action.actor} ${JSON.stringify(action.message)}`;
    }
    return action.kind === 'environment' && action.event.type === 'release'
      ? `release ${action.actor}`
      : null;
  },
};

/** Every site that waits enters, whatever the others do: one property a site. Violated with `unfair`. */
export function liveness(options: Options, fairness: Fairness = deliveriesAndReleases): readonly Property[] {
  return served(options, fairness, (site) => site.in('client.inCS'));
}

/** The same where a site may also stop waiting. */
export function leavingLiveness(
  options: Options,
  fairness: Fairness = deliveriesAndReleases,
): readonly Property[] {
  return served(options, fairness, (site) => site.in('client.inCS') || site.in('client.withdrawn'));
}

function served(
  options: Options,
  fairness: Fairness,
  isServed: (site: ActorView) => boolean,
): readonly Property[] {
  return siteNames(options).map((id) => {
    const of = (is: (site: ActorView) => boolean): StatePredicate => ({
      kind: 'some',
      is: (site) => site.id === id && is(site),
    });
    return {
      kind: 'leadsTo',
      name: `${id} is served`,
      from: of((site) => site.in('client.requesting')),
      to: of(isServed),
      fairness,
    };
  });
}

/** Anything may be put off forever: what the fairness above is needed for. */
export const unfair: Fairness = {};
