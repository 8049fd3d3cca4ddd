import type { Report } from '../../verification/check/check.ts';
import { compile, type NeverTaken, replayTrace, SystemError } from '../../verification/system/index.ts';
import type { PropertyResult, System, Trace } from '../../verification/system/system.ts';
import { chartOf } from '../../verification/timeline/chart.ts';
import type { Chart, ChartTransition } from '../../verification/timeline/format.ts';
import { timelineOf } from '../../verification/timeline/trace.ts';
import type { SourceHead, Sources } from '../protocol.ts';
import { type Shown, type ShownSource, slug } from './sources.ts';

/** A report as the page shows it; where no property has a trace, by the state that all begins in. */
export function fromReport(system: System, report: Report): Shown {
  const traces = reportSources(system, report);
  const start = { initial: compile(system).record(compile(system).model.initial[0]!), steps: [] };
  const head = {
    id: 'start',
    title: 'the start',
    about: 'no property has a trace',
    kind: 'timeline' as const,
  };
  const shown = traces.length > 0 ? traces : [traceSource(system, start, head, report)];
  const charts = [...new Set(Object.values(system.actors).map(({ machine }) => machine))].map(chartOf);
  return { shown, about: aboutReport(report, charts) };
}

/** Every trace of a report: counterexamples first, then witnesses of reachable states. */
function reportSources(system: System, report: Report): readonly ShownSource[] {
  const traced = report.properties.filter(({ trace }) => trace !== undefined);
  const order = ['violated', 'incomplete', 'holds'];
  const sorted = traced.toSorted((left, right) => order.indexOf(left.verdict) - order.indexOf(right.verdict));
  const taken: string[] = [];
  return sorted.map((result) => {
    const id = slug(result.name, taken);
    taken.push(id);
    return traceSource(system, result.trace!, headOf(result, id), report);
  });
}

function headOf(result: PropertyResult, id: string): SourceHead {
  const { name, kind, verdict } = result;
  const steps = `${result.trace!.steps.length} steps`;
  const about = verdict === 'violated' ? `counterexample, ${steps}` : `the shortest way there, ${steps}`;
  return { id, title: name, about: `${kind}: ${about}`, kind: 'timeline', verdict: shownVerdict(result) };
}

/** The page tells three verdicts apart: what holds within the constraint only is not known to hold. */
function shownVerdict({ verdict }: PropertyResult): 'holds' | 'incomplete' | 'violated' {
  return verdict === 'holds within the constraint' ? 'incomplete' : verdict;
}

/** `report`: the one that the trace comes from, if known. */
export function traceSource(
  system: System,
  trace: Trace,
  head: SourceHead,
  report: Pick<Report, 'system' | 'sites' | 'network'> | null,
): ShownSource {
  const where = report ?? {
    system: system.name,
    sites: Object.keys(system.actors).length,
    network: system.network.order,
  };
  return {
    head,
    timeline: () => {
      const refusal = whyRefused(system, trace);
      return timelineOf(system, trace, {
        title: head.title,
        about: `${where.system}, ${where.sites} actors, ${where.network} network: ${head.about}`,
        property: head.title,
        ...(refusal === null ? {} : { notes: [refusal] }),
      });
    },
  };
}

/** A trace of a system that has changed since is shown all the same, and said to be one. */
function whyRefused(system: System, trace: Trace): string | null {
  try {
    replayTrace(compile(system), trace);
    return null;
  } catch (error) {
    if (error instanceof SystemError && error.code === 'TRACE_REFUSED') return error.message;
    throw error;
  }
}

function figuresOf(report: Report): NonNullable<Sources['figures']> {
  const number = new Intl.NumberFormat('en');
  return [
    ['states', number.format(report.states)],
    ...(report.orbits === undefined ? [] : [['orbits', number.format(report.orbits)] as const]),
    ['transitions', number.format(report.transitions)],
    ['depth', String(report.depth)],
    ['seconds', report.seconds.toFixed(2)],
  ];
}

function aboutReport(report: Report, charts: readonly Chart[]): Omit<Sources, 'sources'> {
  const { system, sites, network, properties } = report;
  return {
    title: `${system}, ${sites} actors, ${network} network`,
    figures: figuresOf(report),
    results: properties.map((result) => {
      const { name, kind } = result;
      const reason = 'reason' in result ? result.reason : result.verdict;
      const verdict = shownVerdict(result);
      return { name, kind, verdict, ...(verdict !== 'holds' && { reason }) };
    }),
    never: neverTaken(report, charts),
  };
}

/** For each chart, the ids of the transitions that no explored step took. Empty where not all states were explored. */
function neverTaken({ coverage, complete }: Report, charts: readonly Chart[]): NonNullable<Sources['never']> {
  if (!complete) return {};
  return Object.fromEntries(
    coverage.flatMap(({ machine, never }) => {
      const chart = charts.find(({ id }) => id === machine);
      if (chart === undefined) return [];
      const ids = never.flatMap((one) =>
        chart.transitions.filter((other) => isSame(one, other)).map(({ id }) => id),
      );
      return [[machine, ids]];
    }),
  );
}

/** A report names a guard that is made of others only by its kind: `and`, `or`, `not`. */
function isSame({ state, event, guard, targets }: NeverTaken, other: ChartTransition): boolean {
  const isSamePlace =
    state === other.source && event === other.event && targets.join() === other.targets.join();
  if (!isSamePlace || guard === null || other.guard === null) return isSamePlace && guard === other.guard;
  return guard === other.guard || ` ${other.guard} `.includes(` ${guard} `);
}
