import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compile } from './compile.ts';
import { Beside, explore } from './testing/beside.ts';
import { events, randomMachine } from './testing/machines.ts';

test('random machines agree with XState', () => {
  let steps = 0;
  fc.assert(
    fc.property(randomMachine, (machine) => {
      steps += explore(new Beside(machine, compile(machine)), [undefined], events, { most: 12 }).steps;
    }),
    { numRuns: 600 },
  );
  expect(steps).toBeGreaterThan(3_000);
}, 60_000);
