import { noFault } from '../check/questions.ts';
import type { Fairness, Property } from '../system/system.ts';
import { ExportError } from './errors.ts';
import { type Measured, measured } from './measure.ts';
import { Names } from './names.ts';
import type { Table } from './table.ts';

/** A property as another tool can judge it. */
export type Question = { readonly property: Property; readonly name: string } & (
  | { readonly kind: 'always' | 'reachable' | 'deadlockFree'; readonly holds: Measured }
  | { readonly kind: 'leadsTo'; readonly from: Measured; readonly to: Measured; readonly fairness: Fairness }
  | { readonly kind: 'eventually'; readonly to: Measured; readonly fairness: Fairness }
);

export interface Questions {
  /** That no machine fails, and the system's own, in its order. */
  readonly all: readonly Property[];
  readonly asked: readonly Question[];
  /** Properties that cannot be exported, and why: by name. */
  readonly refused: readonly { readonly property: Property; readonly reason: string }[];
}

/** Every property of the system, and that no machine fails. */
export function questionsOf(table: Table): Questions {
  const all = [noFault, ...table.system.properties];
  const names = new Names();
  const asked: Question[] = [];
  const refused: { property: Property; reason: string }[] = [];
  for (const property of all) {
    const name = names.of(property.name);
    try {
      asked.push({ property, name, ...question(property, table) });
    } catch (error) {
      if (!(error instanceof ExportError) || error.code !== 'EXPORT_REFUSED') throw error;
      refused.push({ property, reason: error.message });
    }
  }
  return { all, asked, refused };
}

type Asked = Question extends infer One
  ? One extends Question
    ? Omit<One, 'property' | 'name'>
    : never
  : never;

function question(property: Property, table: Table): Asked {
  const { name } = property;
  switch (property.kind) {
    case 'always':
    case 'reachable':
      return { kind: property.kind, holds: measured(name, property.predicate, table) };
    case 'deadlockFree': {
      const never = { kind: 'some', is: () => false } as const;
      return { kind: 'deadlockFree', holds: measured(name, property.quiescent ?? never, table) };
    }
    case 'leadsTo': {
      const { from, to, fairness = {} } = property;
      return { kind: 'leadsTo', from: measured(name, from, table), to: measured(name, to, table), fairness };
    }
    case 'eventually':
      return {
        kind: 'eventually',
        to: measured(name, property.predicate, table),
        fairness: property.fairness ?? {},
      };
    case 'ltl':
      throw new ExportError(
        'EXPORT_REFUSED',
        `The property '${name}' cannot be exported: formulas of kind ltl are judged by Baton alone.`,
      );
  }
}
