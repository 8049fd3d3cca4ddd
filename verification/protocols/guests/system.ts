import type { AnyStateMachine } from 'xstate';
import type { SiteId } from '../../../machines/actor.ts';
import { guestMachine } from '../../../machines/guests/guest.ts';
import { proxyMachine } from '../../../machines/guests/proxy.ts';
import type { ActorSpec, ActorView, EnvironmentEvent, System } from '../../system/system.ts';
import { type Options, OptionsError } from '../sites.ts';
import { nothingUnexpected } from '../unexpected.ts';
import { clockId, clockMachine, lockId, lockMachine, withDeath, withTime } from './model.ts';
import { guest, history, liveness, properties } from './properties.ts';

export interface GuestsOptions {
  /** Number of guests, 1 to 9. Default: 2. */
  readonly guests?: number;
  /** Number of members, 1 to 9. All guests try them in the same order, again and again. Default: 2. */
  readonly members?: number;
  /** How often each client asks. Default: 1. */
  readonly asks?: number;
  /** How often it asks again as it releases. Default: 0. */
  readonly again?: number;
  /** How often it withdraws. Default: 0. */
  readonly withdraws?: number;
  /** How many sessions a guest has: all but the last may end at any time. Default: 2. */
  readonly sessions?: number;
  /** How often a member dies, which is the first. Default: 0. */
  readonly deaths?: 0 | 1;
  /** How often a member loses the lock while it is inside. Default: 0. */
  readonly revocations?: number;
  /** How often a member has no room for the lock. Default: 0. */
  readonly refusals?: number;
  readonly liveness?: boolean;
  /** Mutants, in the place of the real machines. */
  readonly guestMachine?: AnyStateMachine;
  readonly proxyMachine?: AnyStateMachine;
}

/**
 * Guests of one lock. The lock among the members is what their promises say of it; beside each guest runs its statechart,
 * beside each member the proxy of all its guests.
 */
export function guests(options: GuestsOptions): System {
  const {
    guests: size = 2,
    members: most = 2,
    asks = 1,
    again = 0,
    withdraws = 0,
    sessions = 2,
    deaths = 0,
    revocations = 0,
    refusals = 0,
  } = options;
  const ids = names('g', size);
  const members = names('m', most);
  const proxy = withDeath(options.proxyMachine ?? proxyMachine);
  const client: readonly EnvironmentEvent[] = [
    { event: { type: 'ask' }, when: (actor) => actor.in('idle'), times: asks },
    { event: { type: 'release' }, when: (actor) => actor.in('inCS') },
    { event: { type: 'releaseAndAsk' }, when: (actor) => actor.in('inCS'), times: again },
    { event: { type: 'withdraw' }, when: (actor) => actor.in('requesting'), times: withdraws },
    {
      event: { type: 'attached' },
      payloads: (actor) => {
        const { session } = guest(actor);
        return [{ member: members[session % most], session: session + 1 }];
      },
      when: (actor) => guest(actor).member === null,
    },
    {
      event: { type: 'expired' },
      when: (actor) => guest(actor).member !== null && guest(actor).session < sessions,
    },
  ];
  const machine = withTime(options.guestMachine ?? guestMachine);
  const actors: Record<SiteId, ActorSpec> = {
    ...Object.fromEntries(
      ids.map((self) => [self, { machine, input: { self }, environment: client } satisfies ActorSpec]),
    ),
    ...Object.fromEntries(
      members.map((id, index) => [
        id,
        {
          machine: proxy,
          environment:
            index === 0 && deaths > 0
              ? [{ event: { type: 'die', member: id } as { readonly type: string }, times: deaths }]
              : [],
        } satisfies ActorSpec,
      ]),
    ),
    [lockId]: {
      machine: lockMachine,
      deliver: (message, source) => ({ ...message, member: source }),
      environment: [
        {
          event: { type: 'revoke' },
          when: ({ context }: ActorView) => context['holder'] !== null,
          times: revocations,
        },
        {
          event: { type: 'refuse' },
          when: ({ context }: ActorView) => (context['queue'] as unknown[]).length > 0,
          times: refusals,
        },
      ].filter(({ times }) => times > 0),
    },
    [clockId]: { machine: clockMachine },
  };
  const network = { order: 'fifo' } as const;
  return {
    name: 'guests',
    actors,
    network,
    history,
    // Reports to the driver.
    outside: ['grant', 'refused', 'lost', 'moved', 'unexpected'],
    properties: [
      ...properties({
        exclusive: revocations === 0,
        moves: sessions > 1 || deaths > 0,
        withdraws: withdraws > 0,
        refuses: refusals > 0 && withdraws > 0,
        several: size > 1,
      }),
      nothingUnexpected(actors[ids[0]!]!, network),
      ...(options.liveness ? liveness(ids) : []),
    ],
  };
}

/** As many guests as sites are asked for, at two members; one member may die. */
export function guestsOf(options: Options): System {
  const { sites, network } = options;
  if (!Number.isInteger(sites) || sites < 1 || sites > 9)
    throw new OptionsError(
      'SITES_OUT_OF_RANGE',
      `A system has 1 to 9 guests, not ${sites}: choose a number in this range.`,
    );
  if (network.order !== 'fifo')
    throw new OptionsError(
      'NETWORK_UNFIT',
      'Guests and members talk over links, which keep the order: ask for fifo.',
    );
  return guests({ guests: sites, deaths: 1, liveness: options.liveness ?? false });
}

const names = (prefix: string, count: number): readonly SiteId[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
