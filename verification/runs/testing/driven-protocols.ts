import type { SiteId } from '../../../machines/actor.ts';
import { siteMachine as epochMachine } from '../../../machines/epoch/site.ts';
import { siteMachine as naimiTrehelMachine } from '../../../machines/naimi-trehel/site.ts';
import { Steps } from '../steps.ts';

/** The knowledge of a protocol that a `DrivenMesh` needs. */
export interface DrivenProtocol {
  readonly name: string;
  readonly steps: Steps;
  readonly survives: boolean;
  /** The events of a client; an event that stands here twice is drawn twice as often. */
  readonly client: readonly string[];
  input(site: SiteId, ids: readonly SiteId[], disk: unknown): unknown;
}

export const naimiTrehel: DrivenProtocol = {
  name: 'naimi-trehel',
  steps: Steps.of(naimiTrehelMachine),
  survives: false,
  // A run in which all sites leave at once shows little.
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
  steps: Steps.of(epochMachine),
  survives: true,
  client: [
    'ask',
    'ask',
    'ask',
    'ask',
    'release',
    'release',
    'release',
    'releaseAndAsk',
    'releaseAndAsk',
    'again',
    'try',
    'withdraw',
    'suspect',
  ],
  input: (site, ids, disk) => ({ self: site, founder: ids[0], voters: ids, disk }),
};
