import type { AnyStateMachine } from 'xstate';
import { type LinkEvent, linkMachine } from '../../../machines/link/link.ts';
import type { ActorSpec, ActorView, EnvironmentEvent, Network, System } from '../../system/system.ts';
import { type Options, OptionsError, siteNames } from '../sites.ts';
import { nothingUnexpected } from '../unexpected.ts';
import { type EndInput, end, type Past, withOutside } from './observed.ts';
import { afresh, drains, happens, loses, progress, safety } from './properties.ts';

export interface LinkOptions extends Options {
  /** Runs in place of the real one: a mutant. */
  readonly machine?: AnyStateMachine;
  /** How many payloads each site posts for each life of the other. Default: 3. */
  readonly posts?: number;
  /** The most payloads that wait. Default: 2. */
  readonly limit?: number;
  /** How often a is connected to b. All but the last connection break, at any time. Default: 3. */
  readonly connections?: number;
  /** Who crashes once, at any time, and starts again as another incarnation. Default: nobody. */
  readonly crashes?: readonly ('a' | 'b')[];
  /** Who finishes once, at any time, and posts nothing after it. Default: both, unless one crashes. */
  readonly finishes?: readonly ('a' | 'b')[];
}

/**
 * Two ends of a link: a dials b. A connection is a number that each frame carries. When an end is told
 * `disconnected`, or joins a later connection, what is still under way to it on the old one is lost: any last part,
 * in each direction for itself, and the other end may learn of it at any time after or before.
 *
 * Throws `SITES_OUT_OF_RANGE` unless there are two sites, and `NETWORK_UNFIT` unless the network is a reliable `fifo`: a
 * stream is that, until it breaks.
 */
export function link(options: LinkOptions): System {
  const { machine = linkMachine, posts = 3, limit = 2, connections = 3 } = options;
  const { crashes = [], network } = options;
  const { finishes = crashes.length === 0 ? (['a', 'b'] as const) : [] } = options;
  refuseUnfit(options);
  const lives = (site: 'a' | 'b') => (crashes.includes(site) ? [`${site}1`, `${site}2`] : [`${site}1`]);
  const observed = withOutside(machine);
  const forEver = crashes.length === 0;
  const actor = (self: 'a' | 'b', other: 'a' | 'b', more: readonly EnvironmentEvent[]): ActorSpec => {
    const input = (life: 1 | 2, past: Pick<Past, 'joined' | 'delivered'>): EndInput => ({
      incarnation: `${self}${life}`,
      limit,
      other,
      past,
    });
    const nothing = { joined: 0, delivered: {} };
    return {
      machine: observed,
      input: input(1, nothing),
      environment: [
        ...numbersTo(posts).flatMap((number) =>
          lives(self).flatMap((from) => lives(other).map((to) => post(from, to, number, forEver))),
        ),
        flushAck,
        ...(finishes.includes(self) ? [finish] : []),
        ...numbersTo(forEver ? connections - 1 : connections).map(disconnected),
        ...more,
      ],
      ...(crashes.includes(self)
        ? {
            crash: { times: 1 },
            restart: { input: (disk) => input(2, (disk as EndInput['past'] | null) ?? nothing) },
          }
        : {}),
    };
  };
  const actors = {
    a: actor('a', 'b', numbersTo(connections).map(connected)),
    b: actor('b', 'a', crashes.includes('a') ? [lateHello, disconnected(lateHello.event.connection)] : []),
  };
  return {
    name: 'link',
    actors,
    network,
    // What an end tells its site, its timers and its log.
    outside: ['ackOwed', 'overflow', 'met', 'unexpected'],
    properties: [
      ...safety,
      nothingUnexpected(actors.a, network),
      ...happens,
      ...(connections > 1 ? [loses] : []),
      ...(finishes.length > 0 ? [drains] : []),
      ...(forEver ? progress(posts) : afresh),
    ],
  };
}

/** The same, where each site crashes once and starts again. Then the last connection breaks, too. */
export function linkRestarts(options: LinkOptions): System {
  return { ...link({ posts: 1, limit: 1, crashes: ['a', 'b'], ...options }), name: 'link-restarts' };
}

function refuseUnfit(options: Options): void {
  if (siteNames(options).length !== 2) {
    throw new OptionsError('SITES_OUT_OF_RANGE', `A link has 2 sites, not ${options.sites}: ask for 2.`);
  }
  const { order, loss, duplication, breaks }: Network = options.network;
  if (order !== 'fifo' || loss !== undefined || duplication !== undefined || breaks !== undefined) {
    throw new OptionsError(
      'NETWORK_UNFIT',
      'A link runs over streams, which break as its system says: ask for fifo, without faults of the network.',
    );
  }
}

/** In order. Where lives end, only for one that has been met: earlier, the link itself cannot tell for which. */
function post(from: string, to: string, number: number, forEver: boolean): EnvironmentEvent {
  const event: LinkEvent = { type: 'post', payload: { from, to, number } };
  return {
    event,
    when: (actor) => {
      const { incarnation, peer, finishing, past } = end(actor);
      return (
        incarnation === from &&
        (forEver || peer === to) &&
        !finishing &&
        !past.drained &&
        past.posted.filter((payload) => payload.to === to).length === number - 1
      );
    },
  };
}

const flushAck: EnvironmentEvent = {
  event: { type: 'flushAck' },
  when: (actor) => actor.in('up.owing'),
};

const finish: EnvironmentEvent = { event: { type: 'finish' }, times: 1 };

function connected(connection: number): EnvironmentEvent {
  const event: LinkEvent = { type: 'connected', connection };
  return { event, when: (actor) => end(actor).past.joined === connection - 1 };
}

function disconnected(connection: number): EnvironmentEvent {
  const event: LinkEvent = { type: 'disconnected', connection };
  return { event, when: (actor) => end(actor).connection === connection };
}

/** What the first life of a has left in the socket of a connection that b comes to only after it has met the second. */
const lateHello = {
  event: { type: 'HELLO', incarnation: 'a1', connection: 0 } satisfies LinkEvent,
  when: (actor: ActorView) => end(actor).peer === 'a2',
  times: 1,
};

function numbersTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
