import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { DrivenMesh, type Records } from '../../verification/runs/testing/driven-mesh.ts';

/** The records of two sites that take `turns` turns. */
export function takingTurns(turns: number): Records {
  const mesh = new DrivenMesh(2).client('a', 'ask').client('a', 'release');
  for (let turn = 1; turn < turns; turn++) {
    const [site, other] = turn % 2 === 1 ? (['b', 'a'] as const) : (['a', 'b'] as const);
    mesh.client(site, 'ask').deliver(site, other).deliver(other, site).client(site, 'release');
  }
  return mesh.records;
}

/** Appends these lines of each record to its file. */
export function writeLines(directory: string, records: Records, from: number, to?: number): void {
  for (const [name, lines] of Object.entries(records)) {
    const text = lines.slice(from, to).map((line) => `${JSON.stringify(line)}\n`);
    appendFileSync(join(directory, `${name}.ndjson`), text.join(''));
  }
}
