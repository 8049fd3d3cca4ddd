import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';

/** One file of a record: its name and its lines, read as they are asked for. */
export interface RecordFile {
  readonly name: string;
  readonly lines: Iterable<string>;
}

/**
 * The `*.ndjson` files of `directory`, in order of their names.
 *
 * @throws an error of the file system (`ENOENT`, `ENOTDIR`, ...) when it cannot be read.
 */
export function recordFiles(directory: string): RecordFile[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.ndjson'))
    .sort()
    .map((name) => ({ name, lines: { [Symbol.iterator]: () => linesOf(join(directory, name)) } }));
}

/**
 * Yields the lines of a file and never holds more than one chunk and one line: a record may be larger than
 * memory. A last line without its end does not count: its process was killed while it wrote, before any other
 * site heard of that event.
 */
function* linesOf(path: string): Generator<string, void, undefined> {
  const file = openSync(path, 'r');
  try {
    const decoder = new StringDecoder('utf8');
    const chunk = Buffer.alloc(1 << 16);
    let rest = '';
    for (let length = readSync(file, chunk); length > 0; length = readSync(file, chunk)) {
      const lines = (rest + decoder.write(chunk.subarray(0, length))).split('\n');
      rest = lines.pop()!;
      yield* lines;
    }
  } finally {
    closeSync(file);
  }
}
