import { configDefaults, defineConfig } from 'vitest/config';
import { LongestFirst } from './scripts/longest-first.ts';

export default defineConfig({
  test: {
    include: [
      '{machines,statechart,runtime,verification,inspector,cli,harness,bench,docs,scripts,examples}/**/*.test.ts',
    ],
    exclude: [...configDefaults.exclude, '**/*.slow.test.ts'],
    reporters: ['default', 'json'],
    outputFile: { json: '.reports/vitest.json' },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // More than the two cores of a small machine: a third of the files wait for timers and processes most of the time.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
  },
});
