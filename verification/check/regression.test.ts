import { expect, test } from 'vitest';
import * as auction from '../../examples/auction/checked.ts';
import * as repaired from '../../examples/auction/repaired.ts';
import { siteMachine } from '../../machines/naimi-trehel/site.ts';
import { mutants } from '../protocols/naimi-trehel/mutants.ts';
import { naimiTrehel } from '../protocols/naimi-trehel/system.ts';
import { check } from './check.ts';
import { brokenOn, regressionTest } from './regression.ts';
import { systemIn } from './source.ts';

const network = { order: 'fifo' } as const;
const mutant = naimiTrehel({ sites: 2, network, machine: mutants['an idle root copies the token'] });
const mended = naimiTrehel({ sites: 2, network, machine: siteMachine });
const source = { module: import.meta.url, export: 'systemOf', options: { sites: 2 } };

test('the run to a violation breaks the property again, until the fault is corrected', async () => {
  const { properties } = await check(mutant);
  const { trace } = properties.find(({ name }) => name === 'mutual exclusion')!;
  const actions = trace!.steps.map(({ action }) => action);
  expect(brokenOn(mutant, 'mutual exclusion', actions)).toBe(
    'mutual exclusion does not hold after 4 of 4 actions',
  );
  expect(brokenOn(mended, 'mutual exclusion', actions)).toBeNull();
});

test('a property that the system lacks is refused, and those that it has are named', () => {
  expect(() => brokenOn(mended, 'mutual exclusoin', [])).toThrow(
    /^NO_SUCH_PROPERTY: .*one of mutual exclusion, L1/,
  );
});

test('a test file has a test for each violated property of states, with its actions in words', async () => {
  const text = regressionTest(source, (await check(mutant)).properties, import.meta.dirname)!;
  expect(text.match(/^test\(.*$/gm)).toEqual([
    'test("mutual exclusion, after 4 actions", () => {',
    'test("L3, after 2 actions", () => {',
    'test("exactly one token, after 2 actions", () => {',
  ]);
  expect(text).toContain('import { brokenOn } from "./regression.ts";');
  expect(text).toContain(
    'import { systemIn } from "./source.ts";\nimport * as exports from "./regression.test.ts";',
  );
  expect(text).toContain('const system = systemIn(exports, "systemOf", {"sites":2});');
  expect(text).toContain('// a receives REQUEST(origin=b) from b');
});

test('the system of a test file is also that of a module with a machine', async () => {
  const system = systemIn(auction);
  const { properties } = await check(system);
  const { trace } = properties.find(({ name }) => name === 'no machine fails')!;
  const actions = trace!.steps.map(({ action }) => action);
  expect(brokenOn(system, 'no machine fails', actions)).toMatch(/does not hold/);
  expect(brokenOn(systemIn(repaired), 'no machine fails', actions)).toBeNull();
});

test('no test file is written if no property is violated', async () => {
  expect(regressionTest(source, (await check(mended)).properties, import.meta.dirname)).toBeNull();
});
