import type { Message } from '../../../machines/actor.ts';
import type { Arrival } from '../../../machines/link/frames.ts';
import {
  type ActorView,
  always,
  deadlockFree,
  deliveries,
  events,
  every,
  leadsTo,
  not,
  type Property,
  reachable,
  relation,
  type StatePredicate,
  some,
  weakly,
} from '../../system/index.ts';
import { type End, end, type Numbered } from './observed.ts';

/* The guarantees of R9 in protocol.md, and properties that keep them from holding vacuously. */

const onceAndInOrder = always(
  'each payload once and in order',
  each(({ past }) =>
    Object.values(past.delivered).every((payloads) => {
      const last = new Map<string, number>();
      return payloads.every(({ from, to, number }) => {
        const before = last.get(`${from} ${to}`) ?? 0;
        last.set(`${from} ${to}`, number);
        return number === before + 1;
      });
    }),
  ),
);

const meantForThisLife = always(
  'no life is delivered what was meant for another',
  each(({ past }) =>
    Object.entries(past.delivered).every(([life, payloads]) => payloads.every(({ to }) => to === life)),
  ),
);

const nothingVanishes = always(
  'a posted message waits, or was delivered, or was reported lost',
  between(({ past, outbox }, receiver) => {
    const somewhere = [...past.lost, ...outbox, ...received(receiver)];
    return past.posted.every(isAmong(somewhere));
  }),
);

const lostWithItsLife = always(
  'a message reported lost was for a life that is over',
  each(({ past, peer }) => past.lost.every(({ to }) => to !== peer)),
);

const reportedAtOnce = always(
  'a waiting message is for the life that is known',
  each(({ outbox, peer }) => peer === null || outbox.every(({ to }) => to === peer)),
);

const drainedLast = always(
  'a drained end was received, or has reported it lost',
  between(
    ({ past }, receiver) =>
      !past.drained || past.posted.every(isAmong([...past.lost, ...received(receiver)])),
  ),
);

const outboxIsBounded = always(
  'the outbox is bounded',
  each(({ outbox, limit }) => outbox.length <= limit),
);

export const safety: readonly Property[] = [
  onceAndInOrder,
  meantForThisLife,
  nothingVanishes,
  lostWithItsLife,
  reportedAtOnce,
  drainedLast,
  outboxIsBounded,
];

/** Situations that the link can reach. */
export const happens: readonly Property[] = [
  reachable(
    'the outbox is full',
    some((actor) => actor.up && end(actor).outbox.length === end(actor).limit),
  ),
  reachable(
    'an acknowledgement travels with a payload',
    some(({ inbox }) => inbox.some(({ message }) => isData(message) && message.ack > 0)),
  ),
];

/** Applies where a connection breaks. */
export const loses: Property = reachable(
  'a payload is lost with its connection',
  some((actor) => {
    const { connection, delivered } = end(actor);
    return actor.inbox.some(
      ({ message }) => isData(message) && message.connection !== connection && message.seq > delivered,
    );
  }),
);

/** Applies where a site finishes. */
export const drains: Property = reachable(
  'one is drained after it has waited',
  some((actor) => actor.up && end(actor).past.drained && end(actor).past.posted.length > 0),
);

/** Applies where a site restarts. */
export const afresh: readonly Property[] = [
  reachable(
    'a message reported lost was delivered',
    not(between(({ past }, receiver) => !past.lost.some(isAmong(received(receiver))))),
  ),
  reachable(
    'a message reported lost was not delivered',
    not(between(({ past }, receiver) => past.lost.every(isAmong(received(receiver))))),
  ),
  reachable(
    'a second life is delivered to',
    some((actor) => actor.up && Object.keys(end(actor).past.delivered).length > 1),
  ),
];

/**
 * Applies where the breaks stop and no site crashes: each of two sites posts `posts` payloads, and the last
 * connection stays.
 */
export function progress(posts: number): readonly Property[] {
  const isServed = ({ past, outbox }: End, receiver: End) =>
    outbox.length === 0 && received(receiver).length === past.posted.length;
  const hasPosted = ({ past }: End) => past.posted.length === posts;
  const isQuiet = (actor: ActorView) => actor.in('up.settled') && actor.inbox.length === 0;
  const quiet = (ends: StatePredicate): StatePredicate => ({ kind: 'and', of: [every(isQuiet), ends] });
  const served = between((sender, receiver) => hasPosted(sender) && isServed(sender, receiver));
  const servedOrDrained = between(
    (sender, receiver) => (hasPosted(sender) || sender.past.drained) && isServed(sender, receiver),
  );
  const fairness = weakly(deliveries, events('connected', 'flushAck'));
  return [
    reachable('all is delivered and acknowledged', quiet(served)),
    deadlockFree('at rest all is delivered and acknowledged', quiet(servedOrDrained)),
    leadsTo('a posted message is delivered', not(between(isDelivered)), between(isDelivered), fairness),
    leadsTo(
      'a waiting message is acknowledged',
      some((actor) => end(actor).outbox.length > 0),
      every((actor) => end(actor).outbox.length === 0),
      fairness,
    ),
    leadsTo(
      'an end that finishes is drained',
      some((actor) => end(actor).finishing),
      every((actor) => !end(actor).finishing || end(actor).past.drained),
      fairness,
    ),
  ];
}

const isDelivered = ({ past }: End, receiver: End) => past.posted.length === received(receiver).length;

/** The payloads delivered to `end`, in all its incarnations. */
function received({ past }: End): readonly Numbered[] {
  return Object.values(past.delivered).flat();
}

function isData(message: Message): message is Extract<Arrival, { readonly type: 'DATA' }> {
  return message.type === 'DATA';
}

function isAmong(payloads: readonly Numbered[]) {
  return ({ from, to, number }: Numbered) =>
    payloads.some((other) => other.from === from && other.to === to && other.number === number);
}

/** Holds for every end that is up. */
function each(is: (end: End) => boolean): StatePredicate {
  return every((actor) => !actor.up || is(end(actor)));
}

/** Holds for the two ends, when both are up, with each as the sender and the other as the receiver. */
function between(holds: (sender: End, receiver: End) => boolean): StatePredicate {
  const ends: (End | null)[] = [];
  return relation(
    (actor) => ends.push(actor.up ? end(actor) : null) - 1,
    (observed) => {
      const [a, b] = [ends[observed[0]!]!, ends[observed[1]!]!];
      return a === null || b === null || (holds(a, b) && holds(b, a));
    },
  );
}
