import { type Compiled, pathOf, stateAfter } from '../system/index.ts';
import { noFault } from './questions.ts';
import type { Judged } from './report.ts';

/**
 * Tells what may follow from a machine that fails: a property that is violated by a trace on which one has failed. An actor
 * that has failed takes no step any more, and so is often the one reason why the others wait, or stop.
 */
export function withRootCause(compiled: Compiled, judged: readonly Judged[]): readonly Judged[] {
  return judged.map((result) => {
    if (result.name === noFault.name || result.verdict !== 'violated' || result.trace === undefined)
      return result;
    const { first, path } = pathOf(result.trace)!;
    for (let step = 0; step <= path.length; step++) {
      const { actors } = compiled.decode(stateAfter(compiled.model, path.slice(0, step), first));
      const failed = actors.some(({ fault }) => fault !== undefined);
      if (failed) return { ...result, follows: { property: noFault.name, step } };
    }
    return result;
  });
}
