import type { SourceHead, Sources } from '../../inspector/protocol.ts';
import type { Report } from '../../verification/check.ts';
import { timelineOf } from '../../verification/explorer/trace.ts';
import { compile, replayTrace, SystemError } from '../../verification/system/index.ts';
import type { PropertyResult, System, Trace } from '../../verification/system/system.ts';
import { type ShownSource, slug } from './sources.ts';

/** Every trace of a report: what is violated first, then how what is reachable is reached. */
export function reportSources(system: System, report: Report): readonly ShownSource[] {
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
  return { id, title: name, about: `${kind}: ${about}`, kind: 'timeline', verdict };
}

/** `report`: what the trace was found in, if known. */
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
        about: `${where.system}, ${where.sites} sites, ${where.network} network: ${head.about}`,
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

export function figuresOf(report: Report): NonNullable<Sources['figures']> {
  const number = new Intl.NumberFormat('en');
  return [
    ['states', number.format(report.states)],
    ...(report.orbits === undefined ? [] : [['orbits', number.format(report.orbits)] as const]),
    ['transitions', number.format(report.transitions)],
    ['depth', String(report.depth)],
    ['seconds', report.seconds.toFixed(2)],
  ];
}
