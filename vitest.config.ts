import { configDefaults, defineConfig } from 'vitest/config';

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
    // Tests start real processes and sockets: two cores are shared by at most two files at a time.
    maxWorkers: 2,
  },
});
