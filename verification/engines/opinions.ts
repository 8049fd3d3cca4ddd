import type { Report } from '../check/report.ts';
import type { System } from '../system/system.ts';
import { cutText, type EngineOptions, type EngineReport } from './engine.ts';
import { spin } from './spin.ts';
import { tlc } from './tlc.ts';

/** Engines other than Baton's own, by the name that `--engine` takes. */
export const engines = { spin, tlc } satisfies Record<
  string,
  (system: System, options?: EngineOptions) => Promise<EngineReport>
>;

export type EngineName = keyof typeof engines;

/** The answer of another engine about a system that Baton has checked. */
export interface Opinion {
  readonly engine: string;
  readonly states: number;
  readonly transitions: number;
  readonly seconds: number;
  /** Every difference, in words. */
  readonly differences: readonly string[];
  /** Properties that the engine could not be asked, and why. */
  readonly unasked: readonly string[];
}

/** Whether no state is left out but those behind the constraint. */
const hasSeenAll = ({ complete, incomplete, cut }: Report) =>
  complete || (cut > 0 && incomplete === cutText(cut).incomplete);

/** Counts are compared where both have seen all states, of a constraint or without one; a verdict is compared where both have one. */
export function opinionOf(ours: Report, theirs: EngineReport): Opinion {
  const differences: string[] = [];
  const unasked: string[] = [];
  const areWhole = hasSeenAll(ours) && hasSeenAll(theirs);
  for (const what of ['states', 'transitions', 'cut'] as const) {
    const uncounted = what === 'transitions' ? (ours.uncounted ?? theirs.uncounted) : undefined;
    if (uncounted !== undefined) unasked.push(`transitions: ${uncounted}`);
    else if (areWhole && ours[what] !== theirs[what]) {
      differences.push(`${what}: Baton counts ${ours[what]}, ${theirs.engine} ${theirs[what]}`);
    }
  }
  for (const { name, verdict } of ours.properties) {
    const other = theirs.properties.find((property) => property.name === name);
    if (other === undefined) differences.push(`${name}: ${theirs.engine} was not asked`);
    else if (other.verdict === 'incomplete') unasked.push(`${name}: ${other.reason}`);
    else if (verdict !== 'incomplete' && verdict !== other.verdict) {
      differences.push(`${name}: ${verdict}, and by ${theirs.engine} ${other.verdict}`);
    }
  }
  const { engine, states, transitions, seconds } = theirs;
  return { engine, states, transitions, seconds, differences, unasked };
}
