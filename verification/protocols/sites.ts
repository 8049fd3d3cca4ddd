import type { SiteId } from '../../machines/actor.ts';
import { CodedError } from '../../machines/errors.ts';
import type { Network } from '../system/system.ts';

/** The options that every system here takes. */
export interface Options {
  /** How many sites: 2 to 15. The first is the root that starts with the token. */
  readonly sites: number;
  readonly network: Network;
  /** Whether every waiting site must be served, too. Default: false, no property of runs. */
  readonly liveness?: boolean;
}

/** The system cannot be had in the size, or on the network, that was asked for. */
export class OptionsError extends CodedError<'SITES_OUT_OF_RANGE' | 'NETWORK_UNFIT'> {}

/** `a`, `b`, ...: the order in which traces list them. Throws `SITES_OUT_OF_RANGE`. */
export function siteNames({ sites }: Options): readonly SiteId[] {
  if (!Number.isInteger(sites) || sites < 2 || sites > 15) {
    throw new OptionsError(
      'SITES_OUT_OF_RANGE',
      `A system has 2 to 15 sites, not ${sites}: choose a number in this range.`,
    );
  }
  return Array.from({ length: sites }, (_, index) => String.fromCharCode(97 + index));
}
