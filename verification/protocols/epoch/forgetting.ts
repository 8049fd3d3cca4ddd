import type { AnyStateMachine } from 'xstate';
import type { SiteId } from '../../../machines/actor.ts';
import type { DurableState } from '../../../machines/epoch/messages.ts';
import { type SiteInput, siteMachine } from '../../../machines/epoch/site.ts';
import { always, count, every, reachable, some } from '../../system/properties.ts';
import type { ActorSpec, ActorView, Property, System } from '../../system/system.ts';
import { type Options, siteNames } from '../sites.ts';
import { withoutCount } from './count.ts';
import { grants } from './histories.ts';
import { epochOf, follows, isInside, messages, promiseOf, site, waits } from './observed.ts';
import { isServed, suspectsUpTo } from './over.ts';
import { ofGrants } from './properties.ts';

export interface ForgettingOptions extends Options {
  /** How many epoch changes there are at most. Default: 1. */
  readonly changes?: number;
  /** How often each client asks, where grants are counted; without end where it is not given, and no grant is counted. */
  readonly asks?: number;
  /** `machine` runs in place of the real one: a mutant. */
  readonly machine?: AnyStateMachine;
  /**
   * The site begins a lock that it forgot with this promise, where `disk` is what it had. Default: with the promise that it had, which is enough
   * where no epoch but 0 is forgotten, that is with one change.
   */
  readonly floorOf?: (disk: DurableState) => number | null;
}

/** As the runtime has it (`dropIfForgotten` of `runtime/site/lock-table.ts`): the epoch in which the site was is below its promise. */
export const aboveEpoch = ({ promised, epoch }: DurableState): number => Math.max(promised, epoch + 1);

/**
 * A lock that nobody uses is forgotten (R13), with no failure: nobody suspects by a clock or a connection, but a site that wants a
 * lock which it forgot stands for it until it is elected, and so does one that hears that its request is lost (M5). A site that may drop the lock does so as in a
 * crash, once, and begins it anew with the promise that is left of it. A candidate in reach of all sites counts the votes of all, as
 * the runtime does, which waits for them: so a lock that comes back finds a holder where there is one.
 */
export function epochForgetting(options: ForgettingOptions): System {
  const { changes = 1, asks = 'unbounded', machine = siteMachine, network } = options;
  const { floorOf = ({ promised }: DurableState) => promised } = options;
  const isCounted = asks !== 'unbounded';
  const sites = siteNames(options);
  const [first] = sites;
  const running = (isCounted ? machine : withoutCount(machine)).provide({
    actions: { unheard: suspectsUpTo(changes) } as object,
    guards: { elected: ({ context }) => Object.keys(context.votes).length === sites.length },
  });
  const actor = (self: SiteId): ActorSpec => {
    const input = (disk: SiteInput['disk'], forgotten = false): SiteInput => ({
      ...{ self, founder: first!, voters: sites, disk },
      ...(forgotten && { forgotten }),
    });
    return {
      machine: running,
      input: input('none'),
      environment: [
        { event: { type: 'ask' }, when: (actor) => actor.in('client.idle'), times: asks },
        { event: { type: 'release' }, when: isInside },
        {
          event: { type: 'forget' },
          when: (actor) =>
            actor.in('epoch.closed') || (site(actor).context.token && promiseOf(actor) < changes),
        },
        {
          event: { type: 'suspect' },
          when: (actor) => waits(actor) && !follows(actor) && promiseOf(actor) < changes,
        },
      ],
      crash: { times: 1, when: (actor) => isUnused(actor) && actor.in('epoch.closed'), inbox: 'kept' },
      restart: {
        input: (disk: unknown) => {
          const floor = floorOf(disk as DurableState);
          return input(floor === null ? 'none' : { promised: floor, epoch: 0, root: first! }, true);
        },
      },
    };
  };
  return {
    name: 'epoch-forgetting',
    actors: Object.fromEntries(sites.map((self) => [self, actor(self)])),
    network,
    ...(isCounted && { history: grants }),
    outside: ['grant', 'lost', 'elected', 'forgotten', 'unexpected'],
    properties: [
      oneInside,
      onlyUnused,
      ...(isCounted ? ofGrants(sites, asks).filter(({ kind }) => kind === 'always') : happens),
      ...(isCounted
        ? []
        : sites.map((id) => isServed(`R13: ${id} is served, though the lock is forgotten`, id, changes))),
    ],
  };
}

const isUnused = (actor: ActorView) => actor.in('client.idle');

const oneInside = always(
  'a lock that was forgotten has one holder',
  count(isInside, (sites) => sites < 2),
);

/** The driver drops a lock with its callers when the statechart says that it may. */
const forgetsNow = (actor: ActorView) =>
  [{ type: 'forget' }, ...messages(actor)].some((event) =>
    actor.answer!(event).some((effect) => effect.type === 'forgotten'),
  );

const onlyUnused = always(
  'a site forgets no lock that its client waits for or holds',
  every((actor) => !actor.up || isUnused(actor) || !forgetsNow(actor)),
);

const happens: readonly Property[] = [
  reachable(
    'every site has forgotten the lock',
    every((actor) => actor.up && actor.in('epoch.closed') && isUnused(actor) && (actor.crashes ?? 0) > 0),
  ),
  reachable(
    'a lock that was forgotten is granted',
    some((actor) => isInside(actor) && (actor.crashes ?? 0) > 0 && epochOf(actor) > 0),
  ),
  reachable(
    'a lock is forgotten as a request for it is under way',
    some(
      (actor) =>
        actor.up &&
        actor.in('epoch.closed') &&
        messages(actor).some(({ type, epoch }) => type === 'REQUEST' && epoch === 0),
    ),
  ),
];
