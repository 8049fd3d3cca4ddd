// Prints `N passed, N failed` from the test runner's report, and `, N skipped` if any were. A run without a report
// counts as one failure.
import { existsSync, readFileSync } from 'node:fs';

const report = '.reports/vitest.json';
const status = Number(process.argv[2] ?? 1);
if (!existsSync(report)) {
  console.log(`0 passed, ${status === 0 ? 0 : 1} failed`);
  process.exit(1);
}
const { numPassedTests, numFailedTests, numFailedTestSuites, numPendingTests, success } = JSON.parse(
  readFileSync(report, 'utf8'),
);
// A file that does not load has no failed tests of its own, and must not pass unnoticed.
const failed = success || numFailedTests > 0 ? numFailedTests : Math.max(1, numFailedTestSuites);
const skipped = numPendingTests > 0 ? `, ${numPendingTests} skipped` : '';
console.log(`${numPassedTests} passed, ${failed} failed${skipped}`);
