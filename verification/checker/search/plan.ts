import { SearchError } from './types.ts';

/**
 * How states lie in memory. A state is its cells' locals, `bits[cell]` each, one after the other in
 * 64-bit words, the last of which takes 4 bytes if that is enough.
 *
 * A key is the state, mixed by a bijection, less what its place says: the top 8 bits of the first word
 * are the partition, the next 32 (`x`) its home slot `floor(x · capacity / 2^32)`, so that only the low
 * `homeBits` of `x` are kept, with the distance from home (linear probing; counted from 1, 0 is empty).
 */
export interface Plan {
  readonly width: number;
  readonly bits: readonly number[];
  /** Where each cell's bits begin. */
  readonly offsets: readonly number[];
  readonly words: number;
  /** How the classes of locals lie in the key of a judged tuple, and in how many words. */
  readonly classBits: readonly number[];
  readonly classOffsets: readonly number[];
  readonly classWords: number;
  /** Bytes of a state alone, and with its tag: how it was reached, `tagBits` in its last word or after it. */
  readonly keyBytes: number;
  readonly stateBytes: number;
  readonly tagBits: number;
  /** Bits of a state beyond its first word. */
  readonly extraBits: number;
  readonly homeBits: number;
  readonly distanceBits: number;
  /** Bytes of the key beside its first word; 0: `extraBits` are within the first word. */
  readonly restBytes: number;
  readonly slotBytes: number;
  /** Slots after the last home, for those displaced. */
  readonly tail: number;
  /** The least capacity of a partition for which `homeBits` are enough. */
  readonly leastCapacity: number;
}

export const partitions = 256;
/** Bits of the first word below `x`. */
export const lowBits = 24;
const mostDistanceBits = 10;
const fewestDistanceBits = 9;

/** What a plan has to hold. */
export interface Needs {
  readonly bits: readonly number[];
  readonly classBits: readonly number[];
  readonly tagBits: number;
  /** How many states are expected at least: room that they will need anyway makes keys shorter. */
  readonly states: number;
}

export function planFor({ bits, classBits, tagBits, states }: Needs): Plan {
  const total = bits.reduce((sum, b) => sum + b, 0);
  const words = Math.max(1, Math.ceil(total / 64));
  if (words > 8) {
    throw new SearchError(
      'STATE_TOO_WIDE',
      `a state of ${bits.length} cells takes ${total} bits, 512 are possible: model fewer actors, or bound their inboxes`,
    );
  }
  const extraBits = Math.max(0, total - 64);
  const offsets = offsetsOf(bits);
  const keyBytes = (words - 1) * 8 + (extraBits % 64 > 0 && extraBits % 64 <= 32 ? 4 : 8);
  // The first word is mixed whole, so that a tag finds room in a later one, or none.
  const fits = words > 1 && total + tagBits <= 8 * keyBytes;
  const stateBytes = fits || tagBits === 0 ? keyBytes : keyBytes + 4;
  const classOffsets = offsetsOf(classBits);
  const classWords = Math.max(1, Math.ceil((classOffsets.at(-1)! + classBits.at(-1)!) / 64));
  const classes = { classBits, classOffsets, classWords };
  const shared = {
    width: bits.length,
    bits,
    offsets,
    words,
    ...classes,
    keyBytes,
    stateBytes,
    tagBits,
    extraBits,
  };
  const roomy = Math.max(64, Math.ceil(states / partitions / 0.3));
  // Inline: what is beyond the first word lies in the bits that the place makes superfluous.
  for (let distanceBits = mostDistanceBits; distanceBits >= fewestDistanceBits; distanceBits--) {
    const homeBits = Math.min(26, 64 - lowBits - extraBits - distanceBits);
    if (homeBits < 8) continue;
    const leastCapacity = 2 ** (32 - homeBits);
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
    leastCapacity: 64,
  };
}

const offsetsOf = (bits: readonly number[]) =>
  bits.map((_, cell) => bits.slice(0, cell).reduce((sum, b) => sum + b, 0));

/** The regions of the memory, in bytes. What is not touched costs nothing. */
export const regions = {
  /** Counts and locks of partitions. */
  control: 0x1000,
  /** One area for each worker: its buffers and memos. */
  workers: 0x4_0000,
  workerBytes: 0x180_0000,
  mostWorkers: 16,
  /** Steps and receptions. */
  tables: 0x1804_0000,
  tablesEnd: 0x4000_0000,
  /** Chunks of states that wait. */
  chunks: 0x4000_0000,
  chunksEnd: 0x7000_0000,
  /** The keys, a window for each partition. */
  partitions: 0x7000_0000,
  partitionsEnd: 0x1_0000_0000,
  /** The copy of a partition that grows, when partitions lie in files: halfway. */
  spillCopy: 0xb800_0000,
} as const;

export const partitionWindow = (regions.partitionsEnd - regions.partitions) / partitions;
/** Bytes of candidates that a partition gathers before they are inserted. */
export const bufferBytes = 0x3000;
/** A worker remembers 2 to this power words of tuples that need no judging. */
export const tupleMemoBits = 20;
export const chunkBytes = 0x1_0000;
export const memoryPages = 65536;

/** Arrays over partitions, 4 bytes each, at `regions.control`. */
export const control = {
  lock: regions.control,
  count: regions.control + partitions * 4,
  capacity: regions.control + partitions * 8,
  limit: regions.control + partitions * 12,
  /** Of each chunk: the bytes in use, and the chunk after it in its list. */
  chunkUsed: 0x1_0000,
  chunkNext: 0x2_0000,
  /** Heads of lists of chunks (index + 1; 0: empty), a lock for all of them, how many chunks were ever used. */
  lists: 0x3_0000,
  listLock: 0x3_0100,
  chunksUsed: 0x3_0104,
  /** Tells workers to stop at the next chunk. */
  stop: 0x3_0108,
  /** What workers wait on. */
  round: 0x3_010c,
  running: 0x3_0110,
} as const;

/** Within a worker's area. */
export const area = {
  /** The current state's locals; 4 bytes each. */
  locals: 0,
  /** A successor's. */
  after: 0x800,
  /** Words of a state under way; 8 bytes each. */
  words: 0x1000,
  sums: 0x1100,
  /** Where the next new state goes, where its chunk ends, and how far it advances for each. */
  out: 0x1200,
  outEnd: 0x1204,
  outStep: 0x1208,
  deferred: 0x120c,
  deferredEnd: 0x1210,
  query: 0x1214,
  queryEnd: 0x1218,
  transitions: 0x1220,
  prefetched: 0x1228,
  markMask: 0x1230,
  /** A group of candidates' slots. */
  group: 0x1400,
  /** For each partition where its next candidate goes. */
  fill: 0x2000,
  /** What each tuple watch sees, for its judge; `width` numbers each. */
  observed: 0x4000,
  sumMemo: 0x1_0000,
  buffers: 0x8_0000,
  /** A partition's keys while it grows. */
  copy: 0x40_0000,
  tupleMemo: 0x100_0000,
} as const;
