import * as z from 'zod';
import type { SiteId } from '../../machines/actor.ts';
import type { SiteMessage } from '../../machines/epoch/messages.ts';
import { type SiteInput, siteMachine } from '../../machines/epoch/site.ts';
import { forgottenFrom, KeptPromises } from './promises/disks.ts';
import { OneWinner, TokenPerEpoch } from './promises/epochs.ts';
import { ExcusedOverlaps, RisingFences } from './promises/fences.ts';
import type { RecordedMachine } from './recorded-machine.ts';

const bare = (type: string) => z.strictObject({ type: z.literal(type) });
const clientEvent = z.union([
  ...[
    'ask',
    'release',
    'releaseAndAsk',
    'again',
    'try',
    'withdraw',
    'forget',
    'heartbeat',
    'promiseOver',
  ].map(bare),
  z.strictObject({
    type: z.literal('suspect'),
    because: z.strictObject({ reason: z.string(), down: z.record(z.string(), z.string()) }).optional(),
  }),
  z.strictObject({ type: z.literal('leaseOver'), epoch: z.int(), round: z.int() }),
  z.strictObject({
    type: z.literal('configured'),
    term: z.int(),
    version: z.int(),
    base: z.int(),
    voters: z.record(z.string(), z.literal(true)),
    joins: z.boolean(),
  }),
]);

type Over = Extract<SiteMessage, { type: 'OVER' }>;

export const epoch: RecordedMachine = {
  machine: siteMachine,
  survives: true,
  // Each life has a disk of its own, which is judged where the lives are told; voters are a set, and others in a later configuration.
  input: ({ site, input }, _, example) => {
    const { disk, voters, membership } = input as SiteInput;
    const { membership: _other, ...common } = example as SiteInput;
    const isTold = membership !== undefined || isSameSet(voters, common.voters);
    const of = { self: site, disk, voters: isTold ? voters : common.voters };
    return { ...common, ...of, ...(membership && { membership }) };
  },
  messages: [
    'REQUEST',
    'TOKEN',
    'NEW',
    'VOTE_REQUEST',
    'VOTE',
    'REFUSE',
    'OVER',
    'FORGET',
    'HEARTBEAT',
    'PROMISE',
  ],
  // A site that has no room for a lock keeps no record of it.
  isUnrecorded: (event) => event.type === 'OVER' && (event as Over).full,
  clientEvents: ['ask', 'release', 'releaseAndAsk', 'again', 'try', 'withdraw', 'suspect'].map((type) => ({
    type,
  })),
  isClientEvent: (event) => clientEvent.safeParse(event).success,
  departs: () => null,
  forgottenFrom,
  promises: () => {
    const winner = new OneWinner();
    return [new KeptPromises(), new TokenPerEpoch(), winner, new RisingFences(), new ExcusedOverlaps(winner)];
  },
};

function isSameSet(left: readonly SiteId[], right: readonly SiteId[]): boolean {
  return [...left].sort().join('\n') === [...right].sort().join('\n');
}
