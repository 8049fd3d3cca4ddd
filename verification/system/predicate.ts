import type { SiteId } from '../../machines/actor.ts';
import type { Predicate } from '../checker/model.ts';
import { SystemError } from './errors.ts';
import { Numbered } from './numbered.ts';
import { ReadTree } from './read-tree.ts';
import type { ActorView, StatePredicate } from './system.ts';
import type { Views } from './view.ts';

export interface PredicateScope {
  readonly ids: readonly SiteId[];
  /** Number of processes of the model: the actors first, then the others. */
  readonly width: number;
  readonly views: Views;
  /** Use no packed counters that could overflow. */
  readonly exact: boolean;
}

interface Sum {
  /** Number of bits that the sum over all actors needs. */
  readonly bits: number;
  project(process: number, local: number): number;
  judge(sum: number): boolean;
}

/**
 * Compiles the predicate for the engine: to a sum of small numbers if that is exact, otherwise to a tuple.
 */
export function compilePredicate(predicate: StatePredicate, scope: PredicateScope): Predicate {
  const sum = summed(predicate, scope);
  if (sum !== null) {
    return {
      kind: 'sum',
      project: (process, local) => (process < scope.ids.length ? sum.project(process, local) : 0),
      judge: sum.judge,
    };
  }
  const { observe, judge } = tupled(predicate, scope);
  const pure = predicate.kind === 'relation' && predicate.pure === true && scope.width === scope.ids.length;
  return { kind: 'tuple', observe, judge, pure };
}

/** Returns the predicate as a field of a 32-bit sum, or `null` if it does not fit or must not be one. */
function summed(predicate: StatePredicate, scope: PredicateScope): Sum | null {
  const { views } = scope;
  const flag = bitsFor(scope.ids.length);
  switch (predicate.kind) {
    case 'every':
      return {
        bits: flag,
        project: views.observed((actor) => (predicate.is(actor) ? 0 : 1)),
        judge: (sum) => sum === 0,
      };
    case 'some':
      return {
        bits: flag,
        project: views.observed((actor) => (predicate.is(actor) ? 1 : 0)),
        judge: (sum) => sum > 0,
      };
    case 'count':
      return scope.exact ? null : counted(predicate, scope);
    case 'tally':
      return scope.exact ? null : tallied(predicate, scope);
    case 'not': {
      const sum = summed(predicate.of, scope);
      return sum === null ? null : { ...sum, judge: (value) => !sum.judge(value) };
    }
    case 'and':
    case 'or':
      return packed(predicate.kind, predicate.of, scope);
    case 'relation':
    case 'plain':
      return null;
  }
}

type Count = Extract<StatePredicate, { kind: 'count' }>;
type Tally = Extract<StatePredicate, { kind: 'tally' }>;

/** A field of 16 bits: as wide as two of them in one sum allow. */
function counted(predicate: Count, { ids, views }: PredicateScope): Sum {
  const limit = Math.floor(0xffff / ids.length);
  return {
    bits: 16,
    project: views.observed((actor) => within(limit, whole(predicate.of(actor)), 'count', actor)),
    judge: predicate.is,
  };
}

/** A field for each id: as wide as 32 bits allow. */
function tallied(predicate: Tally, { ids, views }: PredicateScope): Sum | null {
  const width = Math.min(8, Math.floor(32 / ids.length));
  const limit = Math.floor((2 ** width - 1) / ids.length);
  if (limit === 0) return null;
  const mask = 2 ** width - 1;
  return {
    bits: width * ids.length,
    project: views.observed((actor) => {
      let weight = 0;
      for (const [index, times] of tally(predicate, actor, ids).entries()) {
        weight += within(limit, times, 'tally', actor) * 2 ** (index * width);
      }
      return weight;
    }),
    judge: (sum) => ids.every((_, index) => predicate.is((sum >>> (index * width)) & mask)),
  };
}

function packed(kind: 'and' | 'or', of: readonly StatePredicate[], scope: PredicateScope): Sum | null {
  const fields: { readonly sum: Sum; readonly shift: number }[] = [];
  let bits = 0;
  for (const part of of) {
    const sum = summed(part, scope);
    if (sum === null || bits + sum.bits > 32) return null;
    fields.push({ sum, shift: bits });
    bits += sum.bits;
  }
  const field = (total: number, { sum, shift }: (typeof fields)[number]) =>
    Math.floor(total / 2 ** shift) % 2 ** sum.bits;
  return {
    bits,
    project: (process, local) =>
      fields.reduce((total, { sum, shift }) => total + sum.project(process, local) * 2 ** shift, 0),
    judge: (total) =>
      kind === 'and'
        ? fields.every((part) => part.sum.judge(field(total, part)))
        : fields.some((part) => part.sum.judge(field(total, part))),
  };
}

interface Tupled {
  observe(process: number, local: number): number;
  judge(observed: Int32Array): boolean;
}

