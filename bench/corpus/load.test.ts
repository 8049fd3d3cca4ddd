import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { machinesMadeIn } from './load.ts';

const folder = mkdtempSync(join(tmpdir(), 'baton-corpus-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

const files = {
  'part.ts': `import { setup } from 'xstate';
    import shape, { named } from 'a-package-that-is-not-installed';
    export const part: unknown = setup({ actors: { it: shape.of(named) } }).createMachine({ id: 'part' });`,
  'main.tsx': `import { createActor, createMachine } from 'xstate';
    import './style.css';
    import { part } from './part.js';
    const whole = createMachine({ id: 'whole', context: { part: typeof part } });
    createActor(whole).start();
    throw new Error('the application runs');`,
  'broken.ts': `throw new RangeError('broken');`,
};
for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);

test('a module gives the machines that it makes, up to where it starts an actor', async () => {
  const machines = await machinesMadeIn(join(folder, 'main.tsx'));
  expect(machines.map(({ id }) => id)).toEqual(['part', 'whole']);
});

test('a module that is left out makes none', async () => {
  const machines = await machinesMadeIn(join(folder, 'main.tsx'), { without: ['./part.js'] });
  expect(machines.map(({ id }) => id)).toEqual(['whole']);
});

test('a module that fails says why', async () => {
  await expect(machinesMadeIn(join(folder, 'broken.ts'))).rejects.toThrow('broken');
});
