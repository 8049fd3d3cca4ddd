import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RecordLine } from '../../machines/record.ts';

/** Writes `lines` to `dir` as `baton site --trace` does: one file for each run of a site, from a start to an end or a crash. */
export function writeRecordedRun(dir: string, lines: readonly RecordLine[]): void {
  const files = new Map<string, string[]>();
  const incarnations = new Map<string, number>();
  for (const line of lines) {
    if (line.kind === 'start') incarnations.set(line.site, line.life ?? 0);
    const number = incarnations.get(line.site) ?? 0;
    const file = number === 0 ? `${line.site}.ndjson` : `${line.site}@${number}.ndjson`;
    const texts = files.get(file) ?? [];
    files.set(file, texts);
    texts.push(JSON.stringify(line));
  }
  mkdirSync(dir, { recursive: true });
  for (const [file, texts] of files) writeFileSync(join(dir, file), `${texts.join('\n')}\n`);
}
