import { area, control, memoryPages, partitions, partitionWindow, regions } from './memory.ts';
import type { StateLayout } from './state-layout.ts';
import { webAssembly } from './webassembly.ts';

/** Keys per slot above which a partition grows. */
export const fullest = 0.8;

/** The memory that all threads share, and the fill of its partitions. */
export class SharedMemory {
  readonly memory = new webAssembly.Memory({ initial: memoryPages, maximum: memoryPages, shared: true });
  readonly words = new Int32Array(this.memory.buffer);
  readonly bytes = new Uint8Array(this.memory.buffer);
  readonly counts = this.perPartition(control.count);
  readonly capacities = this.perPartition(control.capacity);
  private readonly limits = this.perPartition(control.limit);

  states(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  /** Empties the partitions and makes them as small as the layout allows. */
  reset(plan: StateLayout): void {
    this.fill(new Array(partitions).fill(0), new Array(partitions).fill(plan.leastCapacity));
  }

  fill(counts: readonly number[], capacities: readonly number[]): void {
    this.counts.set(counts);
    this.capacities.set(capacities);
    this.limits.set(capacities.map((capacity) => Math.floor(capacity * fullest)));
  }

  /** A partition's slots. `inFiles`: partitions lie in files, and this one is the one in memory. */
  keys(plan: StateLayout, partition: number, inFiles = false): Uint8Array {
    const at = regions.partitions + (inFiles ? 0 : partition * partitionWindow);
    return this.bytes.subarray(at, at + (this.capacities[partition]! + plan.tail) * plan.slotBytes);
  }

  clear(plan: StateLayout): void {
    for (let p = 0; p < partitions; p++) this.keys(plan, p).fill(0);
  }

  /** Bytes in use by keys, and by the buffers that `workers` need to insert them. */
  bytesUsed(plan: StateLayout, workers: number): number {
    const slots = this.capacities.reduce((sum, capacity) => sum + capacity + plan.tail, 0);
    const copy = Math.max(...this.capacities) * plan.slotBytes;
    return slots * plan.slotBytes + workers * (area.copy + copy);
  }

  private perPartition(at: number): Int32Array {
    return this.words.subarray(at >> 2, (at >> 2) + partitions);
  }
}
