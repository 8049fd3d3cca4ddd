import type { SiteId } from '../../../machines/actor.ts';
import type { ActorView, StateView } from '../../system/system.ts';
import { hasLeft } from '../token.ts';
import { messages, site } from './observed.ts';

/*
 * T and Q of docs/protocol.md, and the pointers at sites that have left. They are judged for tens of millions of states: integers
 * in, no allocation, and no bit observed that they do not need, because states that are observed alike are judged once.
 *
 * A site is observed as: bits 0-3 `last` (itself for nil, as the rules write it), bits 4-7 `next` (15 for
 * nil), bits 8-22 the origins of the requests on their way to it, bit 23: it has left.
 */

const NIL = 15;
const LEFT = 1 << 23;

export function observe(actor: ActorView, indexOf: (id: SiteId) => number): number {
  const { self, last, next } = site(actor).context;
  let observed = indexOf(last ?? self) | ((next === null ? NIL : indexOf(next)) << 4);
  for (const message of messages(actor)) {
    if (message.type === 'REQUEST') observed |= 1 << (8 + indexOf(message.origin));
  }
  return observed | (hasLeft(actor) ? LEFT : 0);
}

const lastOf = (observed: number) => observed & 15;
const nextOf = (observed: number) => (observed >> 4) & 15;
const requestsTo = (observed: number) => (observed >> 8) & 0x7fff;

const NONE = -1;
const previous = new Int8Array(16);
const requestOf = new Int8Array(16);
const eff = new Int8Array(16);
/** The state that `eff` was computed for, and whether every queue has a head there: T and Q ask of the same state. */
const known = new Int32Array(16);
let [knownSites, knownHeads] = [0, false];

/** Fills `eff` for every site that has not left; false when a queue has no head. */
function findEff(observed: Int32Array): boolean {
  if (isKnown(observed)) return knownHeads;
  const sites = observed.length;
  for (let site = 0; site < sites; site++) {
    known[site] = observed[site]!;
    previous[site] = NONE;
    requestOf[site] = NONE;
  }
  knownSites = sites;
  knownHeads = fillEff(observed, sites);
  return knownHeads;
}

function isKnown(observed: Int32Array): boolean {
  if (observed.length !== knownSites) return false;
  for (let site = 0; site < knownSites; site++) if (observed[site] !== known[site]) return false;
  return true;
}

function fillEff(observed: Int32Array, sites: number): boolean {
  for (let site = 0; site < sites; site++) {
    const observation = observed[site]!;
    if (nextOf(observation) !== NIL) previous[nextOf(observation)] = site;
    for (let origins = requestsTo(observation); origins !== 0; origins &= origins - 1) {
      requestOf[31 - Math.clz32(origins & -origins)] = site;
    }
  }
  for (let site = 0; site < sites; site++) {
    const last = lastOf(observed[site]!);
    if (last !== site) {
      eff[site] = last;
      continue;
    }
    let head = site;
    for (let hops = 0; previous[head] !== NONE; hops++) {
      if (hops === sites) return false;
      head = previous[head]!;
    }
    eff[site] = requestOf[head]!;
  }
  return true;
}

/** T: `eff` is one rooted tree over the sites that have not left. */
export function isTree(observed: Int32Array): boolean {
  if (!findEff(observed)) return false;
  const sites = observed.length;
  let reachesRoot = 0;
  let present = 0;
  for (let site = 0; site < sites; site++) {
    if ((observed[site]! & LEFT) !== 0) continue;
    present |= 1 << site;
    if (eff[site] !== NONE) continue;
    if (reachesRoot !== 0) return false;
    reachesRoot = 1 << site;
  }
  for (let site = 0; site < sites; site++) {
    if (((present >> site) & 1) === 0) continue;
    let path = 0;
    let at = site;
    while (((reachesRoot >> at) & 1) === 0) {
      // Around in a circle, or at a site that has left.
      if (((path >> at) & 1) === 1 || ((present >> at) & 1) === 0) return false;
      path |= 1 << at;
      at = eff[at]!;
    }
    reachesRoot |= path;
  }
  return true;
}

/** Q: a site with a `next` finds the tail of that queue on its own eff-path. */
export function tailsLieOnPaths(observed: Int32Array): boolean {
  if (!findEff(observed)) return false;
  const sites = observed.length;
  for (let site = 0; site < sites; site++) {
    let tail = nextOf(observed[site]!);
    if (tail === NIL) continue;
    for (let hops = 0; nextOf(observed[tail]!) !== NIL; hops++) {
      if (hops === sites) return false;
      tail = nextOf(observed[tail]!);
    }
    let at = site;
    for (let hops = 0; at !== tail; hops++) {
      if (hops === sites || eff[at] === NONE) return false;
      at = eff[at]!;
    }
  }
  return true;
}

/** A site that has not left has neither its `last` nor its `next` among those that have. */
export function nonePointsAtLeft(observed: Int32Array): boolean {
  let left = 0;
  for (let site = 0; site < observed.length; site++) if ((observed[site]! & LEFT) !== 0) left |= 1 << site;
  if (left === 0) return true;
  for (let site = 0; site < observed.length; site++) {
    const observation = observed[site]!;
    if (
      ((left >> site) & 1) === 0 &&
      ((left >> lastOf(observation)) & 1) + ((left >> nextOf(observation)) & 1) > 0
    )
      return false;
  }
  return true;
}

/** `eff` and the queues of a state in words: why T or Q does not hold. */
export function describeEff({ actors }: StateView): string {
  const ids = actors.map(({ id }) => id);
  const observed = Int32Array.from(actors, (actor) => observe(actor, (id) => ids.indexOf(id)));
  if (!findEff(observed)) return 'a queue has no head: next leads around in a circle';
  return actors
    .flatMap((actor, index) => {
      if ((observed[index]! & LEFT) !== 0) return [];
      const { next } = site(actor).context;
      const queue = next === null ? '' : ` (next ${next})`;
      return [`${actor.id}${queue} -> ${eff[index] === NONE ? 'root' : ids[eff[index]!]}`];
    })
    .join(', ');
}
