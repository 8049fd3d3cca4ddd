/** Keys are cut by their hash into so many parts. */
export const partitions = 256;

/** The regions of the memory, in bytes. What is not touched costs nothing. */
export const regions = {
  /** Counts and locks of partitions. */
  control: 0x1000,
  /** One area for each worker: its buffers and memos. */
  workers: 0x4_0000,
  workerBytes: 0x280_0000,
  mostWorkers: 8,
  /** Steps and receptions. */
  tables: 0x1404_0000,
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
export const bufferBytes = 0xc000;
/** The same for a bucket of tuples to be judged. */
export const judgeBytes = 0x8000;
/** A worker remembers 2 to this power words of tuples that need no judging. */
export const tupleMemoBits = 21;
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
  /** The current state's locals, a successor's, and those of a state that is looked at; 4 bytes each. */
  locals: 0,
  after: 0x800,
  decoded: 0x1000,
  sums: 0x1800,
  /** Where the next new state goes, where its chunk ends, and how far it advances for each. */
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
  /** A group of candidates' slots. */
  group: 0x1a00,
  /** For each partition where its next candidate goes; for each bucket where its next tuple does. */
  fill: 0x2000,
  judgeFill: 0x2400,
  /** Tuples to be judged: where they are in their bucket, and whether they need no judging again. */
  missing: 0x2800,
  quiet: 0x2c00,
  /** What the constraint or watches of quiescence see, for their judges; `width` numbers each. */
  shown: 0x3000,
  sumMemo: 0x1_0000,
  /** What each tuple watch sees of each tuple to be judged; `width` numbers each. */
  observed: 0x8_0000,
  judgeBuffers: 0x10_0000,
  buffers: 0x30_0000,
  /** A partition's keys while it grows. */
  copy: 0xf0_0000,
  tupleMemo: 0x180_0000,
} as const;
