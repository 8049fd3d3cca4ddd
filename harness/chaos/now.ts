/** Milliseconds of the monotonic clock that all processes of this machine share. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Maximum time that counts between two looks at the clock. A process that was stopped for longer, or its machine, had no chance to be patient. */
const mostCountedMs = 250;

/** Calls `over` once this process has run for `ms`, without the time in which it was stopped. Returns a function that cancels that. */
export function afterRunning(ms: number, over: () => void): () => void {
  let leftMs = ms;
  let at = now();
  const timer = setInterval(() => {
    const lookedAt = now();
    leftMs -= Math.min(lookedAt - at, mostCountedMs);
    at = lookedAt;
    if (leftMs > 0) return;
    clearInterval(timer);
    over();
  }, mostCountedMs / 5);
  return () => clearInterval(timer);
}
