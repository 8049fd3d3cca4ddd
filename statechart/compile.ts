import type { AnyStateMachine } from 'xstate';
import { Statechart } from './statechart.ts';

const compiled = new WeakMap<AnyStateMachine, Statechart>();

/** Compiles `machine` once. Throws `OUTSIDE_SUBSET` and `GUARD_UNKNOWN`, which name the place. */
export function compile(machine: AnyStateMachine): Statechart {
  const known = compiled.get(machine);
  if (known) return known;
  const made = new Statechart(machine);
  compiled.set(machine, made);
  return made;
}
