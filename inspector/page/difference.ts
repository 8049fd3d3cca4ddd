import { type Change, leavesOf } from './diff.ts';
import type { Moments } from './moments.ts';

/** The first place at which two runs are not the same. */
export interface Difference {
  /** The moment of the first step that differs. 0: they begin differently. */
  readonly moment: number;
  readonly text: string;
}

/** Compares the starts, then each step: its site, its event, and the values after it. Times of day are not compared. */
export function firstDifference(one: Moments, other: Moments): Difference | null {
  const begun = differencesAt(one, other, 0);
  if (begun.length > 0) return { moment: 0, text: `they begin differently: ${changeText(begun[0]!)}` };
  const both = Math.min(one.last, other.last);
  for (let moment = 1; moment <= both; moment++) {
    const [here, there] = [one.timeline.steps[moment - 1]!, other.timeline.steps[moment - 1]!];
    if (here.site !== there.site || here.kind !== there.kind || !isSame(here.event, there.event))
      return { moment, text: `step ${moment}: here ${here.text}; beside, ${there.text}` };
    const sites = new Set([...Object.keys(here.sites), ...Object.keys(there.sites)]);
    const [first] = differencesAt(one, other, moment, sites);
    if (first !== undefined)
      return { moment, text: `step ${moment}: ${here.text} in both, then ${changeText(first)}` };
  }
  if (one.last === other.last) return null;
  const longer = one.last > other.last ? 'this run' : 'the one beside it';
  return { moment: both + 1, text: `the first ${both} steps are the same, and ${longer} goes on` };
}

/** The values that differ at one moment: `now` in the first run, `before` in the other. A run that is over stays at its end. */
export function differencesAt(
  one: Moments,
  other: Moments,
  moment: number,
  sites: Iterable<string> = new Set([...idsOf(one), ...idsOf(other)]),
): readonly Change[] {
  const [here, there] = [new Set(idsOf(one)), new Set(idsOf(other))];
  return [...sites].flatMap((site) => {
    if (!here.has(site) || !there.has(site)) {
      const said = (is: boolean) => (is ? 'there' : 'not in this run');
      return [{ site, path: 'state', now: said(here.has(site)), before: said(there.has(site)) }];
    }
    const now = leavesOf(one.site(site, Math.min(moment, one.last)));
    const before = leavesOf(other.site(site, Math.min(moment, other.last)));
    return [...new Set([...now.keys(), ...before.keys()])].flatMap((path) => {
      const [is, was] = [now.get(path) ?? '', before.get(path) ?? ''];
      return is === was ? [] : [{ site, path, before: was, now: is }];
    });
  });
}

function changeText({ site, path, before, now }: Change): string {
  return `${site}.${path} is ${now === '' ? 'nothing' : now} here and ${before === '' ? 'nothing' : before} beside`;
}

const idsOf = ({ timeline }: Moments) => timeline.sites.map(({ id }) => id);
const isSame = (one: unknown, other: unknown) =>
  one === other || JSON.stringify(one) === JSON.stringify(other);
