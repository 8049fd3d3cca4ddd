import { type AnyStateMachine, createMachine } from 'xstate';
import { check } from '../../check/check.ts';
import type { PropertyResult, System } from '../../system/system.ts';

/** A mutant: `machine` with the given keys of its top states replaced (`on`, `after`, …), all else as it was. */
export function rewire(machine: AnyStateMachine, states: Readonly<Record<string, object>>): AnyStateMachine {
  const before: Readonly<Record<string, object>> = machine.config.states ?? {};
  const replaced = Object.entries(states).map(([name, keys]) => {
    if (before[name] === undefined) throw new Error(`machine '${machine.id}' has no state '${name}'`);
    return [name, { ...before[name], ...keys }];
  });
  return createMachine({
    ...machine.config,
    states: { ...before, ...Object.fromEntries(replaced) },
  }).provide(machine.implementations as object);
}

/** The verdict of the checker on the property with this name. */
export async function judge(system: System, name: string): Promise<PropertyResult> {
  const { properties } = await check(system);
  const result = properties.find((property) => property.name === name);
  if (result === undefined) throw new Error(`'${system.name}' has no property '${name}'`);
  return result;
}
