import type { SiteId } from '../../machines/actor.ts';
import { CodedError, reasonOf } from '../../machines/errors.ts';

/** `TABLE_REFUSED`: a step of the statechart does more than a table can say; the proof cannot be written down. */
export class TableError extends CodedError<'TABLE_REFUSED'> {}

/** Runs `work`; an error that it throws becomes `TABLE_REFUSED`. */
export function refusing<Result>(step: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw new TableError(
      'TABLE_REFUSED',
      `The step on ${step} cannot stand in a table: ${reasonOf(error)}. A step that is proved for every number of sites ` +
        'may copy ids of sites and compare them, and do nothing else with them.',
    );
  }
}

/** Makes the sites' ids for a table of steps; each call gives another one. */
export type MakeId = (index: number) => SiteId;

/**
 * An object that JavaScript can only copy and compare: its properties are undefined, and arithmetic, order and conversion to text
 * throw a TypeError. A step that ends well with such ids does the same for all sites with the same equalities.
 */
export const opaque: MakeId = () => Object.freeze(Object.create(null)) as SiteId;

/** Texts in ascending and in descending order. A step that asks for the type or the order of an id differs between the three. */
export const ascending: MakeId = (index) => String.fromCharCode(97 + index);
export const descending: MakeId = (index) => String.fromCharCode(122 - index);

/** The names that a table calls sites by: one id may have several. */
export class Naming<Name extends string> {
  readonly #ids: ReadonlyMap<Name, SiteId>;

  constructor(ids: Iterable<readonly [Name, SiteId]>) {
    this.#ids = new Map(ids);
  }

  /** The first of `preferred` that is a name of `id`. Throws a TypeError for an id that the step made up. */
  nameOf(id: SiteId, preferred: readonly Name[]): Name {
    for (const name of preferred) if (this.#ids.get(name) === id) return name;
    throw new TypeError(`expected one of the sites ${preferred.join(', ')}, and the step names another one`);
  }
}

/**
 * All ways in which `count` sites can be equal, as the classes of each: 0 for the first, then a known class or the next
 * new one. `null` where `mayBeNil` allows that there is no site.
 */
export function* equalities(mayBeNil: readonly boolean[]): Generator<readonly (number | null)[]> {
  const [first, ...rest] = mayBeNil;
  if (first === undefined) {
    yield [];
    return;
  }
  yield* extended([0], rest);
}

function* extended(
  classes: readonly (number | null)[],
  mayBeNil: readonly boolean[],
): Generator<readonly (number | null)[]> {
  const [nilToo, ...rest] = mayBeNil;
  if (nilToo === undefined) {
    yield classes;
    return;
  }
  if (nilToo) yield* extended([...classes, null], rest);
  const known = Math.max(...classes.map((of) => of ?? 0));
  for (let of = 0; of <= known + 1; of++) yield* extended([...classes, of], rest);
}
