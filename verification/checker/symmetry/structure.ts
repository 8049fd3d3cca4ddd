import type { Edge, Symmetry } from '../model.ts';
import { SymmetryError } from './errors.ts';
import { hashLabel, mix } from './hash.ts';

/**
 * Maximum number of processes of a scalar set. Each image takes four bits of a key, and so does a spare one:
 * sixteen fill two words.
 */
export const MOST_PROCESSES = 15;

/**
 * Offsets in an entry of the pool. After these fields come the names, then the edges, those with refs first.
 * An edge is its hash, its label, the number of its refs, and the refs.
 */
export const SHAPE = 0;
export const COLOUR = 1;
export const MASK = 2;
export const NAMES = 3;
export const EDGES = 4;
export const PLAIN = 5;
export const HEADER = 6;

/**
 * The data of each local that refinement needs, stored flat for each (process, local).
 *
 * Processes are identified by *rank*: the processes of the scalar set from 0, in ascending order, then the others. A
 * *shape* is a local without its names. Shape, own rank and names together determine the local.
 */
export class Structures {
  /** Number of processes in the scalar set. */
  readonly size: number;
  readonly width: number;
  readonly rankOf: Int32Array;
  readonly processAt: Int32Array;
  pool: Int32Array = new Int32Array(1 << 14);
  readonly #symmetry: Symmetry;
  readonly #shapes = new Map<string, number>();
  /** For each process and local: the start of its entry. 0: there is none yet. */
  readonly #starts: Int32Array[];
  #end = 1;

  constructor(symmetry: Symmetry, width: number) {
    const scalar = [...new Set(symmetry.processes)].sort((a, b) => a - b);
    if (scalar.length > MOST_PROCESSES) {
      throw new SymmetryError(
        'SYMMETRY_TOO_LARGE',
        `A scalar set may have at most ${MOST_PROCESSES} processes, got ${scalar.length}. Declare fewer, or explore without symmetry.`,
      );
    }
    if (
      scalar.length !== symmetry.processes.length ||
      scalar.some((process) => !(process >= 0 && process < width))
    ) {
      throw new SymmetryError(
        'SYMMETRY_PROCESSES',
        `A scalar set lists distinct processes from 0 to ${width - 1}, got ${symmetry.processes.join(', ')}.`,
      );
    }
    this.#symmetry = symmetry;
    this.size = scalar.length;
    this.width = width;
    const others = Array.from({ length: width }, (_, process) => process).filter(
      (process) => !scalar.includes(process),
    );
    this.processAt = Int32Array.from([...scalar, ...others]);
    this.rankOf = new Int32Array(width);
    this.processAt.forEach((process, rank) => {
      this.rankOf[process] = rank;
    });
    this.#starts = Array.from({ length: width }, () => new Int32Array(1 << 8));
  }

  /** The start in `pool` of the entry of `local` in the process of `rank`. The call may replace `pool`. */
  start(rank: number, local: number): number {
    const starts = this.#starts[rank]!;
    return (local < starts.length && starts[local]!) || this.#remember(rank, local);
  }

  #remember(rank: number, local: number): number {
    const process = this.processAt[rank]!;
    const edges = this.#symmetry
      .edges(process, local)
      .map(({ label, refs }) => ({ label, refs: refs.map((ref) => this.#rankOfRef(process, local, ref)) }))
      .sort((a, b) => Number(a.refs.length === 0) - Number(b.refs.length === 0) || a.label - b.label);
    const names = [...new Set(edges.flatMap(({ refs }) => refs))].filter((ref) => ref !== rank);
    const entry = [
      this.#shape(rank, names, edges),
      mix(edges.reduce((sum, edge) => (sum + hashEdge(rank, edge)) | 0, 0)),
      edges.flatMap(({ refs }) => refs).reduce((mask, ref) => mask | (1 << ref), 0),
      names.length,
      edges.filter(({ refs }) => refs.length > 0).length,
      edges.filter(({ refs }) => refs.length === 0).length,
      ...names,
      ...edges.flatMap((edge) => [hashEdge(rank, edge), edge.label, edge.refs.length, ...edge.refs]),
    ];
    const start = this.#end;
    this.#end += entry.length;
    this.pool = roomFor(this.pool, this.#end);
    this.pool.set(entry, start);
    this.#starts[rank] = roomFor(this.#starts[rank]!, local + 1);
    this.#starts[rank]![local] = start;
    return start;
  }

  #rankOfRef(process: number, local: number, ref: number): number {
    const rank = this.rankOf[ref];
    if (rank === undefined || rank >= this.size) {
      throw new SymmetryError(
        'SYMMETRY_REF',
        `Refs name processes of the scalar set; local ${local} of process ${process} names ${ref}. What names another process belongs in the label.`,
      );
    }
    return rank;
  }

  #shape(rank: number, names: readonly number[], edges: readonly Edge[]): number {
    const owner = rank < this.size ? 'any' : rank;
    const pattern = edges.map(({ label, refs }) => `${label}:${refs.map((ref) => names.indexOf(ref))}`);
    const key = `${owner}|${pattern.join('|')}`;
    const known = this.#shapes.get(key);
    if (known !== undefined) return known;
    this.#shapes.set(key, this.#shapes.size);
    return this.#shapes.size - 1;
  }
}

/**
 * A hash of the label and of the equalities among the refs and the process itself. It does not depend on the
 * named processes.
 */
function hashEdge(rank: number, { label, refs }: Edge): number {
  return refs.reduce(
    (hash, ref) => hashLabel(hash, ref === rank ? -1 : refs.indexOf(ref)),
    hashLabel(refs.length, label),
  );
}

function roomFor(array: Int32Array, length: number): Int32Array {
  if (length <= array.length) return array;
  const larger = new Int32Array(Math.max(length, 2 * array.length));
  larger.set(array);
  return larger;
}
