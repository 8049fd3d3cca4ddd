import type { SiteId } from '../../machines/actor.ts';
import type { ActorView, StatePredicate } from '../system/system.ts';
import type { Reading } from './reading.ts';
import type { Table } from './table.ts';

/*
 * A predicate as sums that another tool can compute: each actor gives a number for its local state and one for each message on its way to it. The
 * numbers are found by asking the predicate's own functions, and held against every local state with every inbox that was explored. A
 * predicate that is no such sum is read by automata (reading.ts).
 */

export type Measured =
  | {
      readonly kind: 'sum';
      readonly measure: Measure;
      readonly allows: (sum: number) => boolean;
      readonly most: number;
    }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Measured[] }
  | { readonly kind: 'not'; readonly of: Measured }
  /** No such sum: all that the predicate sees is read in order. */
  | { readonly kind: 'reading'; readonly reading: Reading };

/** One measure for each actor. */
export type Measure = readonly ActorMeasure[];

export interface ActorMeasure {
  /** A value for each local state. */
  readonly base: readonly number[];
  /**
   * Values of a message that is first on its link, and of one that is not: by local state and message; one row for all
   * local states where that is enough.
   */
  readonly first: readonly (readonly number[])[];
  readonly later: readonly (readonly number[])[];
}

export type Readings = ReadonlyMap<StatePredicate, Reading>;

/** The parts of a predicate that are no sums. */
export function unmeasured(predicate: StatePredicate, table: Table): readonly StatePredicate[] {
  switch (predicate.kind) {
    case 'and':
    case 'or':
      return predicate.of.flatMap((part) => unmeasured(part, table));
    case 'not':
      return unmeasured(predicate.of, table);
    case 'relation':
    case 'plain':
      return [predicate];
    default:
      return measured(predicate, table, new Map()) === null ? [predicate] : [];
  }
}

/** `readings`: of the parts that are no sums. `null` where one of them is not there. */
export function measured(predicate: StatePredicate, table: Table, readings: Readings): Measured | null {
  const reading = readings.get(predicate);
  if (reading !== undefined) return { kind: 'reading', reading };
  switch (predicate.kind) {
    case 'every':
      return sum(
        table,
        (actor) => (predicate.is(actor) ? 0 : 1),
        (broken) => broken === 0,
        true,
      );
    case 'some':
      return sum(
        table,
        (actor) => (predicate.is(actor) ? 1 : 0),
        (found) => found > 0,
        true,
      );
    case 'count':
      return sum(table, (actor) => predicate.of(actor), predicate.is, false);
    case 'tally': {
      const times = (actor: ActorView, id: SiteId) =>
        predicate.names(actor).filter((other) => other === id).length;
      const of = table.actors.map(({ id }) => sum(table, (actor) => times(actor, id), predicate.is, false));
      return all('and', of);
    }
    case 'and':
    case 'or':
      return all(
        predicate.kind,
        predicate.of.map((part) => measured(part, table, readings)),
      );
    case 'not': {
      const of = measured(predicate.of, table, readings);
      return of === null ? null : { kind: 'not', of };
    }
    case 'relation':
    case 'plain':
      return null;
  }
}

function all(kind: 'and' | 'or', parts: readonly (Measured | null)[]): Measured | null {
  const of = parts.filter((part) => part !== null);
  return of.length < parts.length ? null : { kind, of };
}

type Look = (actor: ActorView) => number;

/** `anyone`: what is looked for is there or not, however often; then a message counts only where nothing else did. */
function sum(table: Table, look: Look, allows: (sum: number) => boolean, anyone: boolean): Measured | null {
  const fits = table.actors.map((_, actorIndex) => fitted(table, actorIndex, look, anyone));
  const measure = fits.filter((fit) => fit !== null);
  if (measure.length < fits.length) return null;
  const most = measure.reduce((total, actor, actorIndex) => total + mostOf(table, actorIndex, actor), 0);
  return { kind: 'sum', measure, allows, most };
}

/** `null`: what is looked for lies in several messages at once, or in their order. */
function fitted(table: Table, actorIndex: number, look: Look, anyone: boolean): ActorMeasure | null {
  const { world } = table.compiled;
  const { locals, views, values } = world;
  const actor = table.actors[actorIndex]!;
  const links = table.links.flatMap(({ target, source }, link) =>
    target === actorIndex ? [{ link, source: source ?? -1 }] : [],
  );
  const isFifo = table.system.network.order === 'fifo';
  const at = (core: number, envelopes: readonly number[]): number => {
    const seen = look(views.of(actorIndex, core, locals.internInbox(envelopes)));
    return anyone ? Math.min(1, seen) : seen;
  };
  // On which link a message is, no predicate of ours asks; the check below would tell.
  const source = links[0]?.source ?? -1;
  const envelopes = table.messages.map(({ message }) =>
    locals.internEnvelope(source, values.intern(message, 'a message')),
  );
  const base = actor.locals.map(({ core }) => at(core, []));
  const weight = (core: number, before: readonly number[], known: number, envelope: number) => {
    const seen = at(core, [...before, envelope]);
    return anyone ? (known > 0 ? 0 : seen) : seen - known;
  };
  const first: number[][] = [];
  const later: number[][] = [];
  for (const [index, { core }] of actor.locals.entries()) {
    const own = base[index]!;
    const firsts = envelopes.map((envelope) => weight(core, [], own, envelope));
    first.push(firsts);
    const filler = envelopes.find((_, message) => firsts[message] === 0) ?? envelopes[0];
    later.push(
      isFifo && filler !== undefined
        ? envelopes.map((envelope) => weight(core, [filler], at(core, [filler]), envelope))
        : firsts,
    );
  }
  const fit = { base, first: folded(first), later: folded(later) };
  const indexOf = new Map(actor.locals.map(({ core }, index) => [core, index]));
  const messageOf = new Map(
    table.messages.map(({ message }, index) => [values.intern(message, 'a message'), index]),
  );
  for (let local = 0; local < locals.count(actorIndex); local++) {
    const index = indexOf.get(locals.coreOf(actorIndex, local));
    if (index === undefined) continue;
    const inbox = locals.inbox(locals.inboxOf(actorIndex, local));
    const found = inbox.map((envelope, place) => ({
      message: messageOf.get(locals.envelope(envelope).message),
      isFirst: !isFifo || place === 0 || locals.sourceOf(inbox[place - 1]!) !== locals.sourceOf(envelope),
    }));
    if (found.some(({ message }) => message === undefined)) continue;
    const total = found.reduce(
      (so, { message, isFirst }) => so + rowOf(isFirst ? fit.first : fit.later, index)[message!]!,
      base[index]!,
    );
    const actual = at(locals.coreOf(actorIndex, local), inbox);
    if (anyone ? total > 0 !== actual > 0 : total !== actual) return null;
  }
  return fit;
}

/** One row where all are equal. */
function folded(rows: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const [one] = rows;
  return one !== undefined && rows.every((row) => row.join() === one.join()) ? [one] : rows;
}

export function rowOf(rows: readonly (readonly number[])[], local: number): readonly number[] {
  return rows.length === 1 ? rows[0]! : rows[local]!;
}

/** No local state with no inbox gives more. */
function mostOf(table: Table, actorIndex: number, { base, first, later }: ActorMeasure): number {
  const perMessage = Math.max(0, ...[...first, ...later].map((row) => Math.max(0, ...row)));
  const room = table.links.reduce((total, { target, most }) => total + (target === actorIndex ? most : 0), 0);
  return Math.max(0, ...base) + perMessage * room;
}
