import { type Assertion, type Formula, fact, forAll, not, type Term } from './formula.ts';

/** A part of an invariant: `holds` for all sites. */
export interface Conjunct {
  readonly name: string;
  readonly holds: (...sites: Term[]) => Formula;
}

/** A part of an invariant that says there is a site: for each x with `where` there is a y with `exists`. */
export interface Witnessed {
  readonly name: string;
  readonly where: (x: Term) => Formula;
  readonly exists: (x: Term, y: Term) => Formula;
}

/** The conjuncts, as a solver may assume them. */
export function assumed(conjuncts: readonly Conjunct[]): readonly Assertion[] {
  return conjuncts.map(({ holds }) => forAll(holds));
}

/** The negation of a conjunct: some sites, which are new constants, break it. */
export function broken({ holds }: Conjunct): {
  readonly constants: readonly Term[];
  readonly assertion: Assertion;
} {
  const constants = Array.from({ length: holds.length }, (_, index) => `broken${index}`);
  return { constants, assertion: fact(not(holds(...constants))) };
}

/** The part of a table's row that tells which step it is: an event in a state of the client, and its effect. */
interface TableRow {
  readonly kind: string;
  readonly client: string;
  readonly effect: { readonly unexpected: boolean };
}

/**
 * Groups the rows that start with one event in one client state and have one effect. A client asks for nothing that its state
 * does not allow: such a row is no event. A message of a peer always is one.
 */
export function grouped<Row extends TableRow>(
  rows: readonly Row[],
  messages: readonly Row['kind'][],
): readonly (readonly [Row, ...Row[]])[] {
  const groups = new Map<string, [Row, ...Row[]]>();
  for (const row of rows) {
    if (row.effect.unexpected && !messages.includes(row.kind)) continue;
    const key = JSON.stringify([row.kind, row.client, row.effect]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}
