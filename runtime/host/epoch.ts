import { z } from 'zod';
import type { SiteId } from '../../machines/actor.ts';
import { brokenInvariant, type SiteView } from '../../machines/epoch/invariants.ts';
import type { SiteMessage } from '../../machines/epoch/messages.ts';
import { type SiteInput, siteMachine } from '../../machines/epoch/site.ts';
import type { Protocol } from './protocol.ts';

/** The lock that survives failures (protocol.md, section 2), as the runtime runs it. */
export const epoch: Protocol<SiteMessage> = {
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
  schema: (sites: readonly [SiteId, ...SiteId[]]) => {
    const site = z.enum(sites);
    const number = z.int().min(0);
    const of = { epoch: number, root: site };
    return z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('REQUEST'), ...of, origin: site }),
      z.strictObject({ type: z.literal('TOKEN'), ...of, k: number }),
      z.strictObject({ type: z.literal('NEW'), ...of }),
      z.strictObject({ type: z.literal('VOTE_REQUEST'), epoch: number, candidate: site }),
      z.strictObject({ type: z.literal('VOTE'), epoch: number, voter: site, holds: number.nullable() }),
      z.strictObject({ type: z.literal('REFUSE'), ...of, promise: number }),
      z.strictObject({
        type: z.literal('HEARTBEAT'),
        ...of,
        origin: site,
        round: number,
        stays: z.boolean(),
      }),
      z.strictObject({ type: z.literal('PROMISE'), ...of, voter: site, round: number }),
    ]);
  },
  departs: () => null,
  invariants: (snapshot) => brokenInvariant(snapshot as SiteView),
  status: (snapshot) => {
    const { value, context } = snapshot as SiteView;
    const { last, next, token, epoch, fence } = context;
    const frozen = value.epoch !== 'following';
    return { last, next, token, client: value.client, epoch, frozen, ...(fence && { fence }) };
  },
};
