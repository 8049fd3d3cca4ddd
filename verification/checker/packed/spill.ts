import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** The files of a search while memory is short: keys and candidates by partition, states by level. */
export type Heap = `keys-${number}` | `candidates-${number}` | 'frontier' | 'next' | 'converted';

export class Spill {
  private readonly dir: string;

  constructor(dir: string) {
    mkdirSync(dir, { recursive: true });
    this.dir = mkdtempSync(join(dir, 'states-'));
  }

  write(heap: Heap, bytes: Uint8Array): void {
    writeFileSync(join(this.dir, heap), bytes);
  }

  append(heap: Heap, bytes: Uint8Array): void {
    appendFileSync(join(this.dir, heap), bytes);
  }

  has(heap: Heap): boolean {
    return existsSync(join(this.dir, heap));
  }

  move(from: Heap, to: Heap): void {
    if (this.has(from)) renameSync(join(this.dir, from), join(this.dir, to));
  }

  /** Size in bytes. 0 when the heap does not exist. */
  size(heap: Heap): number {
    return this.has(heap) ? statSync(join(this.dir, heap)).size : 0;
  }

  /**
   * Reads a heap into `into`, as many times as needed, and yields the number of bytes of each read. Then
   * deletes the heap.
   */
  *take(heap: Heap, into: Uint8Array): Generator<number> {
    if (!this.has(heap)) return;
    yield* this.read(heap, into);
    rmSync(join(this.dir, heap));
  }

  /** Reads a heap as `take` does, but keeps it. */
  *read(heap: Heap, into: Uint8Array): Generator<number> {
    if (!this.has(heap)) return;
    const file = openSync(join(this.dir, heap), 'r');
    try {
      for (;;) {
        let filled = 0;
        for (let got = -1; filled < into.length && got !== 0; filled += got) {
          got = readSync(file, into, filled, into.length - filled, null);
        }
        if (filled === 0) break;
        yield filled;
      }
    } finally {
      closeSync(file);
    }
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