function tupled(predicate: StatePredicate, scope: PredicateScope): Tupled {
  const { ids, views } = scope;
  switch (predicate.kind) {
    case 'every':
    case 'some':
      return flagged(predicate.kind, predicate.is, scope);
    case 'count': {
      const look = views.observed((actor) => whole(predicate.of(actor)));
      return {
        observe: (process, local) => (process < ids.length ? look(process, local) : 0),
        judge: (observed) => predicate.is(observed.reduce((sum, value) => sum + value, 0)),
      };
    }
    case 'tally':
      return tabled(
        scope,
        (actor) => tally(predicate, actor, ids),
        (rows) =>
          ids.every((_, index) => predicate.is(rows.reduce((sum, row) => sum + (row[index] ?? 0), 0))),
      );
    case 'relation': {
      const indexOf = (id: SiteId) => ids.indexOf(id);
      const look = views.observed((actor) => predicate.of(actor, indexOf) | 0);
      const actors = new Int32Array(ids.length);
      return {
        observe: (process, local) => (process < ids.length ? look(process, local) : local),
        judge: (observed) => {
          if (observed.length === actors.length) return predicate.holds(observed, undefined);
          for (let process = 0; process < actors.length; process++) actors[process] = observed[process]!;
          return predicate.holds(actors, views.history(observed));
        },
      };
    }
    case 'plain': {
      const tree = new ReadTree(views, ids, predicate.holds);
      return { observe: (_process, local) => local, judge: (observed) => tree.judge(observed) };
    }
    case 'not': {
      const { observe, judge } = tupled(predicate.of, scope);
      return { observe, judge: (observed) => !judge(observed) };
    }
    case 'and':
    case 'or': {
      const parts = predicate.of.map((part) => tupled(part, scope));
      const scratch = new Int32Array(scope.width);
      const { observe, rows } = table(scope.width, (process, local) =>
        parts.map((part) => part.observe(process, local)),
      );
      return {
        observe,
        judge: (observed) => {
          const holds = (part: Tupled, index: number) => {
            for (let process = 0; process < scratch.length; process++) {
              scratch[process] = rows[process]!.at(observed[process]!)[index]!;
            }
            return part.judge(scratch);
          };
          return predicate.kind === 'and' ? parts.every(holds) : parts.some(holds);
        },
      };
    }
  }
}

function flagged(kind: 'every' | 'some', is: (actor: ActorView) => boolean, scope: PredicateScope): Tupled {
  const { ids, views } = scope;
  const neutral = kind === 'every' ? 1 : 0;
  const look = views.observed((actor) => Number(is(actor)));
  return {
    observe: (process, local) => (process < ids.length ? look(process, local) : neutral),
    judge: (observed) => (kind === 'every' ? !observed.includes(0) : observed.includes(1)),
  };
}

/** Observes rows of numbers: each distinct row of a process is observed as its index. */
function table(width: number, of: (process: number, local: number) => readonly number[]) {
  const rows = Array.from({ length: width }, () => new Numbered<string, readonly number[]>());
  const observe = (process: number, local: number): number => {
    const row = of(process, local);
    return rows[process]!.numberOf(row.join(), row);
  };
  return { observe, rows };
}

function tabled(
  { ids, width, views }: PredicateScope,
  of: (actor: ActorView) => readonly number[],
  judge: (rows: readonly (readonly number[])[]) => boolean,
): Tupled {
  const look = views.observed(of);
  const { observe, rows } = table(width, (process, local) =>
    process < ids.length ? look(process, local) : [],
  );
  return {
    observe,
    judge: (observed) => judge(rows.map((ofProcess, process) => ofProcess.at(observed[process]!))),
  };
}

/** Number of times that the actor names each of `ids`. */
function tally(predicate: Tally, actor: ActorView, ids: readonly SiteId[]): readonly number[] {
  const times = new Array<number>(ids.length).fill(0);
  for (const id of predicate.names(actor)) {
    const index = ids.indexOf(id);
    if (index < 0) {
      throw new SystemError(
        'PREDICATE_INVALID',
        `A tally of '${actor.id}' names ${JSON.stringify(id)}, which is no actor. Leave nil and strangers out.`,
      );
    }
    times[index]!++;
  }
  return times;
}

function whole(value: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= 0x7fffffff) return value;
  throw new SystemError(
    'PREDICATE_INVALID',
    `A count must be a whole number from 0 to 2^31 - 1, and is ${value}.`,
  );
}

function within(limit: number, value: number, kind: string, actor: ActorView): number {
  if (value <= limit) return value;
  throw new SystemError(
    'WATCH_OVERFLOW',
    `A ${kind} of '${actor.id}' is ${value}, and its packed counter ends at ${limit}. Compile it with exact: true.`,
  );
}

/** Number of bits for a sum of `most` ones. */
function bitsFor(most: number): number {
  return Math.ceil(Math.log2(most + 1));
}
