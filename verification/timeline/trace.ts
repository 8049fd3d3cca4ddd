import type { AnyStateMachine } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import { noFault } from '../check/questions.ts';
import { ruleTitles } from '../protocols/rules.ts';
import type { Action, Property, StateRecord, System, Trace, TraceStep } from '../system/system.ts';
import { actionText } from '../system/text.ts';
import { chartOf } from './chart.ts';
import type { Judgement, SiteState, Timeline, TimelineProperty, TimelineStep, TypedValue } from './format.ts';
import { changes, type JudgedStep, Judges } from './judges.ts';
import { Messages } from './messages.ts';
import { type Cause, sorted, taken } from './taken.ts';

export interface TraceOptions {
  readonly title: string;
  readonly about: string;
  /** The property that the trace is about, by name. */
  readonly property?: string;
  readonly notes?: readonly string[];
  /** For each moment: whether no further step is possible there. Default: not known. */
  readonly stuck?: (moment: number) => boolean;
}

/** A trace of `system` as the page shows it. */
export function timelineOf(system: System, trace: Trace, options: TraceOptions): Timeline {
  const { title, about, property, notes, stuck } = options;
  const machines = new Map<AnyStateMachine, string>();
  for (const { machine } of Object.values(system.actors)) {
    if (!machines.has(machine)) machines.set(machine, nameFor(machine, [...machines.values()]));
  }
  const properties = [noFault, ...system.properties];
  const focus = properties.findIndex(({ name }) => name === property);
  const { loop } = trace;
  const last = trace.steps.length;
  const judges = new Judges(
    properties,
    (site) => system.actors[site]?.machine,
    system.history,
    trace.history,
  );
  const judge = (state: StateRecord, step: TraceStep | null, moment: number) =>
    judges.next(state, step === null ? null : judgedStep(step), {
      stuck: stuck?.(moment) ?? null,
      loop: loop !== undefined && moment === last ? loop : null,
    });
  const messages = new Messages(trace.initial);
  const start = { sites: sitesOf(trace.initial), verdicts: judge(trace.initial, null, 0) };
  let before = trace.initial;
  let verdicts: readonly Judgement[] = start.verdicts;
  const steps = trace.steps.map((step, index): TimelineStep => {
    const message = messages.follow(step.action, step.effects, step.state, index + 1);
    const now = judge(step.state, step, index + 1);
    const taking = stepOf(system, before, step, { message, verdicts: changes(verdicts, now) });
    before = step.state;
    verdicts = now;
    return taking;
  });
  return {
    version: 1,
    title,
    about,
    sites: Object.entries(system.actors).map(([id, { machine }]) => ({
      id,
      machine: machines.get(machine)!,
    })),
    machines: Object.fromEntries([...machines].map(([machine, name]) => [name, chartOf(machine)])),
    properties: properties.map(headOf),
    ...(focus < 0 ? {} : { focus }),
    critical: [...new Set([...machines.keys()].flatMap(criticalStates))],
    start,
    steps,
    messages: messages.all,
    ...(loop === undefined ? {} : { loop }),
    ...(notes === undefined ? {} : { notes }),
  };
}

function judgedStep({ action, effects }: TraceStep): JudgedStep {
  const arrives = action.kind === 'deliver' || action.kind === 'duplicate';
  return { site: action.actor, effects, delivered: arrives ? action : null };
}

function stepOf(
  system: System,
  before: StateRecord,
  { action, effects, state }: TraceStep,
  rest: Pick<TimelineStep, 'message' | 'verdicts'>,
): TimelineStep {
  const { actor } = action;
  const spec = system.actors[actor];
  const event = eventOf(system, action);
  const cause: Cause | null =
    action.kind === 'restart'
      ? null
      : event === null || before[actor]?.up !== true
        ? null
        : { before: siteOf(before[actor]), event };
  return {
    kind: action.kind,
    site: actor,
    text: actionText(action),
    event,
    effects: effects as readonly TypedValue[],
    taken: cause === null || spec === undefined ? [] : taken(spec.machine, cause, siteOf(state[actor]!)),
    sites: Object.fromEntries(
      Object.keys(state)
        .filter((id) => sorted(siteOf(before[id]!)) !== sorted(siteOf(state[id]!)))
        .map((id) => [id, siteOf(state[id]!)]),
    ),
    ...rest,
  };
}

/** The event that the machine takes in this step, if any. */
function eventOf(system: System, action: Action): TypedValue | null {
  switch (action.kind) {
    case 'deliver':
    case 'duplicate': {
      const deliver = system.actors[action.actor]?.deliver;
      return (deliver?.(action.message, action.source) ?? action.message) as TypedValue;
    }
    case 'environment':
      return action.event as TypedValue;
    case 'timer':
      return { type: action.timer };
    default:
      return null;
  }
}

function sitesOf(record: StateRecord): Readonly<Record<SiteId, SiteState>> {
  return Object.fromEntries(Object.entries(record).map(([id, state]) => [id, siteOf(state)]));
}

/** An actor without the messages on their way to it. They are listed with the messages. */
function siteOf({ up, value, context, timers, fault }: StateRecord[SiteId]): SiteState {
  return {
    up,
    value,
    context,
    ...(timers.length === 0 ? {} : { timers }),
    ...(fault === undefined ? {} : { fault }),
  };
}

/** A property as the page lists it. */
export function headOf({ name, kind }: Property): TimelineProperty {
  const about = ruleTitles[name];
  return { name, kind, ...(about !== undefined && { about }) };
}

function nameFor({ id }: AnyStateMachine, others: readonly string[]): string {
  let name = id;
  for (let count = 2; others.includes(name); count++) name = `${id} ${count}`;
  return name;
}

/** The names of critical sections in the statecharts of locks. */
const critical = /^(inCS|inSC|leaving|critical|criticalSection|eating)$/;

/** Paths, without the machine's id, of the states that are a critical section. */
export function criticalStates(machine: AnyStateMachine): readonly string[] {
  const paths: string[] = [];
  const walk = (node: AnyStateMachine['root']): void => {
    if (critical.test(node.key)) paths.push(node.path.join('.'));
    for (const child of Object.values(node.states)) walk(child);
  };
  walk(machine.root);
  return paths;
}
