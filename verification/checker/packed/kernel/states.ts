import type { StateLayout } from '../state-layout.ts';
import { type Code, type FunctionBuilder, i32, i64, type Local, select } from './wasm.ts';

export const mixers = [0x9e3779b97f4a7c15n, 0xbf58476d1ce4e5b9n, 0x94d049bb133111ebn] as const;

/** The inverse of an odd number modulo 2^64 (Newton). */
function inverse(odd: bigint): bigint {
  let result = odd;
  for (let i = 0; i < 6; i++) result = BigInt.asUintN(64, result * (2n - odd * result));
  return result;
}

export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
/** `n` locals of a function, for destructuring. */
export const i32s = (fn: FunctionBuilder, n: number) => range(n).map(() => fn.local('i32')) as Tuple;
export const i64s = (fn: FunctionBuilder, n: number) => range(n).map(() => fn.local('i64')) as Tuple;
export const parameters = (fn: FunctionBuilder) => fn.parameters.map((_, i) => fn.parameter(i)) as Tuple;
type Tuple = [
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
  Local,
  Local,
  Local,
];

/** Code that works on the words of a state while they are in locals of a function. */
export class StateCode {
  readonly plan: StateLayout;
  private readonly tagShift: bigint;

  constructor(plan: StateLayout) {
    this.plan = plan;
    this.tagShift = BigInt(plan.extraBits % 64);
  }

  words(fn: FunctionBuilder): Local[] {
    return range(this.plan.words).map(() => fn.local('i64'));
  }

  loadWord(address: Code, word: number, offset = 0): Code {
    return (this.isShort(word) ? i64.load32 : i64.load)(address, offset + 8 * word);
  }

  storeWord(address: Code, word: number, value: Code, offset = 0): Code {
    return (this.isShort(word) ? i64.store32 : i64.store)(address, value, offset + 8 * word);
  }

  /** Loads a state and its tag, separately. */
  load(state: Local[], tag: Local, address: Code): Code {
    const whole = state.map((word, k) => word.set(this.loadWord(address, k)));
    if (this.plan.tagBits === 0) return whole;
    if (!this.tagInside) return [whole, tag.set(i32.load(address, this.plan.keyBytes))];
    const last = state.at(-1)!;
    return [
      whole,
      tag.set(i32.wrap(i64.shrU(last.get, i64.const(this.tagShift)))),
      last.set(i64.and(last.get, i64.const((1n << this.tagShift) - 1n))),
    ];
  }

  store(state: Local[], tag: Code, address: Code): Code {
    const { words, tagBits, keyBytes } = this.plan;
    return state.map((word, k) => {
      if (tagBits === 0 || k < words - 1) return this.storeWord(address, k, word.get);
      if (!this.tagInside) return [this.storeWord(address, k, word.get), i32.store(address, tag, keyBytes)];
      return this.storeWord(address, k, i64.or(word.get, i64.shl(i64.extend(tag), i64.const(this.tagShift))));
    });
  }

  extract(state: Local[], process: number): Code {
    return extractField(state, this.plan.offsets[process]!, this.plan.bits[process]!);
  }

  /** Xors `change` (i64) into the bits of `process`. */
  deposit(state: Local[], process: number, change: Local): Code {
    return depositField(state, this.plan.offsets[process]!, this.plan.bits[process]!, change);
  }

  /** Xors `change` into the bits of a process that is known by its offset at run time. */
  depositAt(state: Local[], offset: Local, change: Local): Code {
    const { words } = this.plan;
    const none = i64.const(0n);
    const shift = i64.extend(offset.get);
    const low = i64.shl(change.get, shift);
    const high = i64.shrU(i64.shrU(change.get, i64.const(1n)), i64.sub(i64.const(63n), shift));
    const isWord = (k: number) => i32.eq(i32.shrU(offset.get, i32.const(6)), i32.const(k));
    return state.map((word, k) => {
      if (words === 1) return word.set(i64.xor(word.get, low));
      if (k === 0) return word.set(i64.xor(word.get, select(low, none, isWord(0))));
      const elsewhere = words === 2 ? high : select(high, none, isWord(k - 1));
      return word.set(i64.xor(word.get, select(low, elsewhere, isWord(k))));
    });
  }

