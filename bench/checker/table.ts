import { aligned, median, whole } from '../columns.ts';
import type { Done, Run } from './measure.ts';
import type { Truth } from './truth.ts';

/** All runs of one contender on one number of sites. */
export interface Row {
  readonly name: string;
  readonly runs: readonly Run[];
}

/** The medians of a contender's figures. `null` when no run finished. */
export interface Summary {
  readonly states: number;
  readonly transitions: number | null;
  readonly orbits: number | null;
  readonly seconds: { readonly median: number; readonly least: number; readonly most: number };
  readonly statesPerSecond: number;
  readonly peakBytes: number | null;
  readonly tableBytes: number | null;
  /** The contradictions to the published counts, in words. `null` when there are none. */
  readonly wrong: string | null;
}

export function summarize({ runs }: Row, truth: Truth): Summary | null {
  const done = runs.filter((run): run is Done => !('failure' in run));
  const last = done.at(-1);
  if (last === undefined) return null;
  const seconds = done.map((run) => run.seconds);
  const time = { median: median(seconds), least: Math.min(...seconds), most: Math.max(...seconds) };
  const wrong = done.flatMap(({ states, transitions, orbits }) => [
    ...differs('states', states, truth.states),
    ...(transitions === null ? [] : differs('transitions', transitions, truth.transitions)),
    ...(orbits === null || truth.orbits === null ? [] : differs('orbits', orbits, truth.orbits)),
  ]);
  return {
    states: last.states,
    transitions: last.transitions,
    orbits: last.orbits,
    seconds: time,
    statesPerSecond: last.states / time.median,
    peakBytes: most(done.map(({ peakBytes }) => peakBytes)),
    tableBytes: most(done.map(({ tableBytes }) => tableBytes)),
    wrong: wrong[0] ?? null,
  };
}

/** The rows as text. Rates are also given as multiples of the row named `reference`. */
export function table(
  sites: number,
  rows: readonly (Row & { readonly summary: Summary | null })[],
  reference: string,
): string {
  const yardstick = rows.find(({ name }) => name === reference)?.summary?.statesPerSecond;
  const lines = rows.map(({ name, runs, summary }) => {
    if (summary === null)
      return [name, runs.flatMap((run) => ('failure' in run ? run.failure : [])).join('; ')];
    const { states, transitions, orbits, seconds, statesPerSecond, peakBytes, tableBytes, wrong } = summary;
    const kept = orbits ?? states;
    return [
      name,
      whole(states),
      orbits === null ? '' : whole(orbits),
      transitions === null ? '' : whole(transitions),
      `${time(seconds.median)} (${time(seconds.least)}–${time(seconds.most)})`,
      whole(statesPerSecond),
      yardstick === undefined ? '' : `${(statesPerSecond / yardstick).toPrecision(3)}×`,
      peakBytes === null ? '' : `${whole(peakBytes / 2 ** 20)} MiB`,
      peakBytes === null ? '' : whole(peakBytes / kept),
      tableBytes === null ? '' : (tableBytes / kept).toFixed(1),
      wrong === null ? '' : `WRONG: ${wrong}`,
    ];
  });
  const orbitsKept = rows.some(({ summary }) => summary?.orbits != null);
  const head = [
    `N = ${sites}`,
    'states',
    'orbits',
    'transitions',
    'seconds',
    'states/s',
    yardstick === undefined ? '' : `× ${reference.split(',')[0]}`,
    'peak memory',
    orbitsKept ? 'bytes/state, /orbit' : 'bytes/state',
    'tables alone',
    '',
  ];
  return aligned([head, ...lines]);
}

function differs(what: string, got: number, expected: number): string[] {
  return got === expected ? [] : [`${whole(got)} ${what}, not ${whole(expected)}`];
}

function most(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

function time(seconds: number): string {
  return seconds.toFixed(seconds < 10 ? 2 : 0);
}
