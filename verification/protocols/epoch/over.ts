import type { AnyStateMachine } from 'xstate';
import type { DurableState } from '../../../machines/epoch/messages.ts';
import { noRoomMachine } from '../../../machines/epoch/no-room.ts';
import { type SiteInput, siteMachine } from '../../../machines/epoch/site.ts';
import { siteSetup } from '../../../machines/epoch/steps.ts';
import { deliveries, events, ltl, restarts, some, weakly } from '../../system/properties.ts';
import type {
  ActorSpec,
  ActorView,
  Fairness,
  Property,
  StatePredicate,
  System,
} from '../../system/system.ts';
import { sectionEnds } from '../row.ts';
import { type Options, siteNames } from '../sites.ts';
import { withoutCount } from './count.ts';
import { follows, isInside, promiseOf, waits } from './observed.ts';

export interface OverOptions extends Options {
  /** The first site, the root of epoch 0: has it crashed and come back, or no room for the lock? Default: crashes. */
  readonly founder?: 'crashes' | 'has no room';
  /** Run in place of the real ones: mutants. */
  readonly machine?: AnyStateMachine;
  readonly noRoom?: AnyStateMachine;
}

/**
 * Nobody suspects by a clock or a connection: only the site that is told that its request was not taken (M5), and one that comes
 * back and wants the lock (R7). Requests wait for the founder while it is down. There is one change of the epoch.
 */
export function epochOver(options: OverOptions): System {
  const { founder = 'crashes', machine = siteMachine, noRoom = noRoomMachine, network } = options;
  const sites = siteNames(options);
  const [first] = sites;
  const suspecting = withoutCount(machine).provide({ actions: { unheard: suspectsUpTo(1) } as object });
  const site = (self: string): ActorSpec => {
    const input = (disk: SiteInput['disk']): SiteInput => ({ self, founder: first!, voters: sites, disk });
    return {
      machine: suspecting,
      input: input('none'),
      environment: [
        { event: { type: 'ask' }, when: (actor) => actor.in('client.idle') },
        { event: { type: 'release' }, when: isInside },
        {
          event: { type: 'suspect' },
          when: (actor) => actor.in('epoch.closed') && waits(actor) && promiseOf(actor) < 1,
        },
      ],
      ...(self === first && {
        crash: { times: 1, when: (actor: ActorView) => actor.in('client.idle'), inbox: 'kept' as const },
        restart: { input: (disk: unknown) => input(disk as DurableState) },
      }),
    };
  };
  const others = sites.slice(1);
  const full: ActorSpec = { machine: noRoom, input: { self: first }, environment: [] };
  return {
    name: 'epoch-over',
    actors: {
      [first!]: founder === 'crashes' ? site(first!) : full,
      ...Object.fromEntries(others.map((self) => [self, site(self)])),
    },
    network,
    outside: ['grant', 'lost', 'elected', 'unexpected'],
    properties: others.map((id) =>
      isServed(`M5: ${id} is served, though nobody suspects but those that are told`, id, 1),
    ),
  };
}

/** A site that is told that its message was not taken suspects at once, while an epoch up to `changes` is left (M5). */
export const suspectsUpTo = (changes: number) =>
  siteSetup.enqueueActions(({ context, enqueue }, params) => {
    const { waits } = params as unknown as { readonly waits: boolean };
    if (waits && context.promised < changes) enqueue.raise({ type: 'suspect' });
  });

const quietInTheEnd: Fairness = weakly(deliveries, sectionEnds, restarts, events('suspect'));

/** Each site that waits is served; the one excuse is a split vote, as in `epoch-liveness`. */
export function isServed(name: string, id: string, changes: number): Property {
  const at = (is: (site: ActorView) => boolean): StatePredicate => some((site) => site.id === id && is(site));
  return ltl(
    name,
    'G (waits -> F (served | G (tried & !decided)))',
    {
      waits: at(waits),
      served: at(isInside),
      tried: some((site) => promiseOf(site) === changes),
      decided: some((site) => follows(site) && promiseOf(site) === changes),
    },
    quietInTheEnd,
  );
}
