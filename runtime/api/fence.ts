import type { Fence as EpochFence } from '../../machines/epoch/messages.ts';

/**
 * The number of a grant. Fences are compared by `generation`, then by `epoch`, then by `k`; no two grants of a lock have the
 * same.
 */
export interface Fence extends EpochFence {
  /**
   * Number of the founding of the cluster. A cluster that is founded again after the loss of all its data has
   * a higher one.
   */
  readonly generation: number;
}

/** Formats a fence for a person, without the generation, which is the same for the whole cluster. */
export function fenceText({ epoch, k }: Fence): string {
  return `(${epoch}, ${k})`;
}
