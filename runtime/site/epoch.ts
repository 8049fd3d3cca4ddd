import { breachBy, breachOf } from '../../machines/epoch/breach.ts';
import { brokenInvariant, type SiteView } from '../../machines/epoch/invariants.ts';
import type { EpochEffect, SiteMessage } from '../../machines/epoch/messages.ts';
import { type SiteInput, siteMachine } from '../../machines/epoch/site.ts';
import type { LayoutOf } from '../wire/layout.ts';
import type { Protocol } from './protocol.ts';

/** The lock that survives failures (protocol.md, section 2), as the runtime runs it. */
export const epoch: Protocol = {
  name: 'epoch',
  machine: siteMachine,
  survives: true,
  input: ({ site, root, voters, disk, strict }): SiteInput => ({
    self: site,
    founder: root,
    voters,
    disk,
    ...(strict && { strict }),
  }),
  layout: {
    REQUEST: { epoch: 'count', root: 'site', origin: 'site' },
    TOKEN: { epoch: 'count', root: 'site', k: 'count' },
    NEW: { epoch: 'count', root: 'site' },
    VOTE_REQUEST: { epoch: 'count', candidate: 'site' },
    VOTE: { epoch: 'count', voter: 'site', holds: 'count?' },
    REFUSE: { epoch: 'count', root: 'site', promise: 'count' },
    HEARTBEAT: { epoch: 'count', root: 'site', origin: 'site', round: 'count', stays: 'flag' },
    PROMISE: { epoch: 'count', root: 'site', voter: 'site', round: 'count' },
  } satisfies LayoutOf<SiteMessage>,
  urgent: 'TOKEN' satisfies SiteMessage['type'],
  departs: () => null,
  breachOf: (message, source, snapshot) =>
    breachOf(message as SiteMessage, source, (snapshot as SiteView).context),
  breachBy: (effects) => breachBy(effects as readonly EpochEffect[]),
  invariants: (snapshot) => brokenInvariant(snapshot as SiteView),
  status: (snapshot) => {
    const { value, context } = snapshot as SiteView;
    const { last, next, token, epoch, fence } = context;
    const frozen = value.epoch !== 'following';
    return { last, next, token, client: value.client, epoch, frozen, ...(fence && { fence }) };
  },
};
