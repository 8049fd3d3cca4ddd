import type { AnyStateMachine } from 'xstate';
import type { System } from '../system/system.ts';
import { epochForgetting } from './epoch/forgetting.ts';
import { leaseMutants, strictWith } from './epoch/lease-mutants.ts';
import { epochLiveness } from './epoch/liveness.ts';
import { epochMembers } from './epoch/members.ts';
import * as epochs from './epoch/mutants.ts';
import { epochOver } from './epoch/over.ts';
import { putOffCandidacies } from './epoch/put-off.ts';
import { mutants as guestsMutants } from './guests/mutants.ts';
import { guests } from './guests/system.ts';
import * as lines from './line/mutants.ts';
import { line, lineCombined, lineLeaving, lineOvertaking } from './line/system.ts';
import * as links from './link/mutants.ts';
import { type LinkOptions, link } from './link/system.ts';
import { fitting } from './members/fitting.ts';
import { fittingMutants } from './members/fitting-mutants.ts';
import { founding } from './members/founding.ts';
import { foundingMutants, mutants as membersMutants, slowMutants } from './members/mutants.ts';
import { members } from './members/system.ts';
import * as tokens from './naimi-trehel/mutants.ts';
import { naimiTrehel, naimiTrehelCombined, naimiTrehelLeaving } from './naimi-trehel/system.ts';

/* The mutants as systems of their own, for `baton verify 'epoch/R7: a vote is not written down'`. */

const three = { sites: 3, network: { order: 'fifo' } } as const;
const four = { ...three, sites: 4 } as const;
const unordered = { sites: 3, network: { order: 'unordered' }, liveness: true } as const;
const linked = { sites: 2, network: { order: 'fifo' }, posts: 2, connections: 2, finishes: [] } as const;
const restarted: LinkOptions = { ...linked, posts: 1, limit: 1, crashes: ['a'], connections: 3 };

type Makers = Readonly<Record<string, () => System>>;

/** For each mutant of `table`, the system that `systemOf` makes of it. */
function made<Mutant>(
  protocol: string,
  table: Readonly<Record<string, Mutant>>,
  systemOf: (mutant: Mutant, name: string) => System,
): Makers {
  return Object.fromEntries(
    Object.entries(table).map(([name, mutant]) => [`${protocol}/${name}`, () => systemOf(mutant, name)]),
  );
}

/** The smallest system that refutes each mutant, by `PROTOCOL/NAME`. */
export const mutantSystems: Makers = {
  ...made('naimi-trehel', tokens.mutants, (machine) => naimiTrehel({ ...three, machine })),
  ...made('naimi-trehel', tokens.slowMutants, (machine) => naimiTrehel({ ...four, machine })),
  ...made('naimi-trehel', tokens.combinedMutants, (machine) => naimiTrehelCombined({ ...three, machine })),
  ...made('naimi-trehel', tokens.leavingMutants, (machine) => naimiTrehelLeaving({ ...three, machine })),
  ...made('naimi-trehel', tokens.fourSiteMutants, (machine) => naimiTrehelLeaving({ ...four, machine })),
  ...made('line', lines.mutants, (machine) => line({ ...three, machine })),
  ...made('line', lines.withdrawMutants, (machine) => line({ ...three, machine, withdraw: true })),
  ...made('line', lines.overtakingMutants, (machine) => lineOvertaking({ ...three, machine })),
  ...made('line', lines.combinedMutants, (machine) => lineCombined({ ...three, machine })),
  ...made('line', lines.leavingMutants, (machine) => lineLeaving({ ...three, machine })),
  ...made<AnyStateMachine>('line', lines.starvingMutants, (machine) => line({ ...unordered, machine })),
  ...made('epoch', epochs.mutants, ([place, machine]) => epochs.systemWith(machine, place)),
  ...made('epoch', epochs.overMutants, (options) => epochOver({ ...three, ...options })),
  ...made('epoch', epochs.putOffMutants, (machine) => putOffCandidacies(machine)),
  ...made('epoch', epochs.forgettingMutants, (options) =>
    epochForgetting({ sites: 2, network: { order: 'fifo' }, ...options }),
  ),
  ...made('epoch', epochs.configuredMutants, (options) => epochMembers(options)),
  ...made('epoch', epochs.forgetfulMutants, (machine) => epochLiveness({ ...three, machine })),
  ...made('epoch', epochs.starvingMutants, (machine) =>
    epochLiveness({ ...unordered, changes: 0, crashes: 'none', machine }),
  ),
  ...made('epoch', leaseMutants, ([place, machine]) => strictWith(machine, place)),
  ...made('link', links.mutants, (machine, name) =>
    link({ ...linked, machine, ...(name === 'the outbox has no bound' ? { limit: 1 } : {}) }),
  ),
  ...made('link', links.finishMutants, (machine) => link({ ...linked, finishes: ['a'], machine })),
  ...made('link', links.restartMutants, (machine) => link({ ...restarted, machine })),
  ...made('members', membersMutants, ([options, machine]) => members({ ...options, machine })),
  ...made('members', slowMutants, ([options, machine]) => members({ ...options, machine })),
  ...made('members', foundingMutants, ([options, machine]) => founding({ ...options, machine })),
  ...made('members', fittingMutants, (options) => fitting(options)),
  ...made('guests', guestsMutants, (options) => guests(options)),
};

/** Where threads find a mutant again. */
export function mutantSystemOf(name: string): System {
  return mutantSystems[name]!();
}
