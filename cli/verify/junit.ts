import junit from 'junit-report-builder';
import type { Report } from '../../verification/check/check.ts';
import { traceText } from '../../verification/system/index.ts';

// Its types describe the ES build. Node loads the CommonJS build, whose exports are the builder itself.
const builders = junit as unknown as typeof junit.default;

/**
 * A report as JUnit XML: one test suite, and a test case for each property. An undecided property is an
 * error.
 */
export function junitXml({ system, sites, network, seconds, properties, hashCompaction }: Report): string {
  const builder = builders.newBuilder();
  const suite = builder.testSuite().name(`${system}: ${sites} sites, ${network} network`).time(seconds);
  for (const [name, value] of Object.entries(hashCompaction ?? {})) {
    suite.property(`hashCompaction.${name}`, String(value));
  }
  for (const property of properties) {
    const test = suite.testCase().className(`${system}.${property.kind}`).name(property.name);
    if (property.verdict === 'violated') {
      test.failure(property.reason, 'violated');
      if (property.trace !== undefined) test.stacktrace(traceText(property.trace));
    }
    if (property.verdict === 'incomplete') test.error(property.reason, 'incomplete');
  }
  return builder.build();
}
