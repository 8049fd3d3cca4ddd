import { chunkBytes, control, regions } from './memory.ts';
import { SearchError } from './types.ts';

/** The lists of chunks that threads share. */
export const lists = { free: 0, frontier: 1, next: 2, deferred: 3, queries: 4 } as const;
export type List = keyof typeof lists;

const mostChunks = (regions.chunksEnd - regions.chunks) / chunkBytes;

/**
 * Lists of chunks of waiting states. One lock serves all lists, because a chunk holds thousands of states.
 */
export class Chunks {
  private readonly memory: Int32Array;

  constructor(memory: Int32Array) {
    this.memory = memory;
  }

  /** Returns the address of a chunk: a free one, or one that was never used before. */
  take(): number {
    const chunk = this.pop('free');
    if (chunk !== null) return chunk.address;
    const index = Atomics.add(this.memory, control.chunksUsed >> 2, 1);
    if (index >= mostChunks) {
      throw new SearchError(
        'OUT_OF_ROOM',
        `more states wait than ${mostChunks * chunkBytes} bytes hold: give a spill directory`,
      );
    }
    return regions.chunks + index * chunkBytes;
  }

  push(list: List, address: number, bytes: number): void {
    const index = (address - regions.chunks) / chunkBytes;
    const head = (control.lists >> 2) + lists[list];
    this.memory[(control.chunkUsed >> 2) + index] = bytes;
    this.lock();
    this.memory[(control.chunkNext >> 2) + index] = this.memory[head]!;
    this.memory[head] = index + 1;
    this.unlock();
  }

  pop(list: List): { readonly address: number; readonly bytes: number } | null {
    const head = (control.lists >> 2) + lists[list];
    this.lock();
    const first = this.memory[head]!;
    if (first !== 0) this.memory[head] = this.memory[(control.chunkNext >> 2) + first - 1]!;
    this.unlock();
    if (first === 0) return null;
    return {
      address: regions.chunks + (first - 1) * chunkBytes,
      bytes: this.memory[(control.chunkUsed >> 2) + first - 1]!,
    };
  }

  /** Pops the chunks of a list, one after the other. */
  *drain(list: List): Generator<{ readonly address: number; readonly bytes: number }> {
    for (let chunk = this.pop(list); chunk !== null; chunk = this.pop(list)) yield chunk;
  }

  /** The chunks of `list`, last pushed first. The list keeps them. */
  peek(list: List): { readonly address: number; readonly bytes: number }[] {
    const chunks = [];
    for (let at = this.memory[(control.lists >> 2) + lists[list]]!; at !== 0; ) {
      chunks.push({
        address: regions.chunks + (at - 1) * chunkBytes,
        bytes: this.memory[(control.chunkUsed >> 2) + at - 1]!,
      });
      at = this.memory[(control.chunkNext >> 2) + at - 1]!;
    }
    return chunks;
  }

  /** Moves all chunks of one list to another, empty list. No other thread may be working. */
  move(from: List, to: List): void {
    const head = control.lists >> 2;
    this.memory[head + lists[to]] = this.memory[head + lists[from]]!;
    this.memory[head + lists[from]] = 0;
  }

  get bytesTouched(): number {
    return Math.min(mostChunks, this.memory[control.chunksUsed >> 2]!) * chunkBytes;
  }

  private lock(): void {
    while (Atomics.compareExchange(this.memory, control.listLock >> 2, 0, 1) !== 0);
  }

  private unlock(): void {
    Atomics.store(this.memory, control.listLock >> 2, 0);
  }
}
