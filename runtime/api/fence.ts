import type { Fence as EpochFence } from '../../machines/epoch/messages.ts';

/**
 * The number of a grant. Fences are compared by `generation`, then by `epoch`, then by `k`; no two grants of a lock have the
 * same.
 */
export interface Fence extends EpochFence {
  /**
   * Number of the founding of the cluster. A cluster that is founded again, after all its data were lost, has a higher
   * one.
   */
  readonly generation: number;
}

/** A fence for a person: the generation is that of the whole cluster, and is left out. */
export function fenceText({ epoch, k }: Fence): string {
  return `(${epoch}, ${k})`;
}
