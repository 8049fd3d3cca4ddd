import type { AnyStateMachine } from 'xstate';
import { type LinkEvent, linkMachine } from '../../../machines/link/link.ts';
import type { ActorSpec, ActorView, EnvironmentEvent, Network, System } from '../../system/system.ts';
import { type Options, OptionsError, siteNames } from '../sites.ts';
import { nothingUnexpected } from '../unexpected.ts';
import { type EndInput, end, type Past, withOutside } from './observed.ts';
import { afresh, drains, happens, loses, progress, safety } from './properties.ts';

export interface LinkOptions extends Options {
  /** A mutant that runs instead of the real machine. */
  readonly machine?: AnyStateMachine;
  /** Number of payloads that each site posts for each incarnation of the other. Default: 3. */
  readonly posts?: number;
  /** Maximum number of waiting payloads. Default: 2. */
  readonly limit?: number;
  /** Number of connections from a to b. All but the last connection break, at any time. Default: 3. */
  readonly connections?: number;
  /** Sites that crash once, at any time, and restart as another incarnation. Default: none. */
  readonly crashes?: readonly ('a' | 'b')[];
  /** Sites that finish once, at any time, and post nothing after it. Default: both, unless one crashes. */
  readonly finishes?: readonly ('a' | 'b')[];
}

/**
 * Two ends of a link: a dials b. A connection is a number that each frame carries. When an end receives
 * `disconnected` or joins a later connection, the frames still on their way to it on the old connection are
 * lost. The lost part is any suffix, in each direction separately. The other end may learn of the break at
 * any time before or after.
 *
 * Throws `SITES_OUT_OF_RANGE` unless there are two sites, and `NETWORK_UNFIT` unless the network is a
 * reliable `fifo`. A stream is a reliable `fifo` until it breaks.
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
    // The reports of an end to its site, its timers and its log.
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

/** The same system, where each site crashes once and restarts. Then the last connection breaks, too. */
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

/**
 * Posts the payloads in order. Where incarnations end, it posts only for one that has been met. Before that,
 * the link itself cannot tell which incarnation a payload is for.
 */
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

/**
 * A HELLO that the first incarnation of a has left in the socket of a connection. b reads it only after it
 * has met the second incarnation.
 */
const lateHello = {
  event: { type: 'HELLO', incarnation: 'a1', connection: 0 } satisfies LinkEvent,
  when: (actor: ActorView) => end(actor).peer === 'a2',
  times: 1,
};

function numbersTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
