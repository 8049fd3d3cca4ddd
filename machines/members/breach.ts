import type { SiteId } from '../actor.ts';
import type { Configuration } from './configuration.ts';
import type { MembersContext } from './members.ts';
import type { MembersMessage } from './messages.ts';

/**
 * Maximum distance of a message's term above the promise of its receiver: one change a second for half a
 * year.
 */
export const mostTermsAhead = 2 ** 24;

/**
 * Maximum distance of an epoch that a member tells above the epochs known to its receiver, as for a lock's
 * messages.
 */
const mostEpochsAhead = 2 ** 24;

/**
 * Maximum of every number in a message. A site counts up from such numbers and must never write one above
 * 2^53 - 1.
 */
const mostCount = 2 ** 52;

/**
 * Describes how `message` of `source` breaks the protocol. Returns `null` if a correct site could have sent
 * it. It checks the rules that the receiver alone can check: a site speaks for itself alone, so no quorum is
 * made of one site, and no number runs away.
 */
export function breachOf(
  message: MembersMessage,
  source: SiteId,
  { promised, top, configuration: own }: Pick<MembersContext, 'promised' | 'top' | 'configuration'>,
): string | null {
  switch (message.type) {
    case 'JOIN':
      return by(message.site);
    case 'CONFIGURATION':
      return by(message.origin) ?? of(message.configuration);
    case 'ACKNOWLEDGE':
      return by(message.voter) ?? term(message.term) ?? count(message.version) ?? epoch(message.top);
    case 'VOTE_REQUEST':
      return by(message.candidate) ?? term(message.term) ?? of(message.configuration);
    case 'VOTE':
      return by(message.voter) ?? term(message.term);
    case 'REFUSE':
      return term(message.term) ?? of(message.configuration);
    default:
      return message satisfies never;
  }

  function by(named: SiteId): string | null {
    return named === source ? null : `expected ${source} as the sender, got ${named}`;
  }

  function of(configuration: Configuration): string | null {
    return term(configuration.term) ?? count(configuration.version) ?? epoch(configuration.base);
  }

  function term(came: number): string | null {
    const most = Math.min(promised + mostTermsAhead, mostCount);
    return came <= most
      ? null
      : `expected a term of at most ${most}, got ${came}; the promise here is ${promised}`;
  }

  /**
   * Checks an epoch against the highest plausible one. A site without a cluster knows no epoch and accepts
   * any.
   */
  function epoch(came: number): string | null {
    const most = own === null ? mostCount : Math.min(Math.max(top, own.base) + mostEpochsAhead, mostCount);
    return came <= most ? null : `expected epochs of at most ${most}, got ${came}`;
  }

  function count(came: number): string | null {
    return came <= mostCount ? null : `expected a number of at most ${mostCount}, got ${came}`;
  }
}
