import type { AnyStateMachine } from 'xstate';
import { siteMachine } from '../../../machines/naimi-trehel/site.ts';
import type { ActorSpec, Bound, EnvironmentEvent, Property, System } from '../../system/system.ts';
import { combining } from '../row.ts';
import { type Options, OptionsError, siteNames } from '../sites.ts';
import { nothingUnexpected } from '../unexpected.ts';
import { leavingProperties } from './leaving.ts';
import { leavingLiveness, liveness } from './liveness.ts';
import { combinedProperties, properties } from './properties.ts';

/** `machine` runs in place of the real one: a mutant. */
type SiteOptions = Options & { readonly machine?: AnyStateMachine };

const ask: EnvironmentEvent = { event: { type: 'ask' }, when: (site) => site.in('client.idle') };
const askAgain: EnvironmentEvent = {
  event: { type: 'ask' },
  when: (site) => site.in('client.idle') || site.in('client.withdrawn'),
};
const release: EnvironmentEvent = { event: { type: 'release' }, when: (site) => site.in('client.inCS') };
const withdraw: EnvironmentEvent = {
  event: { type: 'withdraw' },
  when: (site) => site.in('client.requesting'),
};
const leave: EnvironmentEvent = { event: { type: 'leave' }, when: (site) => site.in('client.inCS') };

/** Clients ask and release, without end: the model whose counts protocol.md publishes. */
export function naimiTrehel(options: SiteOptions): System {
  const runs = options.liveness ? liveness(options) : [];
  return system('naimi-trehel', options, [ask, release], [...properties(options), ...runs]);
}

/**
 * Clients also say `again` up to `inARow` times in a row (default: 2), as if others waited behind them, and try to
 * enter without waiting.
 */
export function naimiTrehelCombined(options: SiteOptions & { readonly inARow?: Bound }): System {
  const { inARow = 2, machine = siteMachine, ...rest } = options;
  const combined = combining(machine, inARow, { isSeen: options.liveness === true });
  const runs = options.liveness ? liveness(options) : [];
  return system(
    'naimi-trehel-combined',
    { ...rest, machine: combined.machine },
    [ask, release, ...combined.says],
    [...properties(options), ...combinedProperties(), ...runs],
  );
}

/**
 * Clients also withdraw, and sites leave. Throws `NETWORK_UNFIT` unless the network is `fifo`: a GOODBYE
 * says that nothing more comes behind it.
 */
export function naimiTrehelLeaving(options: SiteOptions): System {
  const { order } = options.network;
  if (order !== 'fifo') {
    throw new OptionsError(
      'NETWORK_UNFIT',
      `Sites can leave on a fifo network, not on ${order}: ask for fifo.`,
    );
  }
  const environment = [askAgain, release, withdraw, leave];
  const runs = options.liveness ? leavingLiveness(options) : [];
  return system('naimi-trehel-leaving', options, environment, [...leavingProperties(options), ...runs]);
}

function system(
  name: string,
  options: SiteOptions,
  environment: readonly EnvironmentEvent[],
  rules: readonly Property[],
): System {
  const { machine = siteMachine, network } = options;
  const sites = siteNames(options);
  const root = sites[0]!;
  const actor = (self: string): ActorSpec => ({
    machine,
    input: { self, root, peers: sites.length - 1 },
    environment,
  });
  return {
    name,
    actors: Object.fromEntries(sites.map((self) => [self, actor(self)])),
    network,
    // The effects for clients and the log.
    outside: ['grant', 'unexpected'],
    properties: [...rules, nothingUnexpected(actor(root), network)],
    symmetry: sites,
  };
}
