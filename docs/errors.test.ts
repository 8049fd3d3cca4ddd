import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const errors = read('runtime/api/errors.ts');
const runtime = readdirSync(join(root, 'runtime'), { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.ts$/.test(file) && !/\.test\.ts$|testing\/|^errors\.ts$/.test(file))
  .map((file) => read(join('runtime', file)))
  .join('\n');

function codesOf(union: string): string[] {
  const [, members] = new RegExp(`^export type ${union} =\\n(.*?);$`, 'ms').exec(errors)!;
  return [...members!.matchAll(/^ *\| '(\w+)'/gm)].map(([, code]) => code!);
}

function rowsOf(error: string): string[][] {
  const [, section] = new RegExp(`^## ${error}$(.*?)(?=^## |$(?![^]))`, 'ms').exec(read('docs/errors.md'))!;
  return [...section!.matchAll(/^\| `(\w+)` \| (.+) \| (.+) \|$/gm)].map(([, ...cells]) => cells);
}

describe.each([
  ['OperatingCode', 'OperatingError'],
  ['InvariantCode', 'InvariantError'],
])('docs/errors.md tells of %s', (union, error) => {
  test('every code, and no other', () => {
    expect(codesOf(union).length).toBeGreaterThan(5);
    expect(rowsOf(error).map(([code]) => code)).toEqual(codesOf(union));
  });

  test('codes that something has', () => {
    expect(codesOf(union).filter((code) => !runtime.includes(`'${code}'`))).toEqual([]);
  });
});
