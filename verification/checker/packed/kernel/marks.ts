import { area, regions } from '../memory.ts';
import { type Kit, next, zero } from './kit.ts';
import { block, branch, branchIf, type Code, i32, i64, type Local, loop } from './wasm.ts';

/**
 * A set of mixed states at `regions.partitions`, with `area.markMask + 1` places. Traces are walked back with
 * it.
 */
export class Marks {
  private readonly kit: Kit;
  private readonly bytes: number;

  constructor(kit: Kit) {
    this.kit = kit;
    this.bytes = 8 * (kit.shape.plan.words + 1);
  }

  add(state: Local[], place: Local): Code {
    return [
      this.seek(state, place),
      i64.store(place.get, i64.const(1n), regions.partitions),
      state.map((word, k) => i64.store(place.get, word.get, regions.partitions + 8 * (k + 1))),
    ];
  }

  /** Sets `found` to 1 if the state is marked, and leaves it unchanged otherwise. */
  find(state: Local[], place: Local, found: Local): Code {
    return [
      this.seek(state, place),
      found.set(i32.or(found.get, i32.wrap(i64.load(place.get, regions.partitions)))),
    ];
  }

  /** Sets `place` to the place of the state, or to the free place where it would be stored. */
  private seek(state: Local[], place: Local): Code {
    const address = i32.mul(place.get, i32.const(this.bytes));
    const differs = state
      .map((word, k) => i64.ne(word.get, i64.load(address, regions.partitions + 8 * (k + 1))))
      .reduce((any, other) => i32.or(any, other));
    return [
      place.set(i32.wrap(state[0]!.get)),
      loop((probe) => [
        place.set(i32.and(place.get, i32.load(zero, this.kit.at(area.markMask)))),
        block((stay) => [
          branchIf(i64.eqz(i64.load(address, regions.partitions)), stay),
          branchIf(i32.eqz(differs), stay),
          next(place, 1),
          branch(probe),
        ]),
      ]),
      place.set(address),
    ];
  }
}
