const { prototype } = AbortSignal;
const aborted = Object.getOwnPropertyDescriptor(prototype, 'aborted')!.get!;
const reason = Object.getOwnPropertyDescriptor(prototype, 'reason')!.get!;

/**
 * The controller's signal, which looks before it answers: `look` aborts it where it should be by now, though the callback
 * that would do so has not run. The event `abort` comes once, as of any signal.
 */
export function timely({ signal }: AbortController, look: () => void): AbortSignal {
  return Object.defineProperties(signal, {
    aborted: {
      get: () => {
        look();
        return aborted.call(signal);
      },
    },
    reason: {
      get: () => {
        look();
        return reason.call(signal);
      },
    },
    throwIfAborted: {
      value: () => {
        look();
        prototype.throwIfAborted.call(signal);
      },
    },
  });
}
