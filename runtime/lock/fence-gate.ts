import type { Fence } from '../api/fence.ts';
import { checkFence, checkFences } from '../options/calls.ts';

export type { Fence };

/**
 * Below zero when `left` is the older, above when it is the newer, 0 when both are of one critical section.
 *
 * Throws `OPTIONS_INVALID`: one of them is no fence.
 */
export function compareFences(left: Fence, right: Fence): number {
  checkFences(left, right);
  return compare(left, right);
}

function compare(left: Fence, right: Fence): number {
  return left.generation - right.generation || left.epoch - right.epoch || left.k - right.k;
}

/**
 * The resource's part of mutual exclusion (protocol.md, section 3): it remembers the highest fence that it has
 * seen of each lock, and refuses an operation with a lower one, since a later critical section has begun.
 *
 * In memory, so only for a resource that forgets with it; `docs/fencing.md` has the same as one statement of SQL.
 */
export class FenceGate {
  readonly #highest = new Map<string, Fence>();

  /**
   * True exactly when `fence` is not below the highest of `lock` so far, which it then is itself.
   *
   * Throws `OPTIONS_INVALID`: that is no fence of a lock.
   */
  accept(lock: string, fence: Fence): boolean {
    checkFence(lock, fence);
    const highest = this.#highest.get(lock);
    if (highest !== undefined && compare(fence, highest) < 0) return false;
    const { generation, epoch, k } = fence;
    this.#highest.set(lock, { generation, epoch, k });
    return true;
  }

  /** `null` when none was accepted. */
  highest(lock: string): Fence | null {
    return this.#highest.get(lock) ?? null;
  }
}
