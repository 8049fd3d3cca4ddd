import type { SiteId } from '../actor.ts';
import type { EpochEffect, SiteMessage } from './messages.ts';
import type { SiteContext } from './variables.ts';

/**
 * The most by which a message may be of a later epoch than its receiver has promised: an epoch a second for half a
 * year. Each such step costs a forger of epochs one message.
 */
export const mostEpochsAhead = 2 ** 24;

/** No number of a message is above: so none that a site counts up from it is above 2^53 - 1, the most that is written. */
export const mostCount = 2 ** 52;

/**
 * How `message` of `source` breaks the protocol, in words; `null` when a correct site could have sent it. Only what the
 * receiver can know: a site speaks for itself alone, so no majority is made of one, an epoch has one root, a site stands once
 * in its line, and no number runs away. The entries of a token are different sites: the codec has seen to it.
 */
export function breachOf(
  message: SiteMessage,
  source: SiteId,
  {
    self,
    epoch,
    root,
    promised,
    line,
    token,
  }: Pick<SiteContext, 'self' | 'epoch' | 'root' | 'promised' | 'line' | 'token'>,
): string | null {
  const most = Math.min(promised + mostEpochsAhead, mostCount);
  const of = message.type === 'REFUSE' ? Math.max(message.epoch, message.promise) : message.epoch;
  if (of > most) return `expected an epoch of at most ${most}, ${of} came: ${promised} is promised here`;
  // A site that was lied to about the root of an epoch must still learn that another is to be elected.
  const isOfStar = message.type !== 'REFUSE' && message.type !== 'NEW' && 'root' in message;
  if (isOfStar && message.epoch === epoch && message.root !== root)
    return `expected ${root} as the root of epoch ${epoch}, ${message.root} came`;
  switch (message.type) {
    case 'REQUEST':
      if (message.origin === self) return `expected a request of another site, one of ${self} came back`;
      return standsHere(message.origin);
    case 'HEARTBEAT':
      return by(message.origin) ?? countOf(message.round);
    case 'TOKEN':
      for (const site of message.line) {
        if (site === self) return `expected other sites behind ${self}, it came itself`;
        const twice = standsHere(site);
        if (twice !== null) return twice;
      }
      return countOf(message.k);
    case 'VOTE_REQUEST':
      return by(message.candidate);
    case 'VOTE':
      if (message.holds !== null && message.holds >= message.epoch)
        return `expected the token of an epoch before ${message.epoch}, one of ${message.holds} came`;
      return by(message.voter);
    case 'PROMISE':
      return by(message.voter) ?? countOf(message.round);
    case 'OVER':
      return message.epoch > promised
        ? `expected an answer to what was sent, one to a message of epoch ${message.epoch} came`
        : by(message.from);
    case 'FORGET':
      return token && message.epoch === epoch
        ? `expected no news of the token of epoch ${epoch}, which is here`
        : by(message.from);
    case 'REFUSE':
    case 'NEW':
      return null;
    default:
      return message satisfies never;
  }

  function by(named: SiteId): string | null {
    return named === source ? null : `expected ${source} to speak for itself, it speaks for ${named}`;
  }

  /** L1: a site stands in one place of an epoch. */
  function standsHere(site: SiteId): string | null {
    const isTwice = message.epoch === epoch && line.includes(site);
    return isTwice ? `expected one request of ${site} in epoch ${epoch}, a second one came` : null;
  }

  function countOf(count: number): string | null {
    return count <= mostCount ? null : `expected a number of at most ${mostCount}, ${count} came`;
  }
}

/**
 * Whether `breachBy` may find a breach in the effects of a message that `breachOf` lets pass: only a request can lead back
 * to its origin, where the receiver points at that, or will when it has adopted the epoch of the request.
 */
export function mayLeadBack(
  message: SiteMessage,
  { epoch, last }: Pick<SiteContext, 'epoch' | 'last'>,
): boolean {
  return message.type === 'REQUEST' && message.origin === (message.epoch === epoch ? last : message.root);
}

/** The same, of what a message would have this site do: a request goes round in a circle. */
export function breachBy(effects: readonly EpochEffect[]): string | null {
  for (const effect of effects) {
    if (effect.type !== 'send' || effect.message.type !== 'REQUEST') continue;
    const { target, message } = effect;
    if (message.origin === target) return `expected no request of ${target} that leads back to it`;
  }
  return null;
}
