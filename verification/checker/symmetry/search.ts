import { compareSequences, Twins, writeEdges } from './exact.ts';
import { mix } from './hash.ts';
import { hear } from './refine.ts';

/** The best leaf found below one node of the search tree. */
interface Level {
  /** For each process: the first place of its class. */
  readonly classes: Int32Array;
  /**
   * The least certificate so far, its renaming, and the number of permutations that keep the state and the
   * node.
   */
  certificate: number[];
  readonly to: Int32Array;
  automorphisms: number;
  found: boolean;
}

/**
 * Individualisation and refinement (B. D. McKay, A. Piperno, "Practical graph isomorphism, II", Journal of
 * Symbolic Computation 60, 2014), for the few states whose processes remain tied after colour refinement.
 *
 * A node is an ordered partition of the processes. Its target is the first class that is more than a set of
 * twins. Each child singles out one process of that class; one twin represents all its twins. A leaf is a
 * renaming, and its certificate is the whole structure under that renaming. The least certificate does not
 * depend on names, because no step towards it does.
 */
export class Search {
  /** Nodes visited since creation. */
  nodes = 0;
  readonly #size: number;
  readonly #twins: Twins;
  readonly #twinOf: Int32Array;
  readonly #levels: Level[];
  readonly #colours: Int32Array;
  readonly #heard: Int32Array;
  readonly #order: Int32Array;
  #pool: Int32Array = new Int32Array(0);
  #starts: Int32Array = new Int32Array(0);

