import { messages, weakly } from '../../system/properties.ts';
import type { ActorView, Fairness, Property, StatePredicate } from '../../system/system.ts';
import { sectionEnds } from '../row.ts';
import { type Options, siteNames } from '../sites.ts';

/** No message stays on its way forever, and no critical section lasts forever. Clients need not ask. */
const deliveriesAndEnds = weakly(messages, sectionEnds);

/** Every site that waits enters, whatever the others do: one property a site. Violated with `unfair`. */
export function liveness(options: Options, fairness: Fairness = deliveriesAndEnds): readonly Property[] {
  return served(options, fairness, (site) => site.in('client.inCS'));
}

/** The same where a site may also stop waiting. */
export function leavingLiveness(
  options: Options,
  fairness: Fairness = deliveriesAndEnds,
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
