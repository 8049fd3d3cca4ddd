import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inProject, install, pack, project, removeProject } from './testing/project.ts';

/* The matcher of the guide, in a project that has Jest, which is no dependency of this one. */

beforeAll(async () => {
  await install(await pack());
  const { status, stderr } = await inProject('npm', 'install', '--no-audit', '--no-fund', 'jest@30');
  expect(stderr).not.toMatch(/ERR/);
  expect(status).toBe(0);
});
afterAll(removeProject);

const file = `
import { expect, test } from '@jest/globals';
import { system, toHold } from 'batonlock/verification';
import { createMachine } from 'xstate';

expect.extend({ toHold });
const machine = createMachine({ id: 'm', initial: 'a', states: { a: { on: { go: 'b' } }, b: {} } });
const going = system('going', { m: { machine, environment: ['go'] } });

test('passes where all holds', async () => {
  await expect(going.sometimes('b', ({ m }) => m.matches('b'))).toHold();
});
test('fails with the trace where something does not', async () => {
  const failing = expect(going.never('never b', ({ m }) => m.matches('b'))).toHold();
  await expect(failing).rejects.toThrow(/violated: never b[^]*1\\. m: go/);
});
`;

test('toHold works with Jest', async () => {
  mkdirSync(join(project, 'tests'));
  writeFileSync(join(project, 'tests/going.test.mjs'), file);
  const jest = ['node_modules/jest/bin/jest.js', '--testMatch', '**/*.test.mjs'];
  const { status, stderr } = await inProject('node', '--experimental-vm-modules', ...jest);
  expect(stderr).toMatch(/Tests: +2 passed, 2 total/);
  expect(status).toBe(0);
});
