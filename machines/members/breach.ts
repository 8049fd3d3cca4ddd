import type { SiteId } from '../actor.ts';
import type { Configuration } from './configuration.ts';
import type { MembersContext } from './members.ts';
import type { MembersMessage } from './messages.ts';

/** The most by which a message may be of a later term than its receiver has promised: a change a second for half a year. */
export const mostTermsAhead = 2 ** 24;

/** The most by which an epoch that a member tells may be above those that its receiver knows of, as for a lock's messages. */
const mostEpochsAhead = 2 ** 24;

/** No number of a message is above: so none that a site counts up from it is above 2^53 - 1, the most that is written. */
const mostCount = 2 ** 52;

/**
 * How `message` of `source` breaks the protocol, in words; `null` when a correct site could have sent it. Only what the receiver
 * can know: a site speaks for itself alone, so no quorum is made of one, and no number runs away.
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
    return named === source ? null : `expected ${source} to speak for itself, it speaks for ${named}`;
  }

  function of(configuration: Configuration): string | null {
    return term(configuration.term) ?? count(configuration.version) ?? epoch(configuration.base);
  }

  function term(came: number): string | null {
    const most = Math.min(promised + mostTermsAhead, mostCount);
    return came <= most
      ? null
      : `expected a term of at most ${most}, ${came} came: ${promised} is promised here`;
  }

  /** A site that has joined no cluster yet knows of no epoch. */
  function epoch(came: number): string | null {
    const most = own === null ? mostCount : Math.min(Math.max(top, own.base) + mostEpochsAhead, mostCount);
    return came <= most ? null : `expected epochs of at most ${most}, ${came} came`;
  }

  function count(came: number): string | null {
    return came <= mostCount ? null : `expected a number of at most ${mostCount}, ${came} came`;
  }
}
