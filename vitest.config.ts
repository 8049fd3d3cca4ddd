import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{machines,runtime,verification,inspector,cli,bench,docs,scripts,examples}/**/*.test.ts'],
    reporters: ['default', 'json'],
    outputFile: { json: '.reports/vitest.json' },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Tests start real processes and sockets: two cores are shared by at most two files at a time.
    maxWorkers: 2,
  },
});
