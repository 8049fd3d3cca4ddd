import type { AnyStateMachine } from 'xstate';
import type { Disk } from '../../machines/epoch/messages.ts';
import { type SiteInput, siteMachine } from '../../machines/epoch/site.ts';
import { type Options, siteNames } from '../sites.ts';
import type { ActorSpec, Bound, EnvironmentEvent, System } from '../system/system.ts';
import { nothingUnexpected } from '../unexpected.ts';
import { withoutCount } from './count.ts';
import { elections, grants } from './histories.ts';
import { isDead, promiseOf } from './observed.ts';
import { ofElections, ofGrants, ofRestarts } from './properties.ts';

/** What may go wrong. All sites vote; the first is the founder. */
export interface EpochOptions extends Options {
  /** No site suspects once it has promised this epoch, so that there are so many changes at most. Default: 1. */
  readonly changes?: number;
  /** The sites that may crash, each once. Default: the founder. */
  readonly crashes?: 'founder' | 'all' | 'none';
  /** May a crashed site start again, with its disk or without? Default: `'never'`. */
  readonly restart?: 'never' | 'with disk' | 'without disk';
  /** How often a link may lose the tail of what is under way. Default: 0. */
  readonly breaks?: Bound;
  /** Does a client give up at any time? Default: false. */
  readonly withdraw?: boolean;
  /** `machine` runs in place of the real one: a mutant. */
  readonly machine?: AnyStateMachine;
  /** Are stale candidates refused (R10)? Without, the model is that of the rules before it. Default: true. */
  readonly refusals?: boolean;
  /** Leave messages that will never be heeded on the network? Default: false. */
  readonly keepDead?: boolean;
}

/** Clients ask without end; no grant is counted. For S1, S2 and S4. */
export function epoch(options: EpochOptions): System {
  const { changes = 1, restart, machine = siteMachine } = options;
  const properties = ofElections(siteNames(options), changes);
  return system('epoch', { ...options, machine: withoutCount(machine) }, 'unbounded', {
    history: elections,
    properties: restart === 'with disk' ? [...properties, ...ofRestarts] : properties,
  });
}

/** `epoch` with two changes, in which the founder may come back with its disk. */
export function epochRestarts(options: EpochOptions): System {
  return { ...epoch({ changes: 2, restart: 'with disk', ...options }), name: 'epoch-restarts' };
}

/** Each client asks `asks` times (default: 2), and every grant is counted. For S3 and S5. */
export function epochFences(options: EpochOptions & { readonly asks?: number }): System {
  const { asks = 2 } = options;
  return system('epoch-fences', options, asks, {
    history: grants,
    properties: ofGrants(siteNames(options), asks),
  });
}

const release: EnvironmentEvent = { event: { type: 'release' }, when: (site) => site.in('client.inCS') };
const withdraw: EnvironmentEvent = {
  event: { type: 'withdraw' },
  when: (site) => site.in('client.requesting'),
};

function system(
  name: string,
  options: EpochOptions,
  asks: Bound,
  rest: Pick<System, 'history' | 'properties'>,
): System {
  const { changes = 1, crashes = 'founder', restart = 'never', breaks = 0, keepDead = false } = options;
  const { refusals = true, network } = options;
  const { machine = siteMachine } = options;
  const sites = siteNames(options);
  const founder = sites[0]!;
  const withoutRefusals = machine.provide({ guards: { stale: () => false } });
  const input = (self: string, disk: SiteInput['disk']): SiteInput => ({
    self,
    founder,
    voters: sites,
    disk,
  });
  const environment: readonly EnvironmentEvent[] = [
    {
      event: { type: 'ask' },
      when: (site) => site.in('client.idle') || site.in('client.withdrawn'),
      times: asks,
    },
    release,
    ...(options.withdraw ? [withdraw] : []),
    { event: { type: 'suspect' }, when: (site) => !site.in('epoch.barred') && promiseOf(site) < changes },
  ];
  const actor = (self: string): ActorSpec => ({
    machine: refusals ? machine : withoutRefusals,
    input: input(self, 'none'),
    environment,
    ...(keepDead ? {} : { dead: (message, site) => isDead(refusals ? changes : 0, message, site) }),
    ...(crashes === 'all' || (crashes === 'founder' && self === founder) ? { crash: { times: 1 } } : {}),
    ...(restart === 'never'
      ? {}
      : {
          restart: {
            input: (disk: unknown) => input(self, restart === 'with disk' ? (disk as Disk) : 'lost'),
          },
        }),
  });
  const spec = actor(founder);
  return {
    name,
    actors: Object.fromEntries(sites.map((self) => [self, actor(self)])),
    network: { ...network, ...(breaks === 0 ? {} : { breaks }) },
    ...rest,
    properties: [...rest.properties, nothingUnexpected(spec, network)],
  };
}
