import type { SiteId } from '../../../machines/actor.ts';
import type { SiteView } from '../../../machines/line/invariants.ts';
import type { SiteMessage } from '../../../machines/line/messages.ts';
import type { ActorView, StateView } from '../../system/system.ts';
import { hasLeft, tokens } from '../token.ts';

/** The actor as a site of the line rule. */
export function site({ value, context }: ActorView): SiteView {
  return { value, context } as unknown as SiteView;
}

/** The messages on their way to this site. */
export function messages({ inbox }: ActorView): readonly SiteMessage[] {
  return inbox.map(({ message }) => message as SiteMessage);
}

/** The sites whose wait passes through this site: in its line, or named by a message on its way to it (L1). */
export function places(actor: ActorView): readonly SiteId[] {
  return [
    ...site(actor).context.line,
    ...messages(actor).flatMap((message) => {
      if (message.type === 'REQUEST') return [message.origin];
      return message.type === 'TOKEN' ? [actor.id, ...message.line] : [];
    }),
  ];
}

/*
 * T is judged for millions of states: integers in, no allocation. A site is observed as: bits 0-3 `last` (15 for nil), bits 4-18 the
 * sites whose wait passes through it, bit 19 a token here or on its way here, bit 20 it has left.
 */

const NIL = 15;
const TOKEN = 1 << 19;
const LEFT = 1 << 20;

export function observe(actor: ActorView, indexOf: (id: SiteId) => number): number {
  const { last } = site(actor).context;
  let observed = last === null ? NIL : indexOf(last);
  for (const id of places(actor)) observed |= 1 << (4 + indexOf(id));
  return observed | (tokens(actor) > 0 ? TOKEN : 0) | (hasLeft(actor) ? LEFT : 0);
}

const lastOf = (observed: number) => observed & 15;
const namesOf = (observed: number) => (observed >> 4) & 0x7fff;

const NONE = -1;

/** The parent of a site: its `last`, or else the site through which its wait passes. */
function parentOf(observed: Int32Array, index: number): number {
  const last = lastOf(observed[index]!);
  if (last !== NIL) return last;
  for (let other = 0; other < observed.length; other++) {
    if (((namesOf(observed[other]!) >> index) & 1) === 1) return other;
  }
  return NONE;
}

/** T: the parents of the sites that have not left form one tree, whose root has the token or gets it. */
export function isTree(observed: Int32Array): boolean {
  const sites = observed.length;
  let reaches = 0;
  for (let index = 0; index < sites; index++) {
    if ((observed[index]! & TOKEN) === 0) continue;
    if (reaches !== 0) return false;
    reaches = 1 << index;
  }
  for (let index = 0; index < sites; index++) {
    if ((observed[index]! & LEFT) !== 0) continue;
    let path = 0;
    let at = index;
    while (((reaches >> at) & 1) === 0) {
      if (((path >> at) & 1) === 1 || (observed[at]! & LEFT) !== 0) return false;
      path |= 1 << at;
      at = parentOf(observed, at);
      if (at === NONE) return false;
    }
    reaches |= path;
  }
  return true;
}

/** No site that takes part has its `last`, or a site of its line, among those that have left. */
export function nonePointsAtLeft(observed: Int32Array): boolean {
  let left = 0;
  for (let index = 0; index < observed.length; index++) {
    if ((observed[index]! & LEFT) !== 0) left |= 1 << index;
  }
  if (left === 0) return true;
  return observed.every(
    (observation, index) =>
      ((left >> index) & 1) === 1 ||
      (((left >> lastOf(observation)) & 1) === 0 && (namesOf(observation) & left) === 0),
  );
}

/** The parents of a state in words. */
export function describeTree({ actors }: StateView): string {
  const ids = actors.map(({ id }) => id);
  const observed = Int32Array.from(actors, (actor) => observe(actor, (id) => ids.indexOf(id)));
  return ids
    .map((id, index) => {
      if ((observed[index]! & LEFT) !== 0) return `${id} has left`;
      if ((observed[index]! & TOKEN) !== 0) return `${id} has the token or gets it`;
      const parent = parentOf(observed, index);
      return `${id} -> ${parent === NONE ? 'no site' : ids[parent]}`;
    })
    .join(', ');
}
