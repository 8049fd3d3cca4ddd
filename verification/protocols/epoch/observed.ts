import type { Message, SiteId } from '../../../machines/actor.ts';
import type { SiteView } from '../../../machines/epoch/invariants.ts';
import type { Lease } from '../../../machines/epoch/lease.ts';
import type { Fence, SiteMessage } from '../../../machines/epoch/messages.ts';
import type { ActorView } from '../../system/system.ts';

/** The actor, which must be up, as a site. */
export function site({ value, context }: ActorView): SiteView {
  return { value, context } as unknown as SiteView;
}

export const isInside = (actor: ActorView) => actor.in('client.inCS');
export const waits = (actor: ActorView) => actor.in('client.requesting') || actor.in('client.entering');
export const follows = (actor: ActorView) => actor.in('epoch.following');

/** 0 while it is down. */
export const epochOf = (actor: ActorView) => (actor.up ? site(actor).context.epoch : 0);
export const promiseOf = (actor: ActorView) => (actor.up ? site(actor).context.promised : 0);

/** In strict mode. */
export const leaseOf = (actor: ActorView): Lease => site(actor).context.lease!;

/** The epoch that this site will promise when it is bound no longer; 0 when nobody asked, or not in strict mode. */
export function putOffBy(actor: ActorView): number {
  const asked = actor.up ? site(actor).context.lease?.putOff : null;
  return asked?.type === 'VOTE_REQUEST' ? asked.epoch : 0;
}

/** Does this lease, or what may become it, count from `round`? */
export const isCounted = (round: number, { round: last, promises, since }: Lease): boolean =>
  round === since || (round === last && promises !== null);

/** Fence of the critical section that this site is in. */
export const fenceOf = (actor: ActorView): Fence => site(actor).context.fence!;

/** The messages on their way to this site. */
export function messages({ inbox }: ActorView): readonly SiteMessage[] {
  return inbox.map(({ message }) => message as SiteMessage);
}

/** The tokens that are here or on their way here, as epoch and entries so far. */
export function tokens(actor: ActorView): readonly Fence[] {
  const travelling = messages(actor).filter((message) => message.type === 'TOKEN');
  if (!actor.up || !site(actor).context.token) return travelling;
  const { epoch, k } = site(actor).context;
  return [{ epoch, k }, ...travelling];
}

/** A site, by its number among all, that is served after another one in an epoch, or has the token of it. */
export interface StandsIn {
  readonly epoch: number;
  readonly site: number;
}

/**
 * The sites that have a request under way to here, that stand in the line here or on a token that comes, and the one that gets or
 * has that token. A frozen site's line is dropped (R2).
 */
export function places(actor: ActorView, indexOf: (id: SiteId) => number): readonly StandsIn[] {
  const at = (epoch: number, id: SiteId) => ({ epoch, site: indexOf(id) });
  const coming = messages(actor).flatMap((message) => {
    const { epoch } = message;
    if (message.type === 'REQUEST') return [at(epoch, message.origin)];
    return message.type === 'TOKEN' ? [actor.id, ...message.line].map((id) => at(epoch, id)) : [];
  });
  if (!actor.up || !follows(actor)) return coming;
  const { epoch, line, token } = site(actor).context;
  return [...coming, ...line.map((id) => at(epoch, id)), ...(token ? [at(epoch, actor.id)] : [])];
}

/**
 * Whether R0 or the vote will drop the message, now and in any future. `promised` and `epoch` never fall, not even by
 * a crash: they are on the disk. A site that is frozen leaves that only for an epoch above the one it has adopted. A
 * candidacy that is over does not come back: the next one is for a higher epoch. A VOTE_REQUEST for the very epoch
 * that is promised does nothing, and yet lives where stale ones are `refused`: once that epoch is adopted, or more is
 * promised, it will be.
 */
export function isDead(refused: boolean, message: Message, actor: ActorView): boolean {
  if (actor.in('epoch.barred')) return true;
  const { promised, epoch, lease } = site(actor).context;
  const said = message as SiteMessage;
  const brings = said.epoch > epoch && said.epoch >= promised;
  switch (said.type) {
    case 'REQUEST':
    case 'TOKEN':
    case 'FORGET':
    case 'HEARTBEAT':
      return said.epoch < promised || (said.epoch <= epoch && !follows(actor));
    case 'NEW':
      return !brings;
    case 'VOTE_REQUEST':
      return said.epoch <= promised && !refused;
    case 'VOTE':
      return said.epoch < promised || !actor.in('epoch.candidate');
    case 'OVER':
      // Its driver alone hears of it.
      return true;
    case 'REFUSE':
      return !brings && said.promise <= promised;
    case 'PROMISE':
      return said.epoch < promised || !follows(actor) || !isOpen(said.round, lease);
  }
}

/** Promises are counted in the last round alone, and rounds only rise while the epoch stays. */
const isOpen = (round: number, lease: Lease | null) => lease?.promises != null && round === lease.round;

/**
 * A frozen site leaves that only for an epoch to come, which sets its `last` and its line anew, and its routing:
 * until then nothing reads them. Sound for machines that keep R3.
 */
export function seenFrozen(actor: ActorView): unknown {
  const { id, up, value, context } = actor;
  if (!up || follows(actor)) return { id, up, value, context };
  const { client, epoch, lease } = site(actor).value;
  return { id, up, value: { client, epoch, lease }, context: { ...context, last: null, line: [] } };
}
