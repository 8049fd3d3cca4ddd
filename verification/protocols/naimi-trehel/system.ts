import { siteMachine } from '../../../machines/naimi-trehel/site.ts';
import type { Bound, EnvironmentEvent, Property, System } from '../../system/system.ts';
import { combining } from '../row.ts';
import { clients, liveness, requireFifo, type SiteOptions, tokenSystem } from '../token.ts';
import { combinedProperties, leavingProperties, properties } from './properties.ts';

const { ask, release, withdraw, leave } = clients;

/** Clients ask and release, without end: the model whose counts docs/protocol.md has. */
export function naimiTrehel(options: SiteOptions): System {
  const runs = options.liveness ? liveness(options) : [];
  return system('naimi-trehel', options, [], [...properties(options), ...runs]);
}

/** Clients also say `again` up to `inARow` times in a row (default: 2), as if others waited, and try to enter without waiting. */
export function naimiTrehelCombined(options: SiteOptions & { readonly inARow?: Bound }): System {
  const { inARow = 2, machine = siteMachine, ...rest } = options;
  const combined = combining(machine, inARow, { isSeen: options.liveness === true });
  const runs = options.liveness ? liveness(options) : [];
  const all = [...properties(options), ...combinedProperties, ...runs];
  return system('naimi-trehel-combined', { ...rest, machine: combined.machine }, combined.says, all);
}

/** Clients also withdraw, and sites leave. Throws `NETWORK_UNFIT` unless the network is `fifo`. */
export function naimiTrehelLeaving(options: SiteOptions): System {
  requireFifo(options);
  const runs = options.liveness ? liveness(options) : [];
  const all = [...leavingProperties(options), ...runs];
  return system('naimi-trehel-leaving', options, [withdraw, leave], all);
}

function system(
  name: string,
  options: SiteOptions,
  more: readonly EnvironmentEvent[],
  rules: readonly Property[],
): System {
  return tokenSystem(name, { machine: siteMachine, ...options }, [ask, release, ...more], rules);
}
