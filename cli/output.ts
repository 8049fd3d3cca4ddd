import type { WriteStream } from 'node:tty';
import { reasonOf } from '../machines/errors.ts';
import { UsageError } from '../verification/check/errors.ts';
import { durationText } from './table.ts';

/** Tells a person something beside the result, on standard error. */
export function remark(text: string): void {
  process.stderr.write(`baton: ${text}\n`);
}

/** `12 of 60 runs, about 3 min 5 s to go`, by the time that the first 12 took. */
export function progressText(done: number, of: number, what: string, elapsedMs: number): string {
  const left =
    done === 0 || done >= of ? '' : `, about ${durationText((elapsedMs / done) * (of - done))} to go`;
  return `${done} of ${of} ${what}${left}`;
}

/** Where people read: not standard output when that is for JSON alone. */
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
  /** On a terminal `screen` replaces the previous screen; elsewhere `line()` is printed now and then. */
  update(screen: () => string, line: () => string): void;
  /** Takes the screen away. */
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
