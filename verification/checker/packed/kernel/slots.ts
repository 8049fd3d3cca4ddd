import { partitionWindow, regions } from '../memory.ts';
import { lowBits } from '../state-layout.ts';
import type { Kit } from './kit.ts';
import { range } from './states.ts';
import { branchIf, type Code, i32, i64, type Label, type Local } from './wasm.ts';

/** The layout of a key in its slot (see `StateLayout`), as code. */
export class Slots {
  private readonly kit: Kit;
  private readonly lowBits: bigint;
  private readonly keptBits: bigint;
  private readonly keptMask: bigint;
  private readonly distanceShift: bigint;

  constructor(kit: Kit) {
    this.kit = kit;
    const { plan } = kit.shape;
    this.lowBits = BigInt(plan.lowBits);
    this.keptBits = BigInt(plan.lowBits + plan.homeBits);
    this.keptMask = (1n << this.keptBits) - 1n;
    this.distanceShift = BigInt(Math.min(64, 8 * plan.slotBytes) - plan.distanceBits);
  }

  /** A distance of one slot from home. */
  get unit(): Code {
    return i64.const(1n << this.distanceShift);
  }

  /** Tests whether the distance has overflowed to 0. */
  wrapped(entry: Local): Code {
    if (this.isShort) return i32.wrap(i64.shrU(entry.get, i64.const(32n)));
    return i64.ltU(entry.get, this.unit);
  }

  load(address: Code, offset = 0): Code {
    return (this.isShort ? i64.load32 : i64.load)(address, offset);
  }

  store(address: Code, entry: Code): Code {
    return (this.isShort ? i64.store32 : i64.store)(address, entry);
  }

  /** Start of a partition's slots. */
  window(partition: Local): Code {
    if (this.kit.shape.spill) return i32.const(regions.partitions);
    return i32.add(i32.mul(partition.get, i32.const(partitionWindow)), i32.const(regions.partitions));
  }

  at(window: Local, slot: Code): Code {
    return i32.add(window.get, i32.mul(slot, i32.const(this.kit.shape.plan.slotBytes)));
  }

  /** The home slot of a mixed first word. */
  home(window: Local, first: Code, capacity: Code): Code {
    const x = i64.and(i64.shrU(first, i64.const(BigInt(lowBits))), i64.const(0xffff_ffffn));
    return this.homeOf(window, x, capacity);
  }

  homeOf(window: Local, x: Code, capacity: Code): Code {
    return this.at(window, i32.wrap(i64.shrU(i64.mul(x, capacity), i64.const(32n))));
  }

  /** The slot's first word for a key that is at home. */
  entry([first, second]: readonly Local[]): Code {
    const dropped = BigInt(lowBits) - this.lowBits;
    const low = dropped === 0n ? first!.get : i64.shrU(first!.get, i64.const(dropped));
    const kept = i64.or(i64.and(low, i64.const(this.keptMask)), this.unit);
    return this.inline ? i64.or(kept, i64.shl(second!.get, i64.const(this.keptBits))) : kept;
  }

  /** The same entry, at home. */
  atHome(entry: Local): Code {
    return i64.or(i64.and(entry.get, i64.const((1n << this.distanceShift) - 1n)), this.unit);
  }

  /** The factor that `recoverX` uses for a capacity. */
  reciprocal(capacity: Code): Code {
    return i64.divU(i64.const(-1n), capacity);
  }

  /**
   * Recovers `x` from an entry and its slot: the only number with that home and these low bits. The
   * reciprocal may be one or two too low, and `leastCapacity` leaves room for that.
   */
  recoverX(x: Local, entry: Local, slot: Code, reciprocal: Local): Code {
    const distance = i64.shrU(entry.get, i64.const(this.distanceShift));
    const home = i64.sub(i64.extend(slot), i64.sub(distance, i64.const(1n)));
    const kept = i64.shrU(i64.and(entry.get, i64.const(this.keptMask)), i64.const(this.lowBits));
    const homeMask = i64.const((1n << BigInt(this.kit.shape.plan.homeBits)) - 1n);
    return [
      x.set(i64.shrU(i64.mul(home, reciprocal.get), i64.const(32n))),
      x.set(i64.add(x.get, i64.and(i64.sub(kept, x.get), homeMask))),
    ];
  }

  /** Recovers a mixed state. */
  recover(state: Local[], x: Local, entry: Local, partition: Local, address: Local): Code {
    const { extraBits } = this.kit.shape.plan;
    const low = i64.and(entry.get, i64.const((1n << BigInt(lowBits)) - 1n));
    const place = i64.or(
      i64.shl(i64.extend(partition.get), i64.const(56n)),
      i64.shl(x.get, i64.const(BigInt(lowBits))),
    );
    const extra = i64.and(
      i64.shrU(entry.get, i64.const(this.keptBits)),
      i64.const((1n << BigInt(extraBits)) - 1n),
    );
    return [
      state[0]!.set(i64.or(place, low)),
      this.inline
        ? state[1]!.set(extra)
        : state.slice(1).map((word, k) => word.set(this.kit.states.loadWord(address.get, k + 1))),
    ];
  }

  storeRest(state: readonly Local[], address: Local): Code {
    if (this.kit.shape.plan.restBytes === 0) return [];
    return state.slice(1).map((word, k) => this.kit.states.storeWord(address.get, k + 1, word.get));
  }

  copyRest(to: Local, from: Local, fromOffset: number): Code {
    const { states } = this.kit;
    return range(Math.ceil(this.kit.shape.plan.restBytes / 8)).map((k) =>
      states.storeWord(to.get, k + 1, states.loadWord(from.get, k + 1, fromOffset)),
    );
  }

  branchIfRestDiffers(state: readonly Local[], address: Local, label: Label): Code {
    if (this.kit.shape.plan.restBytes === 0) return [];
    return state
      .slice(1)
      .map((word, k) => branchIf(i64.ne(this.kit.states.loadWord(address.get, k + 1), word.get), label));
  }

  private get isShort(): boolean {
    return this.kit.shape.plan.slotBytes === 4;
  }

  private get inline(): boolean {
    const { extraBits, restBytes, hashBits } = this.kit.shape.plan;
    return extraBits > 0 && restBytes === 0 && hashBits === null;
  }
}
