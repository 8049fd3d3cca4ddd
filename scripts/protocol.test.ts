import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { leaseMutants } from '../verification/protocols/epoch/lease-mutants.ts';
import { possibilities } from '../verification/protocols/epoch/liveness.ts';
import * as epochMutants from '../verification/protocols/epoch/mutants.ts';
import { putOffCandidacies } from '../verification/protocols/epoch/put-off.ts';
import * as guestsMutants from '../verification/protocols/guests/mutants.ts';
import * as lineMutants from '../verification/protocols/line/mutants.ts';
import * as linkMutants from '../verification/protocols/link/mutants.ts';
import { fittingPossibilities } from '../verification/protocols/members/fitting.ts';
import * as fittingMutants from '../verification/protocols/members/fitting-mutants.ts';
import { foundingPossibilities } from '../verification/protocols/members/founding.ts';
import * as membersMutants from '../verification/protocols/members/mutants.ts';
import { members, withLiar } from '../verification/protocols/members/system.ts';
import { mutantSystems } from '../verification/protocols/mutant-systems.ts';
import * as naimiTrehelMutants from '../verification/protocols/naimi-trehel/mutants.ts';
import { systems } from '../verification/protocols/systems.ts';

/* Checks docs/protocol.md against the code: the cited rules, and the properties and mutants that it names. */

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/protocol.md'), 'utf8');

interface Section {
  readonly title: string;
  /** The rule with which the title begins, such as `R7`. `null` for a section that is no rule. */
  readonly rule: string | null;
  readonly properties: readonly string[];
  readonly mutants: readonly string[];
}

const rulePattern = /^([RSMG]\d+[a-z]?|L[1-3]|T|Q)\b/;

const sections: readonly Section[] = page
  .split(/^#### /m)
  .slice(1)
  .map((text) => {
    const title = text.split('\n')[0]!;
    const named = (field: string) =>
      [...(new RegExp(`^- ${field}: (.*)$`, 'm').exec(text)?.[1] ?? '').matchAll(/`([^`]+)`/g)].map(
        (match) => match[1]!,
      );
    return {
      title,
      rule: rulePattern.exec(title)?.[1] ?? null,
      properties: named('Property'),
      mutants: named('Mutant'),
    };
  });

const rules = new Set(sections.flatMap(({ rule }) => rule ?? []));

const properties = new Set([
  ...Object.keys(possibilities),
  ...Object.keys(foundingPossibilities),
  ...Object.keys(fittingPossibilities),
  ...[members(withLiar), putOffCandidacies()].flatMap(({ properties: of }) => of.map(({ name }) => name)),
  ...Object.values(systems).flatMap((systemOf) =>
    [true, false].flatMap((liveness) =>
      systemOf({ sites: 2, network: { order: 'fifo' }, liveness }).properties.map(({ name }) => name),
    ),
  ),
]);

const isTable = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const mutants = new Set(
  [
    leaseMutants,
    ...[
      ...[epochMutants, fittingMutants, guestsMutants, lineMutants],
      ...[linkMutants, membersMutants, naimiTrehelMutants],
    ].flatMap((module) => Object.values<unknown>(module)),
  ]
    .filter(isTable)
    .flatMap((table) => Object.keys(table)),
);

describe('docs/protocol.md', () => {
  test('has the rules of the algorithm, its failures and its promises', () => {
    for (const rule of ['L1', 'T', 'R0', 'R10', 'S1', 'S6']) expect(rules).toContain(rule);
  });

  test.each(sections)('$title: has a property and a mutant, and each exists', (section) => {
    expect(section.properties, 'properties').not.toEqual([]);
    expect(section.mutants, 'mutants').not.toEqual([]);
    expect(section.properties.filter((name) => !properties.has(name))).toEqual([]);
    expect(section.mutants.filter((name) => !mutants.has(name))).toEqual([]);
  });
  const files = execFileSync('git', ['ls-files', '*.ts', '*.md'], { cwd: root, encoding: 'utf8' })
    .trim()
    .split('\n');

  test('has every section that is cited anywhere', () => {
    const numbers = new Set([...page.matchAll(/^## (\d+)\. /gm)].map(([, number]) => number!));
    const cited = files.flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(/protocol\.md, section\s+(\w+)/g)].map(
        ([, number]) => ({ file, number: number! }),
      ),
    );
    expect(cited.length).toBeGreaterThan(20);
    expect(cited.filter(({ number }) => !numbers.has(number))).toEqual([]);
  });

  test('names mutants that `baton verify` can check, but for those that only leave a state without a way on', () => {
    const checked = new Set(Object.keys(mutantSystems).map((name) => name.slice(name.indexOf('/') + 1)));
    const named = sections.flatMap((section) => section.mutants);
    const stuck = Object.keys({ ...epochMutants.stuckMutants, ...membersMutants.stuckFoundingMutants });
    expect(named.filter((name) => !checked.has(name) && !stuck.includes(name))).toEqual([]);
  });

  test('has every rule that is cited anywhere', () => {
    const cited = files.flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(/(?<![\w.-])[RSMG]\d{1,2}[a-z]?(?![\w-])/g)].map(
        ([rule]) => `${rule} in ${file}`,
      ),
    );
    expect(cited.length).toBeGreaterThan(100);
    expect(cited.filter((citation) => !rules.has(citation.split(' ')[0]!))).toEqual([]);
  });
});
