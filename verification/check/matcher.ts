import { compile, replayTrace, traceText } from '../system/index.ts';
import type { System, Trace } from '../system/system.ts';
import { check } from './check.ts';
import type { CheckOptions, Judged } from './report.ts';

/**
 * A matcher for Vitest and Jest: `expect.extend({ toHold })`, then `await expect(shop).toHold()`. It passes
 * if every property of the system holds. Its failure message lists the other properties, each with its trace.
 */
export async function toHold(
  received: System,
  options: CheckOptions = {},
): Promise<{ readonly pass: boolean; readonly message: () => string }> {
  const { properties } = await check(received, options);
  const failed = properties.filter(({ verdict }) => verdict === 'violated' || verdict === 'incomplete');
  return {
    pass: failed.length === 0,
    message: () =>
      failed.length === 0
        ? `all ${properties.length} properties of '${received.name}' hold, and one was expected not to`
        : failed.map(failureText).join('\n\n'),
  };
}

function failureText(property: Judged): string {
  const head = `${property.verdict}: ${property.name}`;
  const reason = 'reason' in property ? `\n${property.reason}` : '';
  return `${head}${reason}${property.trace === undefined ? '' : `\n\n${traceText(property.trace)}`}`;
}

/**
 * Repeats a trace, as `check` found it or as read from JSON. Throws `SystemError` `TRACE_REFUSED` if the
 * system does not take one of its steps.
 */
export function replay(system: System, trace: Trace): void {
  replayTrace(compile(system), trace);
}
