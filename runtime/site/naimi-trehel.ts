import type { Message } from '../../machines/actor.ts';
import { brokenInvariant, type SiteView } from '../../machines/naimi-trehel/invariants.ts';
import type { SiteMessage } from '../../machines/naimi-trehel/messages.ts';
import { type SiteContext, type SiteInput, siteMachine } from '../../machines/naimi-trehel/site.ts';
import type { LayoutOf } from '../wire/layout.ts';
import type { Protocol } from './protocol.ts';

/** The lock of M. Naimi, M. Trehel, A. Arnold, JPDC 34:1-13, 1996, as the runtime runs it. */
export const naimiTrehel: Protocol = {
  name: 'naimi-trehel',
  machine: siteMachine,
  survives: false,
  input: ({ site, root, peers }): SiteInput => ({ self: site, root, peers: peers.length }),
  layout: {
    REQUEST: { origin: 'site' },
    TOKEN: {},
    LEAVE: { leaver: 'site' },
    GOODBYE: {},
  } satisfies LayoutOf<SiteMessage>,
  urgent: 'TOKEN' satisfies SiteMessage['type'],
  departs: (message) => (message.type === 'LEAVE' ? (message as LeaveMessage).leaver : null),
  breachOf: (message, source, { context }) => {
    const { self } = context as SiteContext;
    const { type, origin, leaver } = message as Partial<RequestMessage & LeaveMessage> & Message;
    if (type === 'REQUEST' && origin === self)
      return `expected a request of another site, one of ${self} came back`;
    return type === 'LEAVE' && leaver !== source
      ? `expected ${source} to speak for itself, it speaks for ${leaver}`
      : null;
  },
  breachBy: () => null,
  invariants: (snapshot) => brokenInvariant(snapshot as SiteView),
  status: ({ value, context }) => {
    const { last, next, token } = context as SiteContext;
    return { last, next, token, client: (value as { client: string }).client, epoch: 0, frozen: false };
  },
};

type RequestMessage = Extract<SiteMessage, { type: 'REQUEST' }>;
type LeaveMessage = Extract<SiteMessage, { type: 'LEAVE' }>;
