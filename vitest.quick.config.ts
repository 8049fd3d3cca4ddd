import { defineConfig } from 'vitest/config';

/** The tests that need no process, no socket and no long search: the answer while one edits, within a minute. */
export default defineConfig({
  test: {
    include: [
      'scripts/{rooms,protocol}.test.ts',
      'machines/**/*.test.ts',
      'statechart/{statechart,machines}.test.ts',
      'runtime/{api,driver,election,lock,options,site,wire}/**/*.test.ts',
      'runtime/mailbox/{memory,rate-limiter}.test.ts',
      'verification/{runs,timeline}/**/*.test.ts',
      'verification/checker/liveness/*.test.ts',
      'inspector/page/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**', '**/*.slow.test.ts', 'verification/runs/{epoch,replay}.test.ts'],
    // A process of its own for each file would cost a quarter of the time.
    isolate: false,
    maxWorkers: 2,
  },
});
