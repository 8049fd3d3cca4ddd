import { createHash, hkdfSync } from 'node:crypto';
import type { SiteId } from '../../../../machines/actor.ts';

const newline = 10;
const carriageReturn = 13;

/** For one site that calls another: the key of their TLS (RFC 8446, 4.2.11), and how the caller names it. */
export interface SharedKey {
  /**
   * Goes over the wire. It reveals nothing of the secret. The name of the caller stands in it, since any site may come to join; the
   * cluster and the called site are shown only to a reader that guesses them.
   */
  readonly identity: string;
  readonly key: Buffer;
}

/**
 * A key for each direction of each pair of each cluster, by HKDF (RFC 5869) as RFC 9258 recommends: what stands between
 * others, or for another cluster with the same secret, opens nothing here, and a call cannot be turned back upon its caller.
 * A line end at the end of the secret does not count: one site reads it from a file, another is told it.
 */
export function sharedKey(
  secret: string | Buffer,
  cluster: string,
  { caller, called }: { readonly caller: SiteId; readonly called: SiteId },
): SharedKey {
  const names = JSON.stringify(['baton', cluster, caller, called]);
  return {
    identity: `${caller}/${createHash('sha256').update(names).digest('base64url')}`,
    key: Buffer.from(hkdfSync('sha256', withoutLineEnd(secret), '', names, 32)),
  };
}

/** The name in the `identity` of a key. */
export function callerIn(identity: string): SiteId {
  return identity.slice(0, Math.max(0, identity.indexOf('/')));
}

/** Removes the line end that a tool appends to its output: it is no part of the secret. */
function withoutLineEnd(secret: string | Buffer): Buffer {
  const bytes = Buffer.from(secret);
  if (bytes.at(-1) !== newline) return bytes;
  return bytes.subarray(0, bytes.at(-2) === carriageReturn ? -2 : -1);
}
