import type { TimelineStep } from '../../verification/timeline/format.ts';
import type { Suspicion } from '../protocol.ts';
import type { Moments } from './moments.ts';
import { contextOf } from './values.ts';

/** A site that stood for election, and its grounds if the run tells them. */
export interface Candidacy {
  readonly site: string;
  readonly reason: string | null;
}

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
  readonly candidates: readonly Candidacy[];
  /** The peers that a candidate believed dead, each with the grounds for that. */
  readonly down: Readonly<Record<string, string>>;
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
    const suspicions = steps.filter(({ event }) => event?.type === 'suspect');
    const { root } = contextOf(moments.site(site, moment));
    return {
      epoch,
      moment,
      site,
      root: typeof root === 'string' ? root : null,
      lost: unique(of(['crash', 'restart'])),
      away: unique(of(['gone'])),
      ...(suspicions.length === 0 ? rememberedOf(moments, epoch) : causeOf(suspicions)),
      voters: unique(votes.map(({ event }) => String(event!['voter']))),
    };
  });
}

type Cause = Pick<EpochChange, 'candidates' | 'down'>;

function causeOf(suspicions: readonly TimelineStep[]): Cause {
  return {
    candidates: unique(suspicions.map((step) => step.site)).map((id) => ({
      site: id,
      reason: becauseOf(suspicions.find((step) => step.site === id)!)?.reason ?? null,
    })),
    down: Object.assign({}, ...suspicions.map((step) => becauseOf(step)?.down ?? {})),
  };
}

/** The candidacies for an epoch that the sites of a live run remember: nothing of that was seen. */
function rememberedOf(moments: Moments, epoch: number): Cause {
  const found = moments.timeline.sites.flatMap(({ id }) => {
    const { values } = moments.siteHistory(id);
    const stood = values.find((state) => state.stood?.epoch === epoch)?.stood;
    return stood === undefined ? [] : [{ site: id, ...stood }];
  });
  return {
    candidates: found.map(({ site, because }) => ({ site, reason: because.reason })),
    down: Object.assign({}, ...found.map(({ because }) => because.down)),
  };
}

/** The grounds of a candidacy, in records and live runs. */
function becauseOf({ event }: TimelineStep): Suspicion | null {
  return (event?.['because'] as Suspicion | undefined) ?? null;
}

export interface FirstEpoch {
  readonly epoch: number;
  /** `null`: no site remembers it. */
  readonly cause: string | null;
}

/**
 * The epoch in which a run with epochs begins, as far as it is seen. `null`: it has no epochs.
 */
export function firstEpoch(moments: Moments): FirstEpoch | null {
  const first = moments.timeline.sites.flatMap(
    ({ id }) =>
      moments
        .siteHistory(id)
        .values.map(epochIn)
        .find((epoch) => epoch !== null) ?? [],
  );
  if (first.length === 0) return null;
  const epoch = Math.min(...first);
  const cause = rememberedOf(moments, epoch);
  return { epoch, cause: cause.candidates.length === 0 ? null : causeText(cause) };
}

function epochIn(state: Parameters<typeof contextOf>[0]): number | null {
  const { epoch } = contextOf(state);
  return typeof epoch === 'number' ? epoch : null;
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}

const downWords: Readonly<Record<string, string>> = {
  refused: 'no process listens at its address',
  silent: 'it is silent',
  closed: 'it has closed',
  left: 'it has left',
};

/** Why a site stood for election, after its name. */
const reasonWords: Readonly<Record<string, string>> = {
  minority: 'it reached no majority of the voters',
  election: 'the election before did not end',
  restart: 'it had crashed in the epoch before',
  forgotten: 'no site remembered the lock',
  death: 'its callers waited, and a site had died',
  loss: 'a message about the lock was lost',
  patience: 'its callers had waited for long, and a site was down',
};

/** `b is down: no process listens at its address; c stood for election: ...; votes of a, c; the token begins at c`. */
export function changeText({ site, root, lost, away, voters, ...cause }: EpochChange): string {
  const isTold = (id: string) => Object.hasOwn(cause.down, id);
  const crashed = lost.filter((id) => !isTold(id));
  const gone = away.filter((id) => !isTold(id) && !lost.includes(id));
  const parts = [
    ...(crashed.length === 0 ? [] : [`${crashed.join(', ')} ${crashed.length === 1 ? 'was' : 'were'} lost`]),
    ...(gone.length === 0
      ? []
      : [`${gone.join(', ')} ${gone.length === 1 ? 'does' : 'do'} not answer any more`]),
    causeText(cause),
    ...(voters.length === 0 ? [] : [`votes of ${voters.join(', ')}`]),
    ...(root === null ? [] : [`the token begins at ${root}`]),
  ].filter((part) => part !== '');
  return parts.length === 0 ? `${site} follows it; its cause was not seen` : parts.join('; ');
}

function causeText({ candidates, down }: Cause): string {
  return [
    ...Object.entries(down).map(([id, why]) => `${id} is down: ${downWords[why] ?? why}`),
    ...candidates.map(
      ({ site, reason }) =>
        `${site} stood for election${reason === null ? '' : `: ${reasonWords[reason] ?? reason}`}`,
    ),
  ].join('; ');
}
