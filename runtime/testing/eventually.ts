import { vi } from 'vitest';

/** Resolves when `assertion` no longer throws; the machine may be slow, so it has long. */
export function eventually(assertion: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(assertion, { timeout: 20_000, interval: 5 });
}
