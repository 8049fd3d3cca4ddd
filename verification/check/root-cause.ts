import { type Compiled, pathOf, stateAfter } from '../system/index.ts';
import { noFault } from './questions.ts';
import type { Judged } from './report.ts';

/**
 * Marks violations that may follow from a failed machine: a machine has failed on the trace. A failed actor
 * takes no further step, and is often the only reason why others wait or stop.
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