  /** Packs a state from `value`, the local of each process. */
  pack(state: Local[], change: Local, value: (process: number) => Code): Code {
    return [
      state.map((word) => word.set(i64.const(0n))),
      range(this.plan.width).map((process) => [
        change.set(i64.extend(value(process))),
        this.deposit(state, process, change),
      ]),
    ];
  }

  /** A bijection that spreads a state over its first word. */
  mix(state: Local[], scratch: Local): Code {
    const first = state[0]!;
    return [
      this.fold(state, scratch),
      shiftXor(first, 32n),
      times(first, mixers[1]),
      shiftXor(first, 29n),
      times(first, mixers[2]),
      shiftXor(first, 32n),
    ];
  }

  unmix(state: Local[], scratch: Local): Code {
    const first = state[0]!;
    const twice = i64.xor(i64.shrU(first.get, i64.const(29n)), i64.shrU(first.get, i64.const(58n)));
    return [
      shiftXor(first, 32n),
      times(first, inverse(mixers[2])),
      first.set(i64.xor(first.get, twice)),
      times(first, inverse(mixers[1])),
      shiftXor(first, 32n),
      this.fold(state, scratch),
    ];
  }

  /**
   * Sets `hash` to a hash of the locals that is the same under every layout. Each process and local has a number
   * that behaves like a random one, and the hash of a state combines them by exclusive or (tabulation
   * hashing; Zobrist 1970).
   */
  hash(state: Local[], hash: Local, spare: Local): Code {
    return [
      hash.set(i64.const(0n)),
      range(this.plan.width).map((process) => [
        spare.set(
          i64.add(i64.extend(this.extract(state, process)), i64.const(BigInt(process + 1) * mixers[0])),
        ),
        shiftXor(spare, 32n),
        times(spare, mixers[1]),
        shiftXor(spare, 29n),
        times(spare, mixers[2]),
        hash.set(i64.xor(hash.get, spare.get)),
      ]),
      shiftXor(hash, 32n),
      hash.set(i64.and(hash.get, i64.const(-(1n << BigInt(64 - this.plan.hashBits!))))),
    ];
  }

  /** Xors a hash of the other words into the first word. The operation is its own inverse. */
  private fold(state: Local[], hash: Local): Code {
    const [first, ...others] = state;
    if (others.length === 0) return [];
    return [
      hash.set(i64.const(0n)),
      others.map((word) => [
        hash.set(i64.mul(i64.add(hash.get, word.get), i64.const(mixers[0]))),
        shiftXor(hash, 32n),
      ]),
      first!.set(i64.xor(first!.get, hash.get)),
    ];
  }

  private get tagInside(): boolean {
    return this.plan.stateBytes === this.plan.keyBytes;
  }

  private isShort(word: number): boolean {
    return this.plan.keyBytes % 8 === 4 && word === this.plan.words - 1;
  }
}

const shiftXor = (word: Local, by: bigint): Code =>
  word.set(i64.xor(word.get, i64.shrU(word.get, i64.const(by))));
const times = (word: Local, factor: bigint): Code => word.set(i64.mul(word.get, i64.const(factor)));

/** The `bits` from `offset` on of numbers packed in words, as an i32. */
export function extractField(words: Local[], offset: number, bits: number): Code {
  const [k, shift] = [offset >> 6, offset & 63];
  const low = shift === 0 ? words[k]!.get : i64.shrU(words[k]!.get, i64.const(BigInt(shift)));
  const value =
    shift + bits > 64 ? i64.or(low, i64.shl(words[k + 1]!.get, i64.const(BigInt(64 - shift)))) : low;
  return i32.and(i32.wrap(value), i32.const(2 ** bits - 1));
}

export function depositField(words: Local[], offset: number, bits: number, change: Local): Code {
  const [k, shift] = [offset >> 6, offset & 63];
  const toWord = (word: Local, value: Code) => word.set(i64.xor(word.get, value));
  return [
    toWord(words[k]!, i64.shl(change.get, i64.const(BigInt(shift)))),
    shift + bits > 64 ? toWord(words[k + 1]!, i64.shrU(change.get, i64.const(BigInt(64 - shift)))) : [],
  ];
}
