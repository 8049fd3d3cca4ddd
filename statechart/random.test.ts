import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { compile } from './compile.ts';
import { Beside, explore } from './testing/beside.ts';
import { events, randomMachine } from './testing/machines.ts';

function stepsBesideXState(compiled: typeof compile, numRuns: number): number {
  let steps = 0;
  fc.assert(
    fc.property(randomMachine, (machine) => {
      steps += explore(new Beside(machine, compiled(machine)), [undefined], events, { most: 12 }).steps;
    }),
    { numRuns },
  );
  return steps;
}

test('random machines agree with XState', () => {
  expect(stepsBesideXState(compile, 600)).toBeGreaterThan(3_000);
}, 60_000);

test('so they do where a process may make no code from text', async () => {
  vi.doMock('./inline.ts', () => ({ makesCode: false }));
  vi.resetModules();
  onTestFinished(() => {
    vi.doUnmock('./inline.ts');
    vi.resetModules();
  });
  const { compile: compiled } = await import('./compile.ts');
  expect(stepsBesideXState(compiled, 100)).toBeGreaterThan(500);
}, 60_000);