  constructor(size: number, width: number) {
    this.#size = size;
    this.#twins = new Twins(width);
    this.#twinOf = new Int32Array(size);
    this.#colours = new Int32Array(width);
    this.#heard = new Int32Array(width);
    this.#order = new Int32Array(size);
    this.#levels = Array.from({ length: size + 1 }, () => ({
      classes: new Int32Array(size),
      certificate: [],
      to: Int32Array.from({ length: width }, (_, rank) => rank),
      automorphisms: 1,
      found: false,
    }));
  }

  /**
   * Breaks the ties of `classes` (by process: the first place of its class), writes the renaming to `to`, and
   * returns the number of permutations that keep the state.
   */
  run(
    pool: Int32Array,
    starts: Int32Array,
    colours: Int32Array,
    classes: Int32Array,
    to: Int32Array,
  ): number {
    this.#pool = pool;
    this.#starts = starts;
    this.#colours.set(colours);
    this.#levels[0]!.classes.set(classes);
    this.#findTwins(classes);
    this.#visit(0);
    to.set(this.#levels[0]!.to);
    return this.#levels[0]!.automorphisms;
  }

  #findTwins(classes: Int32Array): void {
    for (let rank = 0; rank < this.#size; rank++) {
      let twin = 0;
      while (
        twin < rank &&
        !(
          classes[twin] === classes[rank] &&
          this.#twinOf[twin] === twin &&
          this.#twins.are(this.#pool, this.#starts, twin, rank)
        )
      ) {
        twin++;
      }
      this.#twinOf[rank] = twin;
    }
  }

  /**
   * Returns the depth of the node at which to continue: `depth` itself, or that of an ancestor whose best
   * leaf was met again.
   */
  #visit(depth: number): number {
    this.nodes++;
    const level = this.#levels[depth]!;
    level.found = false;
    this.#refine(level.classes);
    const target = this.#target(level.classes);
    if (target < 0) return this.#leaf(depth);
    const child = this.#levels[depth + 1]!;
    let orbit = 0;
    let stabiliser = 1;
    for (let rank = 0; rank < this.#size; rank++) {
      if (level.classes[rank] !== target) continue;
      const twins = this.#countTwins(level.classes, rank);
      if (twins === 0) continue;
      this.#singleOut(level.classes, rank, child.classes);
      const back = this.#visit(depth + 1);
      if (back < depth) return back;
      const order = back === depth ? 0 : this.#compare(child, level);
      if (order > 0) continue;
      if (order === 0) {
        orbit += twins;
        continue;
      }
      orbit = twins;
      stabiliser = child.automorphisms;
      level.found = true;
      level.to.set(child.to);
      [level.certificate, child.certificate] = [child.certificate, level.certificate];
    }
    level.automorphisms = orbit * stabiliser;
    return depth;
  }

  #compare(child: Level, level: Level): number {
    return level.found ? compareSequences(child.certificate, level.certificate) : -1;
  }

  /**
   * Splits classes by the hashes of their processes until none splits any more. Two classes never share a place.
   */
  #refine(classes: Int32Array): void {
    const [size, colours, heard, order] = [this.#size, this.#colours, this.#heard, this.#order];
    for (let split = true; split; ) {
      split = false;
      for (let rank = 0; rank < size; rank++) colours[rank] = mix(classes[rank]! + 1);
      hear(this.#pool, this.#starts, colours, heard, colours.length);
      for (let rank = 0; rank < size; rank++) {
        let slot = rank;
        for (; slot > 0 && this.#before(classes, rank, order[slot - 1]!); slot--)
          order[slot] = order[slot - 1]!;
        order[slot] = rank;
      }
      let first = 0;
      let previous = -1;
      for (let slot = 0; slot < size; slot++) {
        const rank = order[slot]!;
        const starts = classes[rank] !== previous;
        if (starts || heard[rank] !== heard[order[slot - 1]!]) {
          first = slot;
          if (!starts) split = true;
        }
        previous = classes[rank]!;
        classes[rank] = first;
      }
    }
  }

  #before(classes: Int32Array, a: number, b: number): boolean {
    return (classes[a]! - classes[b]! || this.#heard[a]! - this.#heard[b]!) < 0;
  }

  /**
   * The first class that is more than a set of twins. -1 when every remaining choice gives the same result.
   */
  #target(classes: Int32Array): number {
    let target = -1;
    for (let rank = 0; rank < this.#size; rank++) {
      const own = classes[rank]!;
      if (target >= 0 && own >= target) continue;
      for (let other = rank + 1; other < this.#size; other++) {
        if (classes[other] === own && this.#twinOf[other] !== this.#twinOf[rank]) target = own;
      }
    }
    return target;
  }

  /**
   * Number of twins in its class that `rank` represents: all of them, or 0 when another twin represents them.
   */
  #countTwins(classes: Int32Array, rank: number): number {
    let count = 0;
    for (let other = 0; other < this.#size; other++) {
      if (classes[other] !== classes[rank] || this.#twinOf[other] !== this.#twinOf[rank]) continue;
      if (other < rank) return 0;
      count++;
    }
    return count;
  }

  #singleOut(classes: Int32Array, rank: number, out: Int32Array): void {
    const own = classes[rank]!;
    for (let other = 0; other < this.#size; other++) {
      out[other] = classes[other] === own && other !== rank ? own + 1 : classes[other]!;
    }
  }

  #leaf(depth: number): number {
    const level = this.#levels[depth]!;
    const order = this.#order;
    level.automorphisms = 1;
    for (let slot = 0, twins = 1; slot < this.#size; slot++) {
      const rank = order[slot]!;
      level.to[rank] = slot;
      twins = slot > 0 && level.classes[rank] === level.classes[order[slot - 1]!] ? twins + 1 : 1;
      level.automorphisms *= twins;
    }
    level.found = true;
    level.certificate.length = 0;
    for (let slot = 0; slot < this.#starts.length; slot++) {
      const rank = slot < this.#size ? order[slot]! : slot;
      writeEdges(this.#pool, this.#starts[rank]!, level.to, level.certificate);
    }
    for (let above = 0; above < depth; above++) {
      const { found, certificate } = this.#levels[above]!;
      if (found && compareSequences(level.certificate, certificate) === 0) return above;
    }
    return depth;
  }
}
