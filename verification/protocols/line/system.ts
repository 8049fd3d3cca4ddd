import type { AnyStateMachine } from 'xstate';
import { type SiteContext, siteMachine } from '../../../machines/line/site.ts';
import type { ActorSpec, ActorView, Bound, EnvironmentEvent, System } from '../../system/system.ts';
import { combining } from '../row.ts';
import { type Options, OptionsError, siteNames } from '../sites.ts';
import { nothingUnexpected } from '../unexpected.ts';
import { site } from './observed.ts';
import { bounded, overtaking } from './overtaking.ts';
import { combinedProperties, leavingProperties, liveness, properties } from './properties.ts';

export interface LineOptions extends Options {
  /** Clients also withdraw. Default: false. */
  readonly withdraw?: boolean;
  /** `machine` runs in place of the site machine: a mutant. */
  readonly machine?: AnyStateMachine;
}

const ask: EnvironmentEvent = {
  event: { type: 'ask' },
  when: (actor) => actor.in('client.idle') || actor.in('client.withdrawn'),
};
const release: EnvironmentEvent = { event: { type: 'release' }, when: (actor) => actor.in('client.inCS') };
const releaseAndAsk: EnvironmentEvent = {
  event: { type: 'releaseAndAsk' },
  when: (actor) => actor.in('client.inCS') && lineOf(actor).length > 0,
};
const withdraw: EnvironmentEvent = {
  event: { type: 'withdraw' },
  when: (actor) => actor.in('client.requesting'),
};
const leave: EnvironmentEvent = { event: { type: 'leave' }, when: (actor) => actor.in('client.inCS') };

/** The bound of `again` counts only while other sites wait. */
const someoneWaits = (context: Readonly<Record<string, unknown>>) =>
  (context as unknown as SiteContext).line.length > 0;

const lineOf = (actor: ActorView) => site(actor).context.line;

/** Clients ask, release, and release and ask again, without end: the model whose counts docs/protocol.md has. */
export function line(options: LineOptions): System {
  const runs = options.liveness ? liveness(options) : [];
  return system('line', options, [], [...properties(options), ...runs]);
}

/** `line` with the bound of overtaking, which needs a history variable. Clients say `again` up to `inARow` times in a row. */
export function lineOvertaking(options: LineOptions & { readonly inARow?: number }): System {
  const { inARow = 0, machine = siteMachine, sites } = options;
  const most = (sites - 1) * (inARow + 1);
  const combined = combining(machine, inARow, { waited: someoneWaits });
  const says = inARow === 0 ? [] : combined.says;
  // The history names sites as they are: symmetry does not rename it.
  const { symmetry: _, ...named } = system(
    'line-overtaking',
    { ...options, machine: inARow === 0 ? machine : combined.machine },
    says,
    [bounded(most)],
  );
  return { ...named, history: overtaking(siteNames(options)[0]!, most) };
}

/** Clients also say `again` up to `inARow` times in a row (default: 2), and try to enter without waiting. */
export function lineCombined(options: LineOptions & { readonly inARow?: Bound }): System {
  const { inARow = 2, machine = siteMachine, ...rest } = options;
  const combined = combining(machine, inARow, {
    waited: someoneWaits,
    isSeen: options.liveness === true,
  });
  const runs = options.liveness ? liveness(options) : [];
  return system('line-combined', { ...rest, machine: combined.machine }, combined.says, [
    ...properties(options),
    ...combinedProperties,
    ...runs,
  ]);
}

/** Clients also withdraw, and sites leave. Throws `NETWORK_UNFIT` unless the network is `fifo`: nothing comes behind a GOODBYE. */
export function lineLeaving(options: LineOptions): System {
  const { order } = options.network;
  if (order !== 'fifo') {
    throw new OptionsError(
      'NETWORK_UNFIT',
      `Sites can leave on a fifo network, not on ${order}: ask for fifo.`,
    );
  }
  const runs = options.liveness ? liveness(options) : [];
  return system(
    'line-leaving',
    { ...options, withdraw: true },
    [leave],
    [...leavingProperties(options), ...runs],
  );
}

function system(
  name: string,
  options: LineOptions,
  more: readonly EnvironmentEvent[],
  rules: System['properties'],
): System {
  const { machine = siteMachine, network } = options;
  const sites = siteNames(options);
  const root = sites[0]!;
  const actor = (self: string): ActorSpec => ({
    machine,
    input: { self, root, peers: sites.length - 1 },
    environment: [ask, release, releaseAndAsk, ...(options.withdraw ? [withdraw] : []), ...more],
  });
  return {
    name,
    actors: Object.fromEntries(sites.map((self) => [self, actor(self)])),
    network,
    properties: [...rules, nothingUnexpected(actor(root), network)],
    symmetry: sites,
  };
}
