import type { Moments } from './moments.ts';
import { contextOf } from './values.ts';

/** The beginning of an epoch, and the steps that led to it. */
export interface EpochChange {
  readonly epoch: number;
  /** The moment at which a first site follows it. */
  readonly moment: number;
  readonly site: string;
  readonly root: string | null;
  /** Sites that were lost since the epoch before: they crashed, or began again. */
  readonly lost: readonly string[];
  /** Sites of a watched run to which the connection ended since then. */
  readonly away: readonly string[];
  /** Sites that stood for election since then. */
  readonly candidates: readonly string[];
  /** Sites whose votes the winner received; its own is not a message. */
  readonly voters: readonly string[];
}

/** The epochs that begin in a run, in their order. */
export function epochsOf(moments: Moments): readonly EpochChange[] {
  const { timeline } = moments;
  const begun = new Map<number, { moment: number; site: string }>();
  for (const { id } of timeline.sites) {
    const history = moments.siteHistory(id);
    let before = epochIn(history.values[0]!);
    for (const [index, state] of history.values.entries()) {
      const epoch = epochIn(state);
      const moment = history.moments[index]!;
      if (
        epoch !== null &&
        before !== null &&
        epoch > before &&
        moment < (begun.get(epoch)?.moment ?? Number.POSITIVE_INFINITY)
      ) {
        begun.set(epoch, { moment, site: id });
      }
      before = epoch ?? before;
    }
  }
  const sorted = [...begun].sort(([, one], [, other]) => one.moment - other.moment);
  return sorted.map(([epoch, { moment, site }], index) => {
    const since = sorted[index - 1]?.[1].moment ?? 0;
    const steps = timeline.steps.slice(since, moment);
    const of = (kinds: readonly string[]) =>
      steps.filter(({ kind }) => kinds.includes(kind)).map((step) => step.site);
    const votes = steps.filter(
      (step) => step.site === site && step.event?.type === 'VOTE' && step.event['epoch'] === epoch,
    );
    const { root } = contextOf(moments.site(site, moment));
    return {
      epoch,
      moment,
      site,
      root: typeof root === 'string' ? root : null,
      lost: unique(of(['crash', 'restart'])),
      away: unique(of(['gone'])),
      candidates: unique(steps.filter(({ event }) => event?.type === 'suspect').map((step) => step.site)),
      voters: unique(votes.map(({ event }) => String(event!['voter']))),
    };
  });
}

function epochIn(state: Parameters<typeof contextOf>[0]): number | null {
  const { epoch } = contextOf(state);
  return typeof epoch === 'number' ? epoch : null;
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}

/** `b was lost; c stood for election; votes of a, c; the root is c`. */
export function causeText({ site, root, lost, away, candidates, voters }: EpochChange): string {
  const gone = away.filter((id) => !lost.includes(id));
  const parts = [
    ...(lost.length === 0 ? [] : [`${lost.join(', ')} ${lost.length === 1 ? 'was' : 'were'} lost`]),
    ...(gone.length === 0
      ? []
      : [`${gone.join(', ')} ${gone.length === 1 ? 'does' : 'do'} not answer any more`]),
    ...(candidates.length === 0 ? [] : [`${candidates.join(', ')} stood for election`]),
    ...(voters.length === 0 ? [] : [`votes of ${voters.join(', ')}`]),
    ...(root === null ? [] : [`the root is ${root}`]),
  ];
  return parts.length === 0 ? `${site} follows it; its cause was not seen` : parts.join('; ');
}
