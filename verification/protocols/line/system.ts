import { type SiteContext, siteMachine } from '../../../machines/line/site.ts';
import type { ActorView, Bound, EnvironmentEvent, Property, System } from '../../system/system.ts';
import { combining } from '../row.ts';
import { siteNames } from '../sites.ts';
import { clients, liveness, requireFifo, type SiteOptions, tokenSystem } from '../token.ts';
import { bounded, overtaking } from './overtaking.ts';
import { combinedProperties, hasLine, leavingProperties, properties } from './properties.ts';

export interface LineOptions extends SiteOptions {
  /** Clients also withdraw. Default: false. */
  readonly withdraw?: boolean;
}

const { ask, release, withdraw, leave } = clients;
const releaseAndAsk: EnvironmentEvent = {
  event: { type: 'releaseAndAsk' },
  when: (actor: ActorView) => actor.in('client.inCS') && hasLine(actor),
};

/** The bound of `again` counts only while other sites wait. */
const someoneWaits = (context: Readonly<Record<string, unknown>>) =>
  (context as unknown as SiteContext).line.length > 0;

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

/** Clients also withdraw, and sites leave. Throws `NETWORK_UNFIT` unless the network is `fifo`. */
export function lineLeaving(options: LineOptions): System {
  requireFifo(options);
  const runs = options.liveness ? liveness(options) : [];
  const all = [...leavingProperties(options), ...runs];
  return system('line-leaving', { ...options, withdraw: true }, [leave], all);
}

function system(
  name: string,
  options: LineOptions,
  more: readonly EnvironmentEvent[],
  rules: readonly Property[],
): System {
  const said = [ask, release, releaseAndAsk, ...(options.withdraw ? [withdraw] : []), ...more];
  return tokenSystem(name, { machine: siteMachine, ...options }, said, rules);
}
