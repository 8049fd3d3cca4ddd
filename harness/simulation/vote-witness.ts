import type { NamedAction } from '../../machines/actor.ts';
import type { SiteMessage } from '../../machines/epoch/messages.ts';
import type { SiteContext } from '../../machines/epoch/site.ts';
import type { EventLine } from '../../machines/record.ts';

type VoteRequest = Extract<SiteMessage, { readonly type: 'VOTE_REQUEST' }>;

/**
 * The rule of candidacies that this event breaks, or null: a candidate that is behind is told so (R10), a new configuration ends a candidacy
 * (M1), no site stands for an epoch at or below the base, and a vote is given in the configuration in which the candidate counts it (M3).
 */
export function brokenByVote({ site, event, effects, snapshot }: EventLine): string | null {
  const { epoch, promised, membership } = snapshot.context as unknown as SiteContext;
  const { base, term, version } = membership;
  for (const stoodFor of candidaciesOf(effects))
    if (stoodFor <= base) return `M3: ${site} stands for epoch ${stoodFor}, and the base is ${base}`;
  const isCandidate = (snapshot.value as { readonly epoch: string }).epoch === 'candidate';
  if (event.type === 'configured' && isCandidate)
    return `M1: the candidacy of ${site} for epoch ${promised} goes on in version ${version} of term ${term}`;
  if (event.type !== 'VOTE_REQUEST') return null;
  const request = event as VoteRequest;
  const what = `${request.candidate} for epoch ${request.epoch}`;
  const answers = sent(effects).map(({ type }) => type);
  // A vote raises the promise to the epoch of its candidate, so that this is about a request that was not worth one.
  const isBehind = request.epoch < promised || request.epoch === epoch;
  if (isBehind && !answers.includes('REFUSE'))
    return `R10: ${site} in epoch ${epoch}, which has promised ${promised}, does not refuse ${what}`;
  const isCountedHere = request.term === term && request.version === version;
  if (!isCountedHere && answers.includes('VOTE'))
    return `M3: ${site} votes in version ${version} of term ${term} for ${what}, which counts in ${request.version} of ${request.term}`;
  return null;
}

/** The epochs that the site stands for, or was elected for by its own vote alone. */
function candidaciesOf(effects: readonly NamedAction[]): readonly number[] {
  const asked = sent(effects).filter(({ type }) => type === 'VOTE_REQUEST');
  const elected = effects.filter(({ type }) => type === 'elected');
  return [...asked.map(({ epoch }) => epoch), ...elected.map((effect) => effect['epoch'] as number)];
}

const sent = (effects: readonly NamedAction[]): readonly SiteMessage[] =>
  effects.flatMap((effect) => (effect.type === 'send' ? [effect['message'] as SiteMessage] : []));
