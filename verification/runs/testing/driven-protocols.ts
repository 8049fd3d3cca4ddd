import type { SiteId } from '../../../machines/actor.ts';
import { siteMachine as epochMachine } from '../../../machines/epoch/site.ts';
import { siteMachine as naimiTrehelMachine } from '../../../machines/naimi-trehel/site.ts';
import { Steps } from '../steps.ts';

/** What a `DrivenMesh` must know of a protocol. */
export interface DrivenProtocol {
  readonly name: string;
  readonly steps: Steps;
  readonly survives: boolean;
  /** What a client says, as often as it stands here. */
  readonly client: readonly string[];
  input(site: SiteId, ids: readonly SiteId[], disk: unknown): unknown;
}

export const naimiTrehel: DrivenProtocol = {
  name: 'naimi-trehel',
  steps: new Steps(naimiTrehelMachine),
  survives: false,
  // A run in which everybody leaves at once shows little.
  client: [
    'ask',
    'ask',
    'ask',
    'release',
    'release',
    'release',
    'release',
    'again',
    'try',
    'withdraw',
    'leave',
  ],
  input: (site, ids) => ({ self: site, root: ids[0], peers: ids.length - 1 }),
};

export const epoch: DrivenProtocol = {
  name: 'epoch',
  steps: new Steps(epochMachine),
  survives: true,
  client: [
    'ask',
    'ask',
    'ask',
    'ask',
    'release',
    'release',
    'release',
    'release',
    'again',
    'try',
    'withdraw',
    'suspect',
  ],
  input: (site, ids, disk) => ({ self: site, founder: ids[0], voters: ids, disk }),
};
