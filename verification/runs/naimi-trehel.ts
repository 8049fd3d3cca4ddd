import {
  type SiteContext,
  type SiteEvent,
  type SiteInput,
  siteMachine,
} from '../../machines/naimi-trehel/site.ts';
import { OneToken, type TokenCount, Turns } from './promises/one-token.ts';
import type { RecordedMachine } from './recorded-machine.ts';

export const tokenCount: TokenCount = {
  tokensHeld: ({ context }) => ((context as SiteContext).token ? 1 : 0),
  tokensIn: ({ type }) => (type === 'TOKEN' ? 1 : 0),
  inCriticalSection: ({ value }) => (value as { client: string }).client === 'inCS',
};

/** A record of `naimi-trehel` is held against the site machine that `baton verify` checks. */
export const naimiTrehel: RecordedMachine = {
  machine: siteMachine,
  survives: false,
  input: ({ site }, mesh, example): SiteInput => ({
    self: site,
    root: (example as SiteInput).root,
    peers: mesh.length - 1,
  }),
  messages: ['REQUEST', 'TOKEN', 'LEAVE', 'GOODBYE'],
  clientEvents: ['ask', 'release', 'again', 'try', 'withdraw', 'leave'].map((type) => ({ type })),
  departs: (message) => {
    const event = message as SiteEvent;
    return event.type === 'LEAVE' ? event.leaver : null;
  },
  promises: () => [new OneToken(tokenCount), new Turns(tokenCount)],
};
