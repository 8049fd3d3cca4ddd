import { defineConfig } from 'vitest/config';

/** The tests that take minutes each: the largest size of every system, long random runs. One file at a time. */
export default defineConfig({
  test: {
    include: [
      '{machines,statechart,runtime,verification,inspector,cli,harness,bench,docs,scripts,examples}/**/*.slow.test.ts',
    ],
    passWithNoTests: false,
    testTimeout: 3_600_000,
    hookTimeout: 600_000,
    maxWorkers: 1,
  },
});
