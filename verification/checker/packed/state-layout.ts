import { partitions } from './memory.ts';
import { SearchError } from './types.ts';

/**
 * The layout of states in memory. A state is the sequence of its processes' locals, `bits[process]` bits each,
 * packed into 64-bit words. The last word takes 4 bytes if that is enough.
 *
 * A key is the state, mixed by a bijection, without the bits that its place determines. The top 8 bits of the
 * first word select the partition. The next 32 bits (`x`) determine the home slot `floor(x · capacity /
 * 2^32)`. So only the low `homeBits` of `x` are stored, together with the distance from home (linear probing;
 * counted from 1, 0 is empty). With hash compaction the key is a hash of the locals instead. It does not
 * depend on the layout, and all of its bits are kept.
 */
export interface StateLayout {
  readonly width: number;
  readonly bits: readonly number[];
  /** Offset of each process's bits. */
  readonly offsets: readonly number[];
  readonly words: number;
  /** Layout of the classes of locals in the key of a judged tuple, and the number of its words. */
  readonly classBits: readonly number[];
  readonly classOffsets: readonly number[];
  readonly classWords: number;
  /** The sorted sums: those that are not 0 everywhere. */
  readonly sums: readonly number[];
  /**
   * Bytes of a state alone, and with its tag. The tag tells how the state was reached: `tagBits` bits in its
   * last word or after it.
   */
  readonly keyBytes: number;
  readonly stateBytes: number;
  readonly tagBits: number;
  /** Bits of a state beyond its first word. */
  readonly extraBits: number;
  /** Bits of a state's hash if the hash is the key. `null`: the state is the key. */
  readonly hashBits: number | null;
  /** Bytes of a state with its tag and, if the hash is the key, its hash. */
  readonly candidateBytes: number;
  /** Bits of the first word below `x` that are kept. */
  readonly lowBits: number;
  readonly homeBits: number;
  readonly distanceBits: number;
  /** Bytes of the key beside its first word. 0: `extraBits` are within the first word. */
  readonly restBytes: number;
  readonly slotBytes: number;
  /** Slots after the last home slot, for displaced keys. */
  readonly tail: number;
  /** The least capacity of a partition for which `homeBits` are enough. */
  readonly leastCapacity: number;
}

/** Bits of the first word below `x`. */
export const lowBits = 24;
/** Maximum number of hash bits that fit in a slot of 4 bytes. */
const mostShortHashBits = 44;
const mostDistanceBits = 10;
const fewestDistanceBits = 9;

/** The classes that predicates distinguish among locals. */
export interface Classes {
  readonly bits: readonly number[];
  readonly sums: readonly number[];
}

/** The requirements on a layout. */
export interface Needs {
  readonly bits: readonly number[];
  readonly classes: Classes;
  readonly tagBits: number;
  readonly hashBits: number | null;
  /** Least number of expected states. Room that they will need anyway makes keys shorter. */
  readonly states: number;
}

export function planFor({ bits, classes, tagBits, hashBits, states }: Needs): StateLayout {
  const total = bits.reduce((sum, b) => sum + b, 0);
  const words = Math.max(1, Math.ceil(total / 64));
  if (words > 8) {
    throw new SearchError(
      'STATE_TOO_WIDE',
      `a state of ${bits.length} processes takes ${total} bits, 512 are possible: model fewer actors, or bound their inboxes`,
    );
  }
  const extraBits = Math.max(0, total - 64);
  const offsets = offsetsOf(bits);
  const keyBytes = (words - 1) * 8 + (extraBits % 64 > 0 && extraBits % 64 <= 32 ? 4 : 8);
  // The first word is mixed whole, so a tag fits only into a later word.
  const fits = words > 1 && total + tagBits <= 8 * keyBytes;
  const stateBytes = fits || tagBits === 0 ? keyBytes : keyBytes + 4;
  const shared = {
    width: bits.length,
    bits,
    offsets,
    words,
    ...planClasses(classes),
    keyBytes,
    stateBytes,
    tagBits,
    extraBits,
    hashBits,
    candidateBytes: hashBits === null ? stateBytes : stateBytes + 8,
    lowBits,
  };
  if (hashBits !== null) return { ...shared, ...planHashes(hashBits) };
  const roomy = Math.max(64, Math.ceil(states / partitions / 0.1));
  // Inline: the bits beyond the first word take the space of the bits that the place determines.
  for (let distanceBits = mostDistanceBits; distanceBits >= fewestDistanceBits; distanceBits--) {
    const homeBits = Math.min(26, 64 - lowBits - extraBits - distanceBits);
    if (homeBits < 8) continue;
    // The range of `x` for one home is a little less than the low bits distinguish: see `Slots.recoverX`.
    const leastCapacity = Math.ceil(2 ** (32 - homeBits) * (65 / 64));
    if (leastCapacity > Math.max(roomy, 2 ** 12)) continue;
    return {
      ...shared,
      homeBits,
      distanceBits,
      restBytes: 0,
      slotBytes: 8,
      tail: 2 ** distanceBits,
      leastCapacity,
    };
  }
  const restBytes = keyBytes - 8;
  return {
    ...shared,
    homeBits: 26,
    distanceBits: mostDistanceBits,
    restBytes,
    slotBytes: 8 + restBytes,
    tail: 2 ** mostDistanceBits,
    leastCapacity: 65,
  };
}

function planHashes(hashBits: number) {
  const isShort = hashBits <= mostShortHashBits;
  const low = isShort ? Math.max(0, hashBits - 64 + lowBits) : lowBits;
  const homeBits = isShort ? 32 - mostDistanceBits - low : 26;
  return {
    lowBits: low,
    homeBits,
    distanceBits: mostDistanceBits,
    restBytes: 0,
    slotBytes: isShort ? 4 : 8,
    tail: 2 ** mostDistanceBits,
    leastCapacity: Math.ceil(2 ** (32 - homeBits) * (65 / 64)),
  };
}

/** The same layout for states, with room for other classes. */
export const withClasses = (plan: StateLayout, classes: Classes): StateLayout => ({
  ...plan,
  ...planClasses(classes),
});

function planClasses({ bits, sums }: Classes) {
  const total = bits.reduce((sum, b) => sum + b, 0);
  return {
    classBits: bits,
    classOffsets: offsetsOf(bits),
    classWords: Math.max(1, Math.ceil(total / 64)),
    sums,
  };
}

const offsetsOf = (bits: readonly number[]) =>
  bits.map((_, process) => bits.slice(0, process).reduce((sum, b) => sum + b, 0));
