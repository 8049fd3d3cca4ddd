import type { SiteId } from '../../../machines/actor.ts';
import type { SketchMessage } from '../../../machines/sketch/messages.ts';
import type { SketchContext } from '../../../machines/sketch/site.ts';
import type { ActorView, Property, StatePredicate } from '../../system/system.ts';

export function site({ context }: ActorView): SketchContext {
  return context as unknown as SketchContext;
}

const runs = (actor: ActorView) => actor.in('running');
const inSC = (actor: ActorView) => actor.in('running.CriticalSection.inSC');
const waits = (actor: ActorView) => actor.in('running.main.waiting');

function messages({ inbox }: ActorView): readonly SketchMessage[] {
  return inbox.map(({ message }) => message as SketchMessage);
}

const coming = (actor: ActorView) => messages(actor).filter(({ type }) => type === 'TOKEN').length;
const tokens = (actor: ActorView) => (runs(actor) ? coming(actor) + (site(actor).hastoken ? 1 : 0) : 0);

/** The origins of the requests on their way to this site. A site that has quit serves no request. */
function requests(actor: ActorView): readonly SiteId[] {
  if (!runs(actor)) return [];
  return messages(actor).flatMap((message) => (message.type === 'TOKENREQUEST' ? [message.port] : []));
}

/** The places from which a waiting site can be served: a request, a `next`, and the token. */
function places(actor: ActorView): readonly SiteId[] {
  if (!runs(actor)) return [];
  const { next, port } = site(actor);
  return [...requests(actor), ...(next === null ? [] : [next]), ...(tokens(actor) > 0 ? [port] : [])];
}

const every = (is: (actor: ActorView) => boolean): StatePredicate => ({ kind: 'every', is });

/** Excludes states in which a site has quit. */
function unlessOneQuit(predicate: StatePredicate): StatePredicate {
  return { kind: 'or', of: [{ kind: 'some', is: (actor) => !runs(actor) }, predicate] };
}

/** `because` names the function of the sketch that is at fault where `predicate` does not hold. */
function always(name: string, because: string, predicate: StatePredicate): Property {
  return { kind: 'always', name, predicate, because: () => because };
}

/** A user's expectations of a lock. The sketch meets the first and violates each of the others. */
export const properties: readonly Property[] = [
  {
    kind: 'always',
    name: 'mutual exclusion',
    predicate: { kind: 'count', of: (actor) => (inSC(actor) ? 1 : 0), is: (sum) => sum <= 1 },
  },
  always(
    'no request is lost while all stay',
    'handlemessage: the origin of a forwarded request is forgotten, and nobody will send the token there',
    unlessOneQuit({
      kind: 'tally',
      // A place counts twice, waiting counts once: 1 means waiting in no place.
      names: (actor) => [...(waits(actor) ? [actor.id] : []), ...places(actor), ...places(actor)],
      is: (times) => times !== 1,
    }),
  ),
  always(
    'a site that is next waits',
    'handlemessage: the emitter is the neighbour that delivered the request, not the site that asked',
    { kind: 'relation', of: observe, holds: nextWaits },
  ),
  always(
    'a site that takes itself for the root has the token or waits for it',
    'main: every site starts with last = root_port, which is also how a root knows itself',
    every((actor) => !takesItselfForRoot(actor) || site(actor).hastoken || waits(actor)),
  ),
  always(
    'only a site that has the token or waits for it has a next',
    'handlemessage: last = root_port may mean "I am the root" or "ask the site with that port"',
    every((actor) => !runs(actor) || site(actor).next === null || site(actor).hastoken || waits(actor)),
  ),
  always(
    'next is never overwritten',
    'handlemessage: a site that already has a next takes itself for the root, and the next request replaces it',
    every((actor) => !takesItselfForRoot(actor) || site(actor).next === null),
  ),
  always(
    'an idle root hands the token on at once',
    'CriticalSection: only after a critical section of its own does a site start sendToken',
    every((actor) => {
      const { hastoken, cptSC, next } = site(actor);
      return !(runs(actor) && hastoken && cptSC === 0 && next !== null) || actor.in('running.main.told');
    }),
  ),
  always(
    'nobody enters unasked',
    'CriticalSection: enters whenever the token is there, whether the user asked or not',
    every((actor) => !inSC(actor) || actor.in('running.main.served')),
  ),
  always(
    'quitting hands the token on',
    'main: closes all sockets with the token here, or on its way here',
    every((actor) => runs(actor) || (!site(actor).hastoken && coming(actor) === 0)),
  ),
  always(
    'quitting hands the queue on',
    'main: closes all sockets while somebody is next',
    every((actor) => runs(actor) || site(actor).next === null),
  ),
  always(
    'a site that asks where the token is enters',
    'main: only prints "tu as le jeton", and cptSC bars a token that has been used',
    every((actor) => !(actor.in('running.main.told') && site(actor).cptSC === 1)),
  ),
  always(
    'a site has one request under way',
    'main: calls sendCSRequest again while the first request is waiting',
    { kind: 'tally', names: requests, is: (times) => times <= 1 },
  ),
  always('the token is in one place', 'sendToken: the token is sent first and given up later', {
    kind: 'count',
    of: tokens,
    is: (sum) => sum <= 1,
  }),
  always(
    'the token is not lost while all stay',
    'sendToken: hastoken becomes false after the token has come back',
    unlessOneQuit({ kind: 'count', of: tokens, is: (sum) => sum >= 1 }),
  ),
  always(
    'nobody waits once nothing moves, while all stay',
    'no thread has anything to do and no message is on its way',
    unlessOneQuit({ kind: 'or', of: [{ kind: 'some', is: moves }, every((actor) => !waits(actor))] }),
  ),
];

function takesItselfForRoot(actor: ActorView): boolean {
  return runs(actor) && site(actor).last === site(actor).root_port;
}

/** True when some step will happen here without the user. */
function moves(actor: ActorView): boolean {
  const { hastoken, next, cptSC } = site(actor);
  return (
    actor.inbox.length > 0 ||
    inSC(actor) ||
    (hastoken && cptSC === 0) ||
    (next !== null && actor.in('running.sendToken.waitingForNext')) ||
    actor.in('running.sendToken.sent')
  );
}

const NOBODY = 15;
const WAITS = 1 << 4;

/**
 * Bits 0-3: the next site, 15 for none. Bit 4: this site waits, or has quit, and then its waiting cannot be
 * known.
 */
function observe(actor: ActorView, indexOf: (id: SiteId) => number): number {
  const { next } = site(actor);
  if (!runs(actor)) return NOBODY | WAITS;
  return (next === null ? NOBODY : indexOf(next)) | (waits(actor) ? WAITS : 0);
}

function nextWaits(observed: Int32Array): boolean {
  return observed.every(
    (observation) => (observation & 15) === NOBODY || (observed[observation & 15]! & WAITS) !== 0,
  );
}
