import {
  area,
  bufferBytes,
  control,
  lowBits,
  memoryPages,
  type Plan,
  partitionWindow,
  regions,
  tupleMemoBits,
} from './plan.ts';
import {
  block,
  branch,
  branchIf,
  type Code,
  clearMemory,
  copyMemory,
  type FunctionBuilder,
  i32,
  i64,
  type Label,
  type Local,
  leave,
  loop,
  ModuleBuilder,
  select,
  v128,
  when,
} from './wasm.ts';

/** What the kernel asks of whoever runs it. */
export interface KernelImports {
  /** Give `area[which]` a fresh chunk. */
  more(which: number): void;
  /** Make room in a partition. */
  grow(partition: number): void;
  /** Put away what is gathered for a partition. */
  spill(partition: number): void;
  /** Judge what is in `area.sums`: bit 0: nothing to say, ever; bit 1: outside the constraint. */
  judgeSums(): number;
  /** The same, of `area.locals`. */
  judgeTuples(): number;
  /** `area.locals` has no enabled step. */
  deadlock(): void;
  /** Rewrite `area.after` to its canonical form; 0: not yet possible. */
  canonicalize(): number;
  /** Count the orbit of `area.locals`; 0: not yet possible. */
  orbit(): number;
}

/** What the kernel offers. Addresses are bytes. */
export interface Kernel {
  /** Gathers every successor of the states in `[from, to)`. */
  expand(from: number, to: number): void;
  /** Gathers the states in `[from, to)` themselves. */
  add(from: number, to: number): void;
  /** Inserts what was gathered for a partition; new states go to `area.out`. */
  flush(partition: number): void;
  insert(partition: number): void;
  /** Gives a partition another capacity; 0 when keys lie too far from home in it. `first`: take the copy. */
  rebuild(partition: number, before: number, after: number, first: number): number;
  /** Writes the states of slots `[from, to)` of a partition to `out`, and returns where it ended. */
  dump(partition: number, capacity: number, from: number, to: number, out: number): number;
  /** States to locals, `4 · width` bytes each, and back. */
  unpack(from: number, to: number, out: number): void;
  pack(from: number, to: number, out: number): void;
}

/** What the code depends on beside the plan. */
export interface KernelShape {
  readonly plan: Plan;
  readonly worker: number;
  readonly shared: boolean;
  /** Where a cell's records begin. */
  readonly records: readonly number[];
  readonly sums: number;
  readonly tuples: number;
  /** How many more tuple watches deadlocks are shown to. */
  readonly quiescent: number;
  /** States are rewritten to their canonical forms. */
  readonly symmetric: boolean;
  /**
   * Partitions lie in files, one at a time in memory: `flush` hands what is gathered to `spill`, and `insert`
   * inserts it into the one that is there.
   */
  readonly spill?: boolean;
  /** `expand` inserts nothing: it copies to `area.out` the states with a successor that `add` has marked. */
  readonly match?: boolean;
}

/**
 * What is known of a local: its steps (0: not asked, 1: asked), how many, its class, then its weights, then
 * what tuple watches see of it.
 */
export const recordBytes = (sums: number, tuples: number): number =>
  observationsAt(sums) + 16 * Math.ceil(tuples / 4);
export const record = { steps: 0, count: 4, class: 8, weights: 16 } as const;
export const observationsAt = (sums: number): number => 16 + 16 * Math.ceil(sums / 4);
/** A step: how the own local changes, where the receptions are (0: sends nothing, 1: a list), of which cell. */
export const stepBytes = 16;
export const step = { change: 0, receptions: 4, offset: 8, cell: 12, list: 8 } as const;
/** What `receptions` hold beside a local plus `reception.first`. */
export const reception = { unknown: 0, asked: 1, blocked: 2, first: 3 } as const;

const mixers = [0x9e3779b97f4a7c15n, 0xbf58476d1ce4e5b9n, 0x94d049bb133111ebn] as const;

/** The inverse of an odd number modulo 2^64 (Newton). */
function inverse(odd: bigint): bigint {
  let result = odd;
  for (let i = 0; i < 6; i++) result = BigInt.asUintN(64, result * (2n - odd * result));
  return result;
}

