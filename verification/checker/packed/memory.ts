/** Number of parts into which keys are divided by their hash. */
export const partitions = 256;

/** The regions of the memory, in bytes. Untouched memory costs nothing. */
export const regions = {
  /** Counts and locks of partitions. */
  control: 0x1000,
  /** One area for each worker, with its buffers and memos. */
  workers: 0x4_0000,
  workerBytes: 0x280_0000,
  mostWorkers: 8,
  /** Steps and receptions. */
  tables: 0x1404_0000,
  tablesEnd: 0x4000_0000,
  /** Chunks of waiting states. */
  chunks: 0x4000_0000,
  chunksEnd: 0x7000_0000,
  /** The keys, one window for each partition. */
  partitions: 0x7000_0000,
  partitionsEnd: 0x1_0000_0000,
  /** The copy of a partition that grows while partitions lie in files. It is halfway through the region. */
  spillCopy: 0xb800_0000,
} as const;

export const partitionWindow = (regions.partitionsEnd - regions.partitions) / partitions;
/** Bytes of candidates that a partition gathers before they are inserted. */
export const bufferBytes = 0xc000;
/** Bytes of tuples that a bucket gathers before they are judged. */
export const judgeBytes = 0x8000;
/** Binary logarithm of the number of words in which a worker remembers tuples that need no judging. */
export const tupleMemoBits = 21;
export const chunkBytes = 0x1_0000;
export const memoryPages = 65536;

/** Arrays over partitions, 4 bytes each, at `regions.control`. */
export const control = {
  lock: regions.control,
  count: regions.control + partitions * 4,
  capacity: regions.control + partitions * 8,
  limit: regions.control + partitions * 12,
  /** For each chunk: the bytes in use, and the next chunk in its list. */
  chunkUsed: 0x1_0000,
  chunkNext: 0x2_0000,
  /**
   * Heads of the lists of chunks (index + 1; 0: empty), one lock for all lists, and the number of chunks ever
   * used.
   */
  lists: 0x3_0000,
  listLock: 0x3_0100,
  chunksUsed: 0x3_0104,
  /** Tells workers to stop at the next chunk. */
  stop: 0x3_0108,
  /** The words on which workers wait. */
  round: 0x3_010c,
  running: 0x3_0110,
} as const;

/** Offsets within a worker's area. */
export const area = {
  /** The locals of the current state, of a successor, and of a decoded state; 4 bytes each. */
  locals: 0,
  after: 0x800,
  decoded: 0x1000,
  sums: 0x1800,
  /** Address of the next new state, end of its chunk, and the advance per state. */
  out: 0x1900,
  outEnd: 0x1904,
  outStep: 0x1908,
  deferred: 0x190c,
  deferredEnd: 0x1910,
  query: 0x1914,
  queryEnd: 0x1918,
  transitions: 0x1920,
  prefetched: 0x1928,
  markMask: 0x1930,
  /** Slots of a group of candidates. */
  group: 0x1a00,
  /**
   * For each partition: the address of its next candidate. For each bucket: the address of its next tuple.
   */
  fill: 0x2000,
  judgeFill: 0x2400,
  /** For each tuple to be judged: its address in its bucket, and whether it needs no further judging. */
  missing: 0x2800,
  quiet: 0x2c00,
  /**
   * The values that the constraint and the quiescence predicates observe, for their judges; `width` numbers
   * each.
   */
  shown: 0x3000,
  sumMemo: 0x1_0000,
  /** The values that each tuple predicate observes in each tuple to be judged; `width` numbers each. */
  observed: 0x8_0000,
  judgeBuffers: 0x10_0000,
  buffers: 0x30_0000,
  /** A partition's keys while it grows. */
  copy: 0xf0_0000,
  tupleMemo: 0x180_0000,
} as const;
