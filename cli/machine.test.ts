import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { directory } from './testing/directory.ts';
import { sharedBaton as baton } from './testing/shared-baton.ts';

const guide = readFileSync(new URL('../docs/check-one-machine.md', import.meta.url), 'utf8');
const commands = [...guide.matchAll(/```text\n\$ baton (.+)\n([^`]+)```/g)].map(
  ([, command, output]) => [command!, output!] as const,
);

const status: Readonly<Record<string, number>> = { auction: 2, checked: 1, repaired: 0 };

test.each(commands)('the guide shows what baton %s prints', async (command, output) => {
  const ended = await baton(...command.split(' '));
  expect(`${ended.stdout}${ended.stderr}`.replace(/, [\d.]+ s$/m, '')).toContain(output.trimEnd());
  const [, file] = /(\w+)\.ts$/.exec(command)!;
  expect(ended.status).toBe(/^(outline|paths)/.test(command) ? 0 : status[file!]);
});

test('the guide has all of these commands', () => {
  expect(commands.map(([command]) => command.split(' ')[0])).toEqual([
    'verify',
    'outline',
    'verify',
    'verify',
    'paths',
  ]);
});

test('the guide shows the files as they are', () => {
  const checked = readFileSync(new URL('../examples/auction/checked.ts', import.meta.url), 'utf8');
  expect(guide).toContain(checked);
});

test('a CommonJS module that exports a machine and its outcomes is checked', async () => {
  const ended = await baton('verify', 'cli/testing/machine.cjs');
  expect(ended).toMatchObject({ status: 0, stdout: expect.stringContaining('all 5 properties hold') });
});

test('a module with no machine is refused', async () => {
  const ended = await baton('outline', 'cli/version.ts');
  expect(ended).toMatchObject({ status: 2, stderr: expect.stringContaining('exports no machine of XState') });
});

test('events that a module does not declare come bare, one for each wildcard, and verify lists them', async () => {
  const [module, declaring] = ['wild.ts', 'declaring.ts'].map((name) => join(directory(), name)) as [
    string,
    string,
  ];
  const xstate = import.meta.resolve('xstate');
  const wild = `import { createMachine } from '${xstate}';
    export default createMachine({ id: 'wild', initial: 'a', states: { a: {
      on: { go: {}, 'user.*': 'b', '*': { actions: ({ event }) => event.data.amount } } }, b: { on: { back: 'a' } } } });`;
  writeFileSync(module, wild);
  const ended = await baton('verify', module);
  expect(ended).toMatchObject({ status: 1, stdout: expect.stringMatching(/^1\. wild: anything$/m) });
  expect(ended.stderr).toContain('nothing but a type: go, user.anything, anything, back');
  writeFileSync(declaring, `${wild}\nexport const events = [{ type: 'go' }, { type: 'user.login' }];`);
  const declared = await baton('verify', declaring);
  expect(declared.stdout).not.toContain('anything');
  expect(declared.stderr).toBe('');
});