export function buildKernel(shape: KernelShape): Uint8Array<ArrayBuffer> {
  const { plan, worker } = shape;
  const { words, width, stateBytes, slotBytes } = plan;
  const base = regions.workers + worker * regions.workerBytes;
  const at = (offset: number) => base + offset;
  const zero = i32.const(0);
  const module = new ModuleBuilder(memoryPages);
  const more = module.import('more', ['i32'], null);
  const grow = module.import('grow', ['i32'], null);
  const spill = module.import('spill', ['i32'], null);
  const judgeSums = module.import('judgeSums', [], 'i32');
  const judgeTuples = module.import('judgeTuples', [], 'i32');
  const deadlock = module.import('deadlock', [], null);
  const canonicalize = module.import('canonicalize', [], 'i32');
  const orbit = module.import('orbit', [], 'i32');

  const range = (n: number) => Array.from({ length: n }, (_, i) => i);
  const lastIsShort = plan.keyBytes % 8 === 4;
  const isShort = (word: number) => lastIsShort && word === words - 1;
  const loadWord = (address: Code, word: number, offset = 0) =>
    (isShort(word) ? i64.load32 : i64.load)(address, offset + 8 * word);
  const storeWord = (address: Code, word: number, value: Code, offset = 0) =>
    (isShort(word) ? i64.store32 : i64.store)(address, value, offset + 8 * word);
  const loadState = (state: Local[], address: Code): Code =>
    state.map((word, k) => word.set(loadWord(address, k)));
  const tagged = plan.tagBits > 0;
  const tagInside = plan.stateBytes === plan.keyBytes;
  const tagShift = plan.extraBits % 64;
  /** A state with its tag: both from memory, apart. */
  const loadTagged = (state: Local[], tag: Local, address: Code): Code => {
    if (!tagged) return loadState(state, address);
    const last = state.at(-1)!;
    if (!tagInside) return [loadState(state, address), tag.set(i32.load(address, plan.keyBytes))];
    return [
      loadState(state, address),
      tag.set(i32.wrap(i64.shrU(last.get, i64.const(BigInt(tagShift))))),
      last.set(i64.and(last.get, i64.const((1n << BigInt(tagShift)) - 1n))),
    ];
  };
  const storeTagged = (state: Local[], tag: Code, address: Code): Code =>
    state.map((word, k) => {
      if (!tagged || k < words - 1) return storeWord(address, k, word.get);
      if (!tagInside) return [storeWord(address, k, word.get), i32.store(address, tag, plan.keyBytes)];
      return storeWord(address, k, i64.or(word.get, i64.shl(i64.extend(tag), i64.const(BigInt(tagShift)))));
    });
  const wordsOf = (fn: FunctionBuilder) => range(words).map(() => fn.local('i64'));

  const extract = (state: Local[], cell: number): Code => {
    const [offset, bits] = [plan.offsets[cell]!, plan.bits[cell]!];
    const [k, shift] = [offset >> 6, offset & 63];
    const low = shift === 0 ? state[k]!.get : i64.shrU(state[k]!.get, i64.const(BigInt(shift)));
    const value =
      shift + bits > 64 ? i64.or(low, i64.shl(state[k + 1]!.get, i64.const(BigInt(64 - shift)))) : low;
    return i32.and(i32.wrap(value), i32.const(2 ** bits - 1));
  };
  /** Xors `change` (i64) into the bits of `cell`. */
  const deposit = (state: Local[], cell: number, change: Local): Code =>
    place(state, plan.offsets[cell]!, plan.bits[cell]!, change);
  const place = (state: Local[], offset: number, bits: number, change: Local): Code => {
    const [k, shift] = [offset >> 6, offset & 63];
    const toWord = (word: Local, value: Code) => word.set(i64.xor(word.get, value));
    return [
      toWord(state[k]!, i64.shl(change.get, i64.const(BigInt(shift)))),
      shift + bits > 64 ? toWord(state[k + 1]!, i64.shrU(change.get, i64.const(BigInt(64 - shift)))) : [],
    ];
  };
  /** The same, for a cell known by its offset at run time. */
  const depositAt = (state: Local[], offset: Local, change: Local): Code => {
    const none = i64.const(0n);
    const shift = i64.extend(offset.get);
    const low = i64.shl(change.get, shift);
    const high = i64.shrU(i64.shrU(change.get, i64.const(1n)), i64.sub(i64.const(63n), shift));
    const isWord = (k: number) => i32.eq(i32.shrU(offset.get, i32.const(6)), i32.const(k));
    return state.map((word, k) => {
      if (words === 1) return word.set(i64.xor(word.get, low));
      if (k === 0) return word.set(i64.xor(word.get, select(low, none, isWord(0))));
      return word.set(
        i64.xor(word.get, select(low, words === 2 ? high : select(high, none, isWord(k - 1)), isWord(k))),
      );
    });
  };

  const folded = (state: Local[]): Code =>
    state.slice(1).reduce((sum: Code | null, word) => {
      const value = i64.mul(sum === null ? word.get : i64.add(sum, word.get), i64.const(mixers[0]));
      return [value, ...rest.set([]), ...i64.xor(rest.get, i64.shrU(rest.get, i64.const(32n)))];
    }, null) ?? i64.const(0n);
  let rest: Local;
  const shiftXor = (word: Local, by: bigint): Code =>
    word.set(i64.xor(word.get, i64.shrU(word.get, i64.const(by))));
  const times = (word: Local, factor: bigint): Code => word.set(i64.mul(word.get, i64.const(factor)));
  const fold = (state: Local[]): Code =>
    words === 1 ? [] : state[0]!.set(i64.xor(state[0]!.get, folded(state)));
  const mix = (state: Local[], scratch: Local): Code => {
    rest = scratch;
    const first = state[0]!;
    return [
      fold(state),
      shiftXor(first, 32n),
      times(first, mixers[1]),
      shiftXor(first, 29n),
      times(first, mixers[2]),
      shiftXor(first, 32n),
    ];
  };
  const unmix = (state: Local[], scratch: Local): Code => {
    rest = scratch;
    const first = state[0]!;
    return [
      shiftXor(first, 32n),
      times(first, inverse(mixers[2])),
      first.set(
        i64.xor(i64.xor(first.get, i64.shrU(first.get, i64.const(29n))), i64.shrU(first.get, i64.const(58n))),
      ),
      times(first, inverse(mixers[1])),
      shiftXor(first, 32n),
      fold(state),
    ];
  };

  const x = (first: Code) => i64.and(i64.shrU(first, i64.const(BigInt(lowBits))), i64.const(0xffff_ffffn));
  const keptBits = BigInt(lowBits + plan.homeBits);
  const keptMask = (1n << keptBits) - 1n;
  const inline = plan.extraBits > 0 && plan.restBytes === 0;
  const one = 1n << BigInt(64 - plan.distanceBits);
  /** The slot's first word, for a key that is at home. */
  const entryOf = (state: Local[]): Code => {
    const kept = i64.or(i64.and(state[0]!.get, i64.const(keptMask)), i64.const(one));
    return inline ? i64.or(kept, i64.shl(state[1]!.get, i64.const(keptBits))) : kept;
  };
  const windowOf = (partition: Local) =>
    shape.spill
      ? i32.const(regions.partitions)
      : i32.add(i32.mul(partition.get, i32.const(partitionWindow)), i32.const(regions.partitions));
  const slotAt = (window: Local, home: Code) =>
    i32.add(window.get, i32.mul(i32.wrap(home), i32.const(slotBytes)));
  const byPartition = (partition: Local) => i32.shl(partition.get, i32.const(2));

  /** Adds to what `partition` has gathered, and inserts it once that is enough. */
  const gather = (state: Local[], tag: Code, partition: Local, to: Local): Code => [
    partition.set(i32.wrap(i64.shrU(state[0]!.get, i64.const(56n)))),
    to.set(i32.load(byPartition(partition), at(area.fill))),
    storeTagged(state, tag, to.get),
    i32.store(byPartition(partition), to.tee(i32.add(to.get, i32.const(stateBytes))), at(area.fill)),
    when(
      i32.gtU(
        i32.add(to.get, i32.const(stateBytes - at(area.buffers))),
        i32.add(i32.mul(partition.get, i32.const(bufferBytes)), i32.const(bufferBytes)),
      ),
      flush.call(partition.get),
    ),
  ];
  const markBytes = 8 * (words + 1);
  /** Walks the marks, in a table of `area.markMask + 1` at `regions.partitions`, to this one or a free place. */
  const seekMark = (state: Local[], at_: Local): Code => [
    at_.set(i32.wrap(state[0]!.get)),
    loop((probe) => [
      at_.set(i32.and(at_.get, i32.load(zero, at(area.markMask)))),
      block((stay) => [
        branchIf(i64.eqz(i64.load(i32.mul(at_.get, i32.const(markBytes)), regions.partitions)), stay),
        branchIf(
          i32.eqz(
            state
              .map((word, k) =>
                i64.ne(
                  word.get,
                  i64.load(i32.mul(at_.get, i32.const(markBytes)), regions.partitions + 8 * (k + 1)),
                ),
              )
              .reduce((any, one) => i32.or(any, one)),
          ),
          stay,
        ),
        at_.set(i32.add(at_.get, i32.const(1))),
        branch(probe),
      ]),
    ]),
    at_.set(i32.mul(at_.get, i32.const(markBytes))),
  ];

  /** Room for `bytes` more at `area[which]`, whose end lies 4 bytes after it. */
  const makeRoom = (which: number, bytes: number): Code =>
    when(
      i32.gtU(i32.add(i32.load(zero, at(which)), i32.const(bytes)), i32.load(zero, at(which + 4))),
      more.call(i32.const(which)),
    );

  const flush = module.function('flush', ['i32'], null);
  const insert = module.function('insert', ['i32'], null);
  flush.body = (shape.spill ? spill : insert).call(flush.parameter(0).get);
  {
    const partition = insert.parameter(0);
    const [start, end, current, groupEnd, slots, address, window, count, out] = range(9).map(() =>
      insert.local('i32'),
    ) as [Local, Local, Local, Local, Local, Local, Local, Local, Local];
    const [capacity, touched, entry, found, scratch] = range(5).map(() => insert.local('i64')) as [
      Local,
      Local,
      Local,
      Local,
      Local,
    ];
    const state = wordsOf(insert);
    const tag = insert.local('i32');
    const next = (pointer: Local, bytes: number) => pointer.set(i32.add(pointer.get, i32.const(bytes)));
    const restDiffers = (address: Local): Code =>
      state
        .slice(1)
        .map((word, k) => i64.ne(loadWord(address.get, k + 1), word.get))
        .reduce((any, one) => i32.or(any, one));
    const roomFor = (need: Code): Code =>
      when(
        i32.gtU(i32.add(count.get, need), i32.load(byPartition(partition), control.limit)),
        grow.call(partition.get),
      );
    insert.body = [
      start.set(i32.add(i32.mul(partition.get, i32.const(bufferBytes)), i32.const(at(area.buffers)))),
      end.set(i32.load(byPartition(partition), at(area.fill))),
      when(i32.eq(start.get, end.get), [0x0f]),
      shape.shared
        ? loop((spin) =>
            branchIf(
              i32.atomicCompareExchange(byPartition(partition), zero, i32.const(1), control.lock),
              spin,
            ),
          )
        : [],
      window.set(windowOf(partition)),
      count.set(i32.load(byPartition(partition), control.count)),
      roomFor(i32.divU(i32.sub(end.get, start.get), i32.const(stateBytes))),
      capacity.set(i64.extend(i32.load(byPartition(partition), control.capacity))),
      current.set(start.get),
      out.set(i32.load(zero, at(area.out))),
      loop((nextGroup) => [
        groupEnd.set(i32.add(current.get, i32.const(16 * stateBytes))),
        groupEnd.set(select(groupEnd.get, end.get, i32.ltU(groupEnd.get, end.get))),
        // Loads that do not wait for one another: what would be misses, one by one, below.
        address.set(current.get),
        slots.set(zero),
        loop((again) => [
          i32.store(
            slots.get,
            slotAt(window, i64.shrU(i64.mul(x(i64.load(address.get)), capacity.get), i64.const(32n))),
            at(area.group),
          ),
          touched.set(i64.xor(touched.get, i64.load(i32.load(slots.get, at(area.group))))),
          next(slots, 4),
          next(address, stateBytes),
          branchIf(i32.ltU(address.get, groupEnd.get), again),
        ]),
        slots.set(zero),
        loop((nextKey) => [
          loadTagged(state, tag, current.get),
          address.set(i32.load(slots.get, at(area.group))),
          entry.set(entryOf(state)),
          block((done) => [
            loop((probe) => [
              when(i64.eqz(found.tee(i64.load(address.get))), [
                i64.store(address.get, entry.get),
                plan.restBytes > 0
                  ? state.slice(1).map((word, k) => storeWord(address.get, k + 1, word.get))
                  : [],
                next(count, 1),
                unmix(state, scratch),
                when(i32.gtU(i32.add(out.get, i32.const(stateBytes)), i32.load(zero, at(area.outEnd))), [
                  i32.store(zero, out.get, at(area.out)),
                  more.call(i32.const(area.out)),
                  out.set(i32.load(zero, at(area.out))),
                ]),
                storeTagged(state, tag.get, out.get),
                out.set(i32.add(out.get, i32.load(zero, at(area.outStep)))),
                branch(done),
              ]),
              block((other) => [
                branchIf(i64.ne(found.get, entry.get), other),
                plan.restBytes > 0 ? branchIf(restDiffers(address), other) : [],
                branch(done),
              ]),
              next(address, slotBytes),
              entry.set(i64.add(entry.get, i64.const(one))),
              branchIf(i32.eqz(i64.ltU(entry.get, i64.const(one))), probe),
            ]),
            // Too far from home for the bits that say how far: more room brings keys nearer.
            i32.store(byPartition(partition), count.get, control.count),
            grow.call(partition.get),
            capacity.set(i64.extend(i32.load(byPartition(partition), control.capacity))),
            branch(nextGroup),
          ]),
          next(slots, 4),
          next(current, stateBytes),
          branchIf(i32.ltU(current.get, groupEnd.get), nextKey),
        ]),
        branchIf(i32.ltU(current.get, end.get), nextGroup),
      ]),
      i32.store(zero, out.get, at(area.out)),
      i32.store(byPartition(partition), count.get, control.count),
      i32.store(byPartition(partition), start.get, at(area.fill)),
      i64.store(zero, touched.get, at(area.prefetched)),
      shape.shared ? i32.atomicStore(byPartition(partition), zero, control.lock) : [],
    ];
  }

  const rebuild = module.function('rebuild', ['i32', 'i32', 'i32', 'i32'], 'i32');
  {
    const [partition, before, after, first] = range(4).map((i) => rebuild.parameter(i)) as [
      Local,
      Local,
      Local,
      Local,
    ];
    const [window, from, slot, address, bytes] = range(5).map(() => rebuild.local('i32')) as [
      Local,
      Local,
      Local,
      Local,
      Local,
    ];
    const [entry, low, home, capacity, kept] = range(5).map(() => rebuild.local('i64')) as [
      Local,
      Local,
      Local,
      Local,
      Local,
    ];
    const regionBytes = (capacity: Local) =>
      i32.mul(i32.add(capacity.get, i32.const(plan.tail)), i32.const(slotBytes));
    const copyAt = shape.spill ? regions.spillCopy : at(area.copy);
    const copy = i32.const(copyAt);
    rebuild.body = [
      window.set(windowOf(partition)),
      when(first.get, copyMemory(copy, window.get, regionBytes(before))),
      clearMemory(window.get, regionBytes(after)),
      bytes.set(regionBytes(before)),
      capacity.set(i64.extend(before.get)),
      when(i32.eqz(before.get), leave(i32.const(1))),
      loop((nextSlot) => [
        block((empty) => [
          branchIf(i64.eqz(entry.tee(i64.load(from.get, copyAt))), empty),
          // x is the one number of its home's range with these low bits.
          home.set(
            i64.sub(
              i64.extend(slot.get),
              i64.sub(i64.shrU(entry.get, i64.const(BigInt(64 - plan.distanceBits))), i64.const(1n)),
            ),
          ),
          low.set(
            i64.divU(
              i64.add(i64.shl(home.get, i64.const(32n)), i64.sub(capacity.get, i64.const(1n))),
              capacity.get,
            ),
          ),
          kept.set(i64.shrU(i64.and(entry.get, i64.const(keptMask)), i64.const(BigInt(lowBits)))),
          low.set(
            i64.add(
              low.get,
              i64.and(i64.sub(kept.get, low.get), i64.const((1n << BigInt(plan.homeBits)) - 1n)),
            ),
          ),
          address.set(slotAt(window, i64.shrU(i64.mul(low.get, i64.extend(after.get)), i64.const(32n)))),
          entry.set(i64.or(i64.and(entry.get, i64.const(one - 1n)), i64.const(one))),
          block((free) =>
            loop((probe) => [
              branchIf(i64.eqz(i64.load(address.get)), free),
              address.set(i32.add(address.get, i32.const(slotBytes))),
              entry.set(i64.add(entry.get, i64.const(one))),
              when(i64.ltU(entry.get, i64.const(one)), leave(zero)),
              branch(probe),
            ]),
          ),
          i64.store(address.get, entry.get),
          range(Math.ceil(plan.restBytes / 8)).map((k) =>
            storeWord(address.get, k + 1, loadWord(from.get, k + 1, copyAt)),
          ),
        ]),
        slot.set(i32.add(slot.get, i32.const(1))),
        branchIf(i32.ltU(from.tee(i32.add(from.get, i32.const(slotBytes))), bytes.get), nextSlot),
      ]),
      i32.const(1),
    ];
  }

  const dump = module.function('dump', ['i32', 'i32', 'i32', 'i32', 'i32'], 'i32');
  {
    const [partition, capacity, slot, end, out] = range(5).map((i) => dump.parameter(i)) as [
      Local,
      Local,
      Local,
      Local,
      Local,
    ];
    const [window, address] = [dump.local('i32'), dump.local('i32')];
    const [entry, low, home, scratch] = range(4).map(() => dump.local('i64')) as [Local, Local, Local, Local];
    const state = wordsOf(dump);
    const wide = i64.extend(capacity.get);
    dump.body = [
      window.set(windowOf(partition)),
      loop((nextSlot) => [
        block((empty) => [
          address.set(slotAt(window, i64.extend(slot.get))),
          branchIf(i64.eqz(entry.tee(i64.load(address.get))), empty),
          home.set(
            i64.sub(
              i64.extend(slot.get),
              i64.sub(i64.shrU(entry.get, i64.const(BigInt(64 - plan.distanceBits))), i64.const(1n)),
            ),
          ),
          low.set(i64.divU(i64.add(i64.shl(home.get, i64.const(32n)), i64.sub(wide, i64.const(1n))), wide)),
          low.set(
            i64.add(
              low.get,
              i64.and(
                i64.sub(
                  i64.shrU(i64.and(entry.get, i64.const(keptMask)), i64.const(BigInt(lowBits))),
                  low.get,
                ),
                i64.const((1n << BigInt(plan.homeBits)) - 1n),
              ),
            ),
          ),
          state[0]!.set(
            i64.or(
              i64.or(
                i64.shl(i64.extend(partition.get), i64.const(56n)),
                i64.shl(low.get, i64.const(BigInt(lowBits))),
              ),
              i64.and(entry.get, i64.const((1n << BigInt(lowBits)) - 1n)),
            ),
          ),
          inline
            ? state[1]!.set(
                i64.and(
                  i64.shrU(entry.get, i64.const(keptBits)),
                  i64.const((1n << BigInt(plan.extraBits)) - 1n),
                ),
              )
            : state.slice(1).map((word, k) => word.set(loadWord(address.get, k + 1))),
          unmix(state, scratch),
          storeTagged(state, zero, out.get),
          out.set(i32.add(out.get, i32.const(stateBytes))),
        ]),
        branchIf(i32.ltU(slot.tee(i32.add(slot.get, i32.const(1))), end.get), nextSlot),
      ]),
      out.get,
    ];
  }

  const add = module.function('add', ['i32', 'i32'], null);
  {
    const [from, to] = [add.parameter(0), add.parameter(1)];
    const [partition, slot, scratch] = [add.local('i32'), add.local('i32'), add.local('i64')];
    const state = wordsOf(add);
    const tag = add.local('i32');
    add.body = [
      loop((again) => [
        loadTagged(state, tag, from.get),
        mix(state, scratch),
        shape.match
          ? [
              seekMark(state, slot),
              i64.store(slot.get, i64.const(1n), regions.partitions),
              state.map((word, k) => i64.store(slot.get, word.get, regions.partitions + 8 * (k + 1))),
            ]
          : gather(state, zero, partition, slot),
        branchIf(i32.ltU(from.tee(i32.add(from.get, i32.const(stateBytes))), to.get), again),
      ]),
    ];
  }

  const unpack = module.function('unpack', ['i32', 'i32', 'i32'], null);
  {
    const [from, to, out] = range(3).map((i) => unpack.parameter(i)) as [Local, Local, Local];
    const state = wordsOf(unpack);
    unpack.body = [
      loop((again) => [
        loadState(state, from.get),
        range(width).map((cell) => i32.store(out.get, extract(state, cell), 4 * cell)),
        out.set(i32.add(out.get, i32.const(4 * width))),
        branchIf(i32.ltU(from.tee(i32.add(from.get, i32.const(stateBytes))), to.get), again),
      ]),
    ];
  }

  /** Packs what `value` gives for each cell. */
  const packWith = (state: Local[], change: Local, value: (cell: number) => Code): Code => [
    state.map((word) => word.set(i64.const(0n))),
    range(width).map((cell) => [change.set(i64.extend(value(cell))), deposit(state, cell, change)]),
  ];
  const pack = module.function('pack', ['i32', 'i32', 'i32'], null);
  {
    const [from, to, out] = range(3).map((i) => pack.parameter(i)) as [Local, Local, Local];
    const change = pack.local('i64');
    const state = wordsOf(pack);
    pack.body = [
      loop((again) => [
        packWith(state, change, (cell) => i32.load(from.get, 4 * cell)),
        storeTagged(state, zero, out.get),
        out.set(i32.add(out.get, i32.const(stateBytes))),
        branchIf(i32.ltU(from.tee(i32.add(from.get, i32.const(4 * width))), to.get), again),
      ]),
    ];
  }

  const ask = (cell: Code, local: Code, receptions: Code): Code => [
    makeRoom(area.query, 12),
    i32.store(i32.load(zero, at(area.query)), cell),
    i32.store(i32.load(zero, at(area.query)), local, 4),
    i32.store(i32.load(zero, at(area.query)), receptions, 8),
    i32.store(zero, i32.add(i32.load(zero, at(area.query)), i32.const(12)), at(area.query)),
  ];

  /** Delivers a list of letters within `area.after`; 0, or why there is no successor: `unknown` or `blocked`. */
  const deliver = module.function('deliver', ['i32'], 'i32');
  {
    const list = deliver.parameter(0);
    const [left, cell, entry] = range(3).map(() => deliver.local('i32')) as [Local, Local, Local];
    deliver.body = [
      left.set(i32.load(list.get)),
      loop((again) => [
        cell.set(i32.load(list.get, 8)),
        entry.set(
          i32.load(
            i32.add(
              i32.load(list.get, 4),
              i32.shl(i32.load(i32.shl(cell.get, i32.const(2)), at(area.after)), i32.const(2)),
            ),
          ),
        ),
        when(i32.ltU(entry.get, i32.const(reception.blocked)), [
          when(i32.eq(entry.get, i32.const(reception.unknown)), [
            i32.store(
              i32.add(
                i32.load(list.get, 4),
                i32.shl(i32.load(i32.shl(cell.get, i32.const(2)), at(area.after)), i32.const(2)),
              ),
              i32.const(reception.asked),
            ),
            ask(cell.get, i32.load(i32.shl(cell.get, i32.const(2)), at(area.after)), i32.load(list.get, 4)),
          ]),
          leave(i32.const(1)),
        ]),
        when(i32.eq(entry.get, i32.const(reception.blocked)), leave(i32.const(2))),
        i32.store(
          i32.shl(cell.get, i32.const(2)),
          i32.sub(entry.get, i32.const(reception.first)),
          at(area.after),
        ),
        list.set(i32.add(list.get, i32.const(8))),
        branchIf(left.tee(i32.sub(left.get, i32.const(1))), again),
      ]),
      zero,
    ];
  }

  const expand = module.function('expand', ['i32', 'i32'], null);
  {
    const [from, to] = [expand.parameter(0), expand.parameter(1)];
    const [steps, left, partition, slot, unknown, enabled, receptions, receiver, entry, offset, verdict] =
      range(11).map(() => expand.local('i32')) as [
        Local,
        Local,
        Local,
        Local,
        Local,
        Local,
        Local,
        Local,
        Local,
        Local,
        Local,
      ];
    const [change, scratch] = [expand.local('i64'), expand.local('i64')];
    const [tag, nextTag, prunable, untouched, scratchTag, target] = range(6).map(() =>
      expand.local('i32'),
    ) as [Local, Local, Local, Local, Local, Local];
    const [state, after] = [wordsOf(expand), wordsOf(expand)];
    const locals = range(width).map(() => expand.local('i32'));
    const observations = shape.tuples + shape.quiescent;
    const bytes = recordBytes(shape.sums, observations);
    const recordOf = (cell: number) => i32.mul(locals[cell]!.get, i32.const(bytes));
    const vectors = range(Math.ceil(shape.sums / 4)).map(() => expand.local('v128'));

    const memoEntry = 16 * vectors.length;
    const sumMemoSlot = (): Code =>
      i32.mul(
        i32.wrap(
          i64.shrU(
            vectors
              .flatMap((vector) => [v128.laneI64(vector.get, 0), v128.laneI64(vector.get, 1)])
              .reduce((hash, lane) =>
                i64.mul(i64.xor(i64.add(hash, i64.shrU(hash, i64.const(31n))), lane), i64.const(mixers[0])),
              ),
            i64.const(64n - 12n),
          ),
        ),
        i32.const(memoEntry),
      );
    const lanesDiffer = (address: Local): Code =>
      vectors
        .flatMap((vector, v) => [
          i64.ne(v128.laneI64(vector.get, 0), i64.load(address.get, at(area.sumMemo) + 16 * v)),
          i64.ne(v128.laneI64(vector.get, 1), i64.load(address.get, at(area.sumMemo) + 16 * v + 8)),
        ])
        .reduce((any, one) => i32.or(any, one));
    const watchSums: Code =
      vectors.length === 0
        ? []
        : [
            vectors.map((vector, v) =>
              vector.set(
                range(width)
                  .map((cell) => v128.load(recordOf(cell), shape.records[cell]! + record.weights + 16 * v))
                  .reduce((sum, weights) => v128.addI32(sum, weights)),
              ),
            ),
            slot.set(sumMemoSlot()),
            when(lanesDiffer(slot), [
              vectors.map((vector, v) => v128.store(zero, vector.get, at(area.sums) + 16 * v)),
              verdict.set(judgeSums.call()),
              when(
                i32.and(verdict.get, i32.const(1)),
                vectors.map((vector, v) => v128.store(slot.get, vector.get, at(area.sumMemo) + 16 * v)),
              ),
            ]),
          ];
    const key = range(shape.tuples > 0 ? plan.classWords : 0).map(() => expand.local('i64'));
    const tupleMemoSlot = (): Code =>
      i32.mul(
        i32.wrap(
          i64.shrU(
            i64.mul(
              key
                .map((word) => word.get)
                .reduce((hash, word) =>
                  i64.xor(i64.mul(i64.xor(hash, i64.shrU(hash, i64.const(29n))), i64.const(mixers[0])), word),
                ),
              i64.const(mixers[1]),
            ),
            i64.const(BigInt(64 - tupleMemoBits + Math.ceil(Math.log2(plan.classWords)))),
          ),
        ),
        i32.const(8 * plan.classWords),
      );
    const show = (tuple: number): Code =>
      range(width).map((cell) =>
        i32.store(
          zero,
          i32.load(recordOf(cell), shape.records[cell]! + observationsAt(shape.sums) + 4 * tuple),
          at(area.observed) + 4 * (tuple * width + cell),
        ),
      );
    const watchTuples: Code =
      shape.tuples === 0
        ? []
        : [
            key.map((word) => word.set(i64.const(0n))),
            range(width).map((cell) => [
              change.set(i64.load32(recordOf(cell), shape.records[cell]! + record.class)),
              place(key, plan.classOffsets[cell]!, plan.classBits[cell]!, change),
            ]),
            slot.set(tupleMemoSlot()),
            when(
              key
                .map((word, k) => i64.ne(word.get, i64.load(slot.get, at(area.tupleMemo) + 8 * k)))
                .reduce((any, one) => i32.or(any, one)),
              [
                range(shape.tuples).map(show),
                receiver.set(judgeTuples.call()),
                verdict.set(i32.or(verdict.get, receiver.get)),
                when(
                  i32.and(receiver.get, i32.const(1)),
                  key.map((word, k) => i64.store(slot.get, word.get, at(area.tupleMemo) + 8 * k)),
                ),
              ],
            ),
          ];

    /**
     * A state that was reached by a step of another cell, earlier in order, that shares no cell with this step:
     * the two commute, and the state after both is reached by the other one last, from a state of the same
     * level. So of every state's ways in, at least the one whose last cell is the least is never pruned.
     */
    const prune = (cell: number, receiverUntouched: Code, skip: Label): Code =>
      !pruning
        ? []
        : when(i32.and(i32.and(i32.shrU(prunable.get, i32.const(cell)), receiverUntouched), i32.const(1)), [
            enabled.set(i32.add(enabled.get, i32.const(1))),
            branch(skip),
          ]);
    const pruning = tagged && !shape.match;
    const half = plan.tagBits / 2;
    /** How a successor was reached: by which cell, and to which it sent; both from 1. */
    const tagOf = (cell: number, target: number | null) =>
      tagged ? cell + 1 + (target === null ? 0 : (target + 1) << half) : 0;
    const tellPrunable: Code = !pruning
      ? []
      : [
          scratchTag.set(i32.and(tag.get, i32.const(2 ** half - 1))),
          untouched.set(
            i32.xor(
              i32.shrU(
                i32.or(
                  i32.shl(i32.const(1), scratchTag.get),
                  i32.shl(i32.const(1), i32.shrU(tag.get, i32.const(half))),
                ),
                i32.const(1),
              ),
              i32.const(-1),
            ),
          ),
          prunable.set(
            select(i32.and(untouched.get, i32.shl(i32.const(-1), scratchTag.get)), zero, scratchTag.get),
          ),
        ];

    const stepsOf = (cell: number): Code => [
      steps.set(i32.load(recordOf(cell), shape.records[cell]! + record.steps)),
      block((over) => [
        when(i32.ltU(steps.get, i32.const(2)), [
          when(i32.eqz(steps.get), [
            i32.store(recordOf(cell), i32.const(1), shape.records[cell]! + record.steps),
            ask(i32.const(cell), locals[cell]!.get, zero),
          ]),
          unknown.set(i32.const(1)),
          branch(over),
        ]),
        branchIf(i32.eqz(left.tee(i32.load(recordOf(cell), shape.records[cell]! + record.count))), over),
        loop((again) => [
          block((skip) => [
            change.set(i64.load32(steps.get, step.change)),
            when(
              i32.gtU(receptions.tee(i32.load(steps.get, step.receptions)), i32.const(1)),
              [
                target.set(i32.load(steps.get, step.cell)),
                receiver.set(i32.load(target.get, at(area.locals))),
                entry.set(i32.load(i32.add(receptions.get, i32.shl(receiver.get, i32.const(2))))),
                when(i32.ltU(entry.get, i32.const(reception.first)), [
                  branchIf(i32.eq(entry.get, i32.const(reception.blocked)), skip),
                  when(i32.eqz(entry.get), [
                    i32.store(
                      i32.add(receptions.get, i32.shl(receiver.get, i32.const(2))),
                      i32.const(reception.asked),
                    ),
                    ask(i32.shrU(target.get, i32.const(2)), receiver.get, receptions.get),
                  ]),
                  unknown.set(i32.const(1)),
                  branch(skip),
                ]),
                target.set(i32.shrU(target.get, i32.const(2))),
                prune(cell, i32.shrU(untouched.get, target.get), skip),
                after.map((word, k) => word.set(state[k]!.get)),
                deposit(after, cell, change),
                offset.set(i32.load(steps.get, step.offset)),
                change.set(i64.extend(i32.xor(i32.sub(entry.get, i32.const(reception.first)), receiver.get))),
                depositAt(after, offset, change),
                nextTag.set(
                  i32.add(i32.shl(target.get, i32.const(plan.tagBits / 2)), i32.const(tagOf(cell, 0))),
                ),
              ],
              when(
                receptions.get,
                [
                  copyMemory(i32.const(at(area.after)), i32.const(at(area.locals)), i32.const(4 * width)),
                  i32.store(
                    zero,
                    i32.xor(i32.wrap(change.get), locals[cell]!.get),
                    at(area.after) + 4 * cell,
                  ),
                  when(entry.tee(deliver.call(i32.load(steps.get, step.list))), [
                    when(i32.eq(entry.get, i32.const(1)), unknown.set(i32.const(1))),
                    branch(skip),
                  ]),
                  packWith(after, change, (c) => i32.load(zero, at(area.after) + 4 * c)),
                  nextTag.set(zero),
                ],
                [
                  prune(cell, i32.const(1), skip),
                  after.map((word, k) => word.set(state[k]!.get)),
                  deposit(after, cell, change),
                  nextTag.set(i32.const(tagOf(cell, null))),
                ],
              ),
            ),
            enabled.set(i32.add(enabled.get, i32.const(1))),
            shape.symmetric
              ? [
                  range(width).map((c) => i32.store(zero, extract(after, c), at(area.after) + 4 * c)),
                  when(i32.eqz(canonicalize.call()), [unknown.set(i32.const(1)), branch(skip)]),
                  packWith(after, change, (c) => i32.load(zero, at(area.after) + 4 * c)),
                ]
              : [],
            mix(after, scratch),
            shape.match
              ? [
                  seekMark(after, slot),
                  partition.set(i32.or(partition.get, i32.wrap(i64.load(slot.get, regions.partitions)))),
                ]
              : gather(after, nextTag.get, partition, slot),
          ]),
          steps.set(i32.add(steps.get, i32.const(stepBytes))),
          branchIf(left.tee(i32.sub(left.get, i32.const(1))), again),
        ]),
      ]),
    ];

    expand.body = [
      loop((again) => [
        loadTagged(state, tag, from.get),
        tellPrunable,
        range(width).map((cell) => [
          locals[cell]!.set(extract(state, cell)),
          i32.store(zero, locals[cell]!.get, at(area.locals) + 4 * cell),
        ]),
        verdict.set(zero),
        watchSums,
        watchTuples,
        block((outside) => [
          branchIf(i32.and(verdict.get, i32.const(2)), outside),
          unknown.set(zero),
          enabled.set(zero),
          shape.match ? partition.set(zero) : [],
          range(width).map(stepsOf),
          shape.symmetric && !shape.match
            ? when(i32.eqz(unknown.get), unknown.set(i32.eqz(orbit.call())))
            : [],
          shape.match
            ? when(partition.get, [
                makeRoom(area.out, stateBytes),
                storeTagged(state, tag.get, i32.load(zero, at(area.out))),
                i32.store(zero, i32.add(i32.load(zero, at(area.out)), i32.const(stateBytes)), at(area.out)),
              ])
            : when(
                unknown.get,
                [
                  makeRoom(area.deferred, stateBytes),
                  storeTagged(state, tag.get, i32.load(zero, at(area.deferred))),
                  i32.store(
                    zero,
                    i32.add(i32.load(zero, at(area.deferred)), i32.const(stateBytes)),
                    at(area.deferred),
                  ),
                ],
                [
                  i64.store(
                    zero,
                    i64.add(i64.load(zero, at(area.transitions)), i64.extend(enabled.get)),
                    at(area.transitions),
                  ),
                  when(i32.eqz(enabled.get), [
                    range(shape.quiescent).map((i) => show(shape.tuples + i)),
                    deadlock.call(),
                  ]),
                ],
              ),
        ]),
        branchIf(i32.ltU(from.tee(i32.add(from.get, i32.const(stateBytes))), to.get), again),
      ]),
    ];
  }
  return module.build();
}
