import { hash } from 'node:crypto';
import type { SiteId } from '../../machines/actor.ts';

/**
 * The voter that starts with the token of `lock`, by rendezvous hashing (D. Thaler, C. Ravishankar, "Using name-based
 * mappings to increase hit rates", IEEE/ACM ToN 6:1, 1998): the one whose SHA-256 with the lock's name is the highest.
 * The same at every site, in whatever order it knows the voters; every voter is so of an equal share of the names.
 */
export function rootOf(lock: string, voters: readonly SiteId[]): SiteId {
  let [root, highest] = ['', ''];
  for (const voter of voters) {
    // Neither has a line end in it.
    const digest = hash('sha256', `${voter}\n${lock}`);
    if (digest > highest) [root, highest] = [voter, digest];
  }
  return root;
}
