import type { RecordFile } from './read.ts';

/** A line, and its number in its file, from 1. */
export interface NumberedLine {
  readonly number: number;
  readonly text: string;
}

/** The lines of one lock in a file. */
export interface LockFile {
  readonly name: string;
  readonly count: number;
  readonly lines: Iterable<NumberedLine>;
}

const lockPattern = /"lock":("(?:[^"\\]|\\.)*")/;

/** The lines of each lock. A line without a lock belongs to the lock before it; its reader refuses it. */
export function splitByLock(file: RecordFile): ReadonlyMap<string, LockFile> {
  const last = new Map<string, number>();
  const counts = new Map<string, number>();
  let number = 0;
  let lock = '';
  for (const text of file.lines) {
    number += 1;
    lock = lockOf(text) ?? lock;
    last.set(lock, number);
    counts.set(lock, (counts.get(lock) ?? 0) + 1);
  }
  const only = last.size === 1;
  return new Map(
    [...last].map(([name, end]) => [
      name,
      {
        name: file.name,
        count: counts.get(name)!,
        lines: { [Symbol.iterator]: () => linesOf(file, only ? null : name, end) },
      },
    ]),
  );
}

function lockOf(text: string): string | null {
  const [, quoted] = lockPattern.exec(text) ?? [];
  return quoted === undefined ? null : (JSON.parse(quoted) as string);
}

/** `wanted`: `null` for all. */
function* linesOf(
  file: RecordFile,
  wanted: string | null,
  end: number,
): Generator<NumberedLine, void, undefined> {
  let number = 0;
  let lock = '';
  for (const text of file.lines) {
    number += 1;
    if (wanted !== null) lock = lockOf(text) ?? lock;
    if (wanted === null || lock === wanted) yield { number, text };
    if (number === end) return;
  }
}
