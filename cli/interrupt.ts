/**
 * Runs `work` with a signal that Ctrl-C and SIGTERM abort; `onFirst` reports that to the user. The second
 * time the process ends at once, with the status that a shell expects.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  onFirst?: () => void,
): Promise<T> {
  const controller = new AbortController();
  const interrupted = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143);
    onFirst?.();
    controller.abort(new Error(`interrupted by ${name}`));
  };
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
}
