import type { SiteId } from '../actor.ts';
import type { EpochEffect, SiteMessage } from './messages.ts';
import type { SiteContext } from './variables.ts';

/**
 * Maximum distance of a message's epoch above the promise of its receiver: one epoch a second for half a
 * year. Each such step costs a forger of epochs one message.
 */
export const mostEpochsAhead = 2 ** 24;

/**
 * Maximum of every number in a message. A site counts up from such numbers and must never write one above
 * 2^53 - 1.
 */
export const mostCount = 2 ** 52;

/**
 * Describes how `message` of `source` breaks the protocol. Returns `null` if a correct site could have sent
 * it. It checks the rules that the receiver alone can check: a site speaks for itself alone, so no majority
 * is made of one site; an epoch has one root; a site stands once in its line; and no number runs away. The
 * codec has checked already that the entries of a token are different sites.
 */
export function breachOf(
  message: SiteMessage,
  source: SiteId,
  site: Pick<SiteContext, 'self' | 'epoch' | 'root' | 'promised' | 'line' | 'token'>,
): string | null {
  const { self, epoch, root, promised, token } = site;
  const most = Math.min(promised + mostEpochsAhead, mostCount);
  const of = message.type === 'REFUSE' ? Math.max(message.epoch, message.promise) : message.epoch;
  if (of > most) return `expected an epoch of at most ${most}, got ${of}; the promise here is ${promised}`;
  // A site that has been told a false root of an epoch must still learn that another root is to be elected.
  const isOfStar = message.type !== 'REFUSE' && message.type !== 'NEW' && 'root' in message;
  if (isOfStar && message.epoch === epoch && message.root !== root)
    return `expected ${root} as the root of epoch ${epoch}, got ${message.root}`;
  switch (message.type) {
    case 'REQUEST':
      if (message.origin === self) return `expected a request of another site, got one of ${self} itself`;
      return standsHere(message.origin, message.epoch, site);
    case 'HEARTBEAT':
      return by(message.origin, source) ?? countOf(message.round);
    case 'TOKEN':
      for (const entry of message.line) {
        if (entry === self) return `expected a line without ${self}, got one that contains it`;
        const twice = standsHere(entry, message.epoch, site);
        if (twice !== null) return twice;
      }
      return countOf(message.k);
    case 'VOTE_REQUEST':
      return by(message.candidate, source);
    case 'VOTE':
      if (message.holds !== null && message.holds >= message.epoch)
        return `expected a token of an epoch before ${message.epoch}, got one of ${message.holds}`;
      return by(message.voter, source);
    case 'PROMISE':
      return by(message.voter, source) ?? countOf(message.round);
    case 'OVER':
      return message.epoch > promised
        ? `expected an answer about an epoch up to ${promised}, got one about epoch ${message.epoch}`
        : by(message.from, source);
    case 'FORGET':
      return token && message.epoch === epoch
        ? `expected no news of the token of epoch ${epoch}, which is here`
        : by(message.from, source);
    case 'REFUSE':
    case 'NEW':
      return null;
    default:
      return message satisfies never;
  }
}

function by(named: SiteId, source: SiteId): string | null {
  return named === source ? null : `expected ${source} as the sender, got ${named}`;
}

/** L1: a site stands in one place of an epoch. */
function standsHere(
  site: SiteId,
  of: number,
  { epoch, line }: Pick<SiteContext, 'epoch' | 'line'>,
): string | null {
  const isTwice = of === epoch && line.includes(site);
  return isTwice ? `expected one request of ${site} in epoch ${epoch}, got a second one` : null;
}

function countOf(count: number): string | null {
  return count <= mostCount ? null : `expected a number of at most ${mostCount}, got ${count}`;
}

/**
 * Reports whether `breachBy` may find a breach in the effects of a message that `breachOf` accepts. Only a
 * request can lead back to its origin, and only where the receiver points at the origin, now or after it has
 * adopted the epoch of the request.
 */
export function mayLeadBack(
  message: SiteMessage,
  { epoch, last }: Pick<SiteContext, 'epoch' | 'last'>,
): boolean {
  return message.type === 'REQUEST' && message.origin === (message.epoch === epoch ? last : message.root);
}

/** Describes a breach in the effects that a message would have here: a request goes round in a circle. */
export function breachBy(effects: readonly EpochEffect[]): string | null {
  // Without an iterator, since each message is judged.
  for (let index = 0; index < effects.length; index++) {
    const effect = effects[index]!;
    if (effect.type !== 'send' || effect.message.type !== 'REQUEST') continue;
    const { target, message } = effect;
    if (message.origin === target) return `expected no request of ${target} that leads back to it`;
  }
  return null;
}
