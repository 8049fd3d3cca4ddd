import type { SiteView } from '../../../machines/naimi-trehel/invariants.ts';
import type { SiteMessage } from '../../../machines/naimi-trehel/messages.ts';
import type { ActorView } from '../../system/system.ts';

/** The actor as a site of the published algorithm. */
export function site({ value, context }: ActorView): SiteView {
  return { value, context } as unknown as SiteView;
}

/** The messages on their way to this site. */
export function messages({ inbox }: ActorView): readonly SiteMessage[] {
  return inbox.map(({ message }) => message as SiteMessage);
}

/** The sites whose wait passes through this site: its `next`, or named by a message on its way to it (L1). */
export function places(actor: ActorView): readonly string[] {
  const { next } = site(actor).context;
  const reached = messages(actor).flatMap((message) =>
    message.type === 'REQUEST' ? [message.origin] : message.type === 'TOKEN' ? [actor.id] : [],
  );
  return next === null ? reached : [next, ...reached];
}
