import { z } from 'zod';
import type { SiteId } from '../../machines/actor.ts';
import { type SiteInput, siteMachine } from '../../machines/epoch/site.ts';
import { forgottenFrom, KeptPromises } from './promises/disks.ts';
import { OneWinner, TokenPerEpoch } from './promises/epochs.ts';
import { ExcusedOverlaps, RisingFences } from './promises/fences.ts';
import type { RecordedMachine } from './recorded-machine.ts';

const bare = (type: string) => z.strictObject({ type: z.literal(type) });
const clientEvent = z.union([
  ...['ask', 'release', 'again', 'try', 'withdraw', 'suspect', 'heartbeat', 'promiseOver'].map(bare),
  z.strictObject({ type: z.literal('leaseOver'), epoch: z.int(), round: z.int() }),
]);

export const epoch: RecordedMachine = {
  machine: siteMachine,
  survives: true,
  // Each life has a disk of its own, which is judged where the lives are told; voters are a set.
  input: ({ site, input }, _, example) => {
    const { disk, voters } = input as SiteInput;
    const common = example as SiteInput;
    return { ...common, self: site, disk, voters: isSameSet(voters, common.voters) ? voters : common.voters };
  },
  messages: ['REQUEST', 'TOKEN', 'NEW', 'VOTE_REQUEST', 'VOTE', 'REFUSE', 'HEARTBEAT', 'PROMISE'],
  clientEvents: ['ask', 'release', 'again', 'try', 'withdraw', 'suspect'].map((type) => ({ type })),
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
