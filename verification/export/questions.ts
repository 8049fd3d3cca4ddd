import { isOfRuns, noFault, predicatesOf, whereItSpeaks } from '../check/questions.ts';
import { type Formula, parseFormula } from '../checker/liveness/ltl.ts';
import type { Fairness, Property, StatePredicate } from '../system/system.ts';
import { ExportError } from './errors.ts';
import { type Measured, measured, unmeasured } from './measure.ts';
import { Names } from './names.ts';
import { mostEdges, type Reading, readings } from './reading.ts';
import type { Table } from './table.ts';

/** A property as another tool can judge it. */
export type Question = { readonly property: Property; readonly name: string } & (
  | { readonly kind: 'always' | 'reachable' | 'deadlockFree'; readonly holds: Measured }
  | { readonly kind: 'leadsTo'; readonly from: Measured; readonly to: Measured; readonly fairness: Fairness }
  | { readonly kind: 'eventually'; readonly to: Measured; readonly fairness: Fairness }
  | {
      readonly kind: 'ltl';
      readonly formula: Formula;
      readonly atoms: Readonly<Record<string, Measured>>;
      readonly fairness: Fairness;
    }
);

export interface Questions {
  /** That no machine fails, and the system's own, in its order. */
  readonly all: readonly Property[];
  readonly asked: readonly Question[];
  /** From a state in which it does not hold no step leads on. `null`: no constraint. */
  readonly within: Measured | null;
  /** Properties that cannot be exported, and why: by name. */
  readonly refused: readonly { readonly property: Property; readonly reason: string }[];
}

/** Every property of the system, and that no machine fails. Explores the system again where a predicate is no sum. */
export async function questionsOf(table: Table, signal?: AbortSignal): Promise<Questions> {
  const all = [noFault, ...table.system.properties];
  const names = new Names();
  const asked: Question[] = [];
  const refused: { property: Property; reason: string }[] = [];
  const { within } = table;
  const open = [...all.flatMap(predicatesOf), ...(within === null ? [] : [within])];
  const read = await readings(table, [...new Set(open.flatMap((part) => unmeasured(part, table)))], signal);
  const known = new Map(
    [...read].filter((entry): entry is [StatePredicate, Reading] => typeof entry[1] !== 'number'),
  );
  for (const property of all) {
    const name = names.of(property.name);
    const reason = whyNot(property, table, read);
    if (reason === null) {
      asked.push({ property, name, ...question(property, (part) => measured(part, table, known)!) });
    } else {
      refused.push({ property, reason: refusal(property, reason) });
    }
  }
  if (within === null) return { all, asked, refused, within };
  const constraint = measured(within, table, known);
  if (constraint !== null) return { all, asked, refused, within: constraint };
  throw new ExportError(
    'EXPORT_REFUSED',
    `'${table.system.name}' cannot be exported: its constraint has ${tooLarge(sizeOf(within, table, read)!)}.`,
  );
}

function whyNot(
  property: Property,
  table: Table,
  read: ReadonlyMap<StatePredicate, Reading | number>,
): string | null {
  // Both engines may add steps that change nothing, in which `X` would stop.
  if (property.kind === 'ltl' && operatorsOf(parseFormula(property.formula)).has('next'))
    return 'its formula has X, and the steps of other engines are not those of Baton one by one';
  if (isOfRuns(property) && table.within !== null) return 'the constraint ends runs, of which it speaks';
  const size = predicatesOf(property)
    .map((part) => sizeOf(part, table, read))
    .find((one) => one !== null);
  return size === undefined ? null : `its predicate has ${tooLarge(size!)}`;
}

/** The size of a table that is too large, if one of the predicate's is. */
function sizeOf(
  predicate: StatePredicate,
  table: Table,
  read: ReadonlyMap<StatePredicate, Reading | number>,
): number | null {
  const sizes = unmeasured(predicate, table).map((part) => read.get(part));
  return sizes.find((size) => typeof size === 'number') ?? null;
}

const tooLarge = (size: number) =>
  `values for all actors together, which fill a table of ${size} entries; ${mostEdges} are allowed`;

export function operatorsOf(formula: Formula): ReadonlySet<Formula['op']> {
  const parts = 'of' in formula ? [formula.of] : 'left' in formula ? [formula.left, formula.right] : [];
  return new Set([formula.op, ...parts.flatMap((part) => [...operatorsOf(part)])]);
}

/** The questions that fit, and the others refused. `whyNot`: what another tool's language cannot say, or `null`. */
export function fitting(
  { all, asked, refused, within }: Questions,
  whyNot: (question: Question) => string | null,
): Questions {
  const unfit = asked.flatMap((question) => {
    const reason = whyNot(question);
    return reason === null
      ? []
      : [{ property: question.property, reason: refusal(question.property, reason) }];
  });
  return {
    all,
    asked: asked.filter((question) => whyNot(question) === null),
    refused: [...refused, ...unfit],
    within,
  };
}

const refusal = ({ name }: Property, reason: string) =>
  `EXPORT_REFUSED: The property '${name}' cannot be exported: ${reason}.`;

type Asked = Question extends infer One
  ? One extends Question
    ? Omit<One, 'property' | 'name'>
    : never
  : never;

function question(property: Property, measure: (predicate: StatePredicate) => Measured): Asked {
  switch (property.kind) {
    case 'always':
      return { kind: property.kind, holds: measure(whereItSpeaks(property)) };
    case 'reachable':
      return { kind: property.kind, holds: measure(property.predicate) };
    case 'deadlockFree': {
      const never = { kind: 'some', is: () => false } as const;
      return { kind: 'deadlockFree', holds: measure(property.quiescent ?? never) };
    }
    case 'leadsTo': {
      const { from, to, fairness = {} } = property;
      return { kind: 'leadsTo', from: measure(from), to: measure(to), fairness };
    }
    case 'eventually':
      return { kind: 'eventually', to: measure(property.predicate), fairness: property.fairness ?? {} };
    case 'ltl': {
      const { atoms, formula, fairness = {} } = property;
      const ofAtoms = Object.entries(atoms).map(([atom, part]) => [atom, measure(part)] as const);
      return { kind: 'ltl', formula: parseFormula(formula), atoms: Object.fromEntries(ofAtoms), fairness };
    }
  }
}
