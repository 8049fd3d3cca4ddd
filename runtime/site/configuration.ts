import { createHash } from 'node:crypto';
import type { SiteId } from '../../machines/actor.ts';
import { OperatingError } from '../api/errors.ts';
import type { Strict } from '../options/schema.ts';
import type { Store } from '../store/store.ts';
import { messageLayout, protocolName } from './protocol.ts';

interface Configuration {
  readonly members: readonly SiteId[];
  readonly voters: readonly SiteId[];
  readonly root: SiteId | undefined;
  readonly strict: Strict | null | undefined;
}

/** A digest of the options that every site must have alike. Two sites with different digests refuse each other. */
export function configurationOf({ members, voters, root, strict }: Configuration): string {
  const told = [
    members.toSorted(),
    voters.toSorted(),
    protocolName,
    messageLayout,
    root ?? null,
    strict ? [strict.leaseMs, strict.driftShare ?? null] : null,
  ];
  return createHash('sha256').update(JSON.stringify(told)).digest('base64url');
}

/** Two lists of members would be two clusters with one name, each with a majority of its own. */
export function refuseChanged(
  { founding }: Store,
  members: readonly SiteId[],
  dataDir: string | undefined,
): void {
  if (founding === null) return;
  const kept = Object.keys(founding.ids).sort();
  const told = members.toSorted();
  if (kept.join() === told.join()) return;
  throw new OperatingError(
    'MEMBERS_CHANGED',
    `the data in ${dataDir} are of a cluster of ${kept.join(', ')}, and the settings name ${told.join(', ')}: to go by both would ` +
      'make two majorities. Name the same sites as before. To begin with other members, stop every site, and give all of ' +
      'them empty data directories',
  );
}
