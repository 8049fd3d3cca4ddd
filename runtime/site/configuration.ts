import { createHash } from 'node:crypto';
import type { SiteId } from '../../machines/actor.ts';
import type { Strict } from '../options/schema.ts';
import { messageLayout, protocolName } from './protocol.ts';

interface Configuration {
  readonly members: readonly SiteId[];
  readonly voters: readonly SiteId[];
  readonly root: SiteId | undefined;
  readonly strict: Strict | null | undefined;
}

/** Of all that every site must be told alike, a digest: two sites with another one do not speak to each other. */
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
