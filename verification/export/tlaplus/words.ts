import { type Fault, faults, type Layout } from '../layout.ts';

/** The first words of every refusal by a module to take a step that its table does not have. */
export const notInTable = 'not in the table';

export function quoted(text: string): string {
  return `"${text}"`;
}

/** A function of TLA+ from texts. */
export function functionOf(name: string, entries: readonly (readonly [string, string])[]): string {
  if (entries.length === 0) return `${name} == <<>>`;
  return `${name} == ${entries.map(([key, value]) => `(${quoted(key)} :> ${value})`).join(' @@ ')}`;
}

/** The faults whose number is bounded: each has a variable. */
export function counted(layout: Layout): readonly Fault[] {
  return faults.filter((fault) => layout.bound(fault) !== null);
}
