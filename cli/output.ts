import type { WriteStream } from 'node:tty';
import { durationText } from '../inspector/page/time.ts';
import { reasonOf } from '../machines/errors.ts';
import { UsageError } from '../verification/check/errors.ts';

/** Prints a remark for a person on standard error, beside the result. */
export function remark(text: string): void {
  process.stderr.write(`baton: ${text}\n`);
}

/** Formats progress with the remaining time: `12 of 60 runs, about 3 min 5 s to go`. */
export function progressText(done: number, of: number, what: string, elapsedMs: number): string {
  const left =
    done === 0 || done >= of ? '' : `, about ${durationText((elapsedMs / done) * (of - done))} to go`;
  return `${done} of ${of} ${what}${left}`;
}

/** The stream for prose: standard error if standard output is for JSON. */
export function proseStream(json: string | undefined): NodeJS.WriteStream {
  return json === '-' ? process.stderr : process.stdout;
}

/** Writes `value` to the file that `--json` names, or to standard output for `-`. */
export async function writeJson(target: string | undefined, value: unknown): Promise<void> {
  if (target === undefined) return;
  const text = `${JSON.stringify(value, null, 2)}\n`;
  if (target === '-') {
    process.stdout.write(text);
    return;
  }
  await writeFileOrRefuse(target, text);
}

export async function writeFileOrRefuse(path: string, text: string): Promise<void> {
  const { default: writeFileAtomic } = await import('write-file-atomic');
  try {
    await writeFileAtomic(path, text);
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${reasonOf(error)}`);
  }
}

/** Output that changes while a command runs. */
export interface LiveView {
  /** On a terminal `screen` replaces the previous screen; elsewhere `line()` is printed from time to time. */
  update(screen: () => string, line: () => string): void;
  /** Clears the screen. */
  clear(): void;
}

export async function liveView(stream: NodeJS.WriteStream, lineEveryMs: number): Promise<LiveView> {
  if ((stream as WriteStream).isTTY) {
    const { createLogUpdate } = await import('log-update');
    const log = createLogUpdate(stream);
    return {
      update: (screen) => log(screen()),
      clear: () => {
        log.clear();
        log.done();
      },
    };
  }
  let last = performance.now();
  return {
    update: (_, line) => {
      const now = performance.now();
      if (now - last < lineEveryMs) return;
      last = now;
      stream.write(`${line()}\n`);
    },
    clear: () => undefined,
  };
}
