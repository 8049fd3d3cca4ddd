import { createHash } from 'node:crypto';
import type { SiteId } from '../../machines/actor.ts';
import type { Strict } from '../options/schema.ts';
import { protocolName } from './protocol.ts';

interface Alike {
  readonly founders: readonly SiteId[];
  readonly voters: readonly SiteId[];
  readonly root: SiteId | undefined;
}

/** A digest of the options that every site must have alike. Two sites with different digests refuse each other. */
export function configurationOf({ strict }: { readonly strict: Strict | null | undefined }): string {
  return digestOf([protocolName, strict ? [strict.leaseMs, strict.driftShare ?? null] : null]);
}

/** The same, of those that the founders must have alike. */
export function foundersDigest({ founders, voters, root }: Alike): string {
  return digestOf([founders.toSorted(), voters.toSorted(), root ?? null]);
}

function digestOf(told: unknown): string {
  return createHash('sha256').update(JSON.stringify(told)).digest('base64url');
}
