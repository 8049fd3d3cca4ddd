import type { SiteView } from '../../../machines/naimi-trehel/invariants.ts';
import type { SiteMessage } from '../../../machines/naimi-trehel/messages.ts';
import type { ActorView } from '../../system/system.ts';

/** The actor as what it is here: a site. */
export function site({ value, context }: ActorView): SiteView {
  return { value, context } as unknown as SiteView;
}

export const hasLeft = (actor: ActorView) => actor.in('client.left');
export const waits = (actor: ActorView) => actor.in('client.requesting') || actor.in('client.withdrawn');
export const isInside = (actor: ActorView) => actor.in('client.inCS') || actor.in('client.leaving');

/** The messages on their way to this site. */
export function messages({ inbox }: ActorView): readonly SiteMessage[] {
  return inbox.map(({ message }) => message as SiteMessage);
}

export function travelling(actor: ActorView, type: SiteMessage['type']): number {
  return messages(actor).filter((message) => message.type === type).length;
}

/** Tokens held here or on their way here. */
export function tokens(actor: ActorView): number {
  return travelling(actor, 'TOKEN') + (site(actor).context.token ? 1 : 0);
}

/** The sites to which this site, or a message on its way to it, will have the token passed: the three places of L1. */
export function places(actor: ActorView): readonly string[] {
  const { next } = site(actor).context;
  const reached = messages(actor).flatMap((message) =>
    message.type === 'REQUEST' ? [message.origin] : message.type === 'TOKEN' ? [actor.id] : [],
  );
  return next === null ? reached : [next, ...reached];
}
