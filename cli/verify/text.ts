import colors from 'picocolors';
import { durationText } from '../../inspector/page/time.ts';
import type { Judged, Progress, Report } from '../../verification/check/check.ts';
import type { Opinion } from '../../verification/engines/opinions.ts';
import { nameInWords } from '../../verification/protocols/rule-names.ts';
import type { PropertyResult, Trace } from '../../verification/system/system.ts';
import type { TakenAgain } from './traces.ts';

const number = new Intl.NumberFormat('en');

const painted: Readonly<Record<PropertyResult['verdict'], string>> = {
  holds: colors.green('holds     '),
  'holds within the constraint': colors.yellow('holds     '),
  violated: colors.red('VIOLATED  '),
  incomplete: colors.yellow('incomplete'),
};

/**
 * Formats a report: figures, every property with its verdict, and the shortest trace to each violation, in
 * `format`.
 */
export function reportText(report: Report, format: (trace: Trace) => string): string {
  const { system, sites, network, properties } = report;
  const widest = Math.max(...properties.map(({ kind }) => kind.length));
  const violated = properties.filter(({ verdict }) => verdict === 'violated');
  return [
    colors.bold(`${system}: ${counted(sites, 'site')}, ${network} network`),
    figuresText(report),
    ...(report.seconds >= 10 || report.workers > 1 || report.cut > 0 ? [effortText(report)] : []),
    '',
    ...properties.map(
      (property) =>
        `${painted[property.verdict]}  ${property.kind.padEnd(widest)}  ${nameInWords(property.name)}${unlessOmitted(property)}${onlyIf(property)}`,
    ),
    ...byTrace(violated.filter(({ follows }) => follows === undefined)).map((some) =>
      violationText(some, format),
    ),
    ...followUps(violated),
    ...notRunText(report),
    ...untakenText(report),
    ...absentText(report),
    ...(report.grows ?? []).flatMap((line) => ['', colors.yellow(line)]),
    '',
    conclusion(report),
  ].join('\n');
}

/** A verdict that rests on hashes is always marked. */
function unlessOmitted({ omissionProbability }: Judged): string {
  return omissionProbability === undefined
    ? ''
    : colors.yellow(` (unless states were omitted: ${chance(omissionProbability)})`);
}

function onlyIf({ verdict, vacuous }: Judged): string {
  if (verdict === 'holds within the constraint') return colors.yellow(' (within the constraint)');
  return vacuous === undefined ? '' : colors.yellow(` (vacuously: ${vacuous})`);
}

/** Groups properties that the same trace violates. */
function byTrace(violated: readonly Judged[]): Judged[][] {
  const groups = new Map<string, Judged[]>();
  for (const property of violated) {
    const key = property.trace === undefined ? property.name : JSON.stringify(property.trace);
    groups.set(key, [...(groups.get(key) ?? []), property]);
  }
  return [...groups.values()];
}

/** Returns one line for each violation that may follow from a failed machine. */
function followUps(violated: readonly Judged[]): string[] {
  const lines = violated.flatMap(({ name, follows }) =>
    follows === undefined
      ? []
      : [
          `${colors.red('violated')}: ${colors.bold(nameInWords(name))}, after '${follows.property}' is, at step ${follows.step}`,
        ],
  );
  return lines.length === 0
    ? []
    : ['', ...lines, colors.dim('Their traces are in --json. Mend what is broken first.')];
}

function notRunText({ notRun }: Report): string[] {
  if (notRun.length === 0) return [];
  const actions = notRun.map(({ machine, actions }) => `${machine}: ${actions.join(', ')}`);
  return ['', colors.dim(`actions that no check ran: ${actions.join('; ')}`)];
}

function untakenText({ untaken }: Report): string[] {
  if (untaken.length === 0) return [];
  const events = untaken.map(({ actor, event }) => `${event} to ${actor}`);
  return ['', colors.yellow(`messages that their actor takes in no state: ${events.join('; ')}`)];
}

function absentText({ absent }: Report): string[] {
  if (absent.length === 0) return [];
  const keys = absent.map(({ actor, key }) => `${key} of ${actor}`);
  return ['', colors.yellow(`predicates read context keys that no state has: ${keys.join('; ')}`)];
}

/** Two digits, never rounded to certainty. */
export function chance(probability: number): string {
  return probability > 0.995 ? 'nearly certain' : `probability ${probability.toPrecision(2)}`;
}

const count = (value: number) => number.format(Math.round(value));

export function figuresText({ states, orbits, transitions, uncounted, depth, seconds }: Report): string {
  const steps = uncounted === undefined ? counted(transitions, 'transition') : 'transitions not counted';
  const explored = orbits === undefined ? '' : `${counted(orbits, 'orbit')}, standing for `;
  return `${explored}${counted(states, 'state')}, ${steps}, depth ${depth}, ${seconds.toFixed(2)} s`;
}

/** The figures that matter only for a long exploration. */
function effortText({
  orbits,
  statesPerSecond,
  bytesPerState,
  peakMemoryBytes,
  workers,
  cut,
}: Report): string {
  const what = orbits === undefined ? 'state' : 'orbit';
  const threads = workers === 1 ? 'one worker' : `${workers} workers`;
  const outside = cut === 0 ? '' : `; ${counted(cut, 'state')} outside of the constraint`;
  return `${count(statesPerSecond)} ${what}s a second by ${threads}, ${bytesPerState.toFixed(1)} bytes each, ${mebibytes(peakMemoryBytes)}${outside}`;
}

const counted = (value: number, one: string, several = `${one}s`) =>
  `${count(value)} ${value === 1 ? one : several}`;

function mebibytes(bytes: number): string {
  return `${count(bytes / 2 ** 20)} MiB`;
}

/** Formats the progress in one line. */
export function progressLine({
  property,
  states,
  statesPerSecond,
  depth,
  frontier,
  memoryBytes,
  seconds,
  secondsToCome,
  grows,
  violated,
}: Progress): string {
  const outlook =
    secondsToCome !== undefined
      ? `, about ${durationText(secondsToCome * 1_000)} to go`
      : grows !== undefined
        ? `\n${grows}`
        : '';
  const broken =
    violated === undefined
      ? ''
      : `\n${colors.red('violated')}: ${violated.map(nameInWords).join('; ')}. Ctrl-C ends the search, and shows the trace`;
  const what = property === null ? `depth ${depth}` : nameInWords(property);
  return `${count(states)} states, ${count(statesPerSecond)} a second, ${what}, ${count(frontier)} to go on from, ${mebibytes(memoryBytes)}, ${seconds.toFixed(0)} s${outlook}${broken}`;
}

function violationText(properties: readonly Judged[], format: (trace: Trace) => string): string {
  const heads = properties.map(
    (property) =>
      `${colors.red('violated')}: ${colors.bold(nameInWords(property.name))}\n${'reason' in property ? property.reason : ''}`,
  );
  const { trace } = properties[0]!;
  return `\n${heads.join('\n')}${trace === undefined ? '' : `\n\n${format(trace)}`}`;
}

/** Lists, for every statechart, the transitions that no explored step took. */
export function coverageText({ coverage, complete }: Report): string {
  const lines = coverage.flatMap(({ machine, transitions, never }) => [
    `${colors.bold(machine)}: ${transitions - never.length} of ${transitions} transitions taken`,
    ...never.map(({ state, event, guard, targets }) => {
      const what = `${event === '' ? 'always' : event}${guard === null ? '' : ` if ${guard}`}`;
      return `  never: ${state}: ${what}${targets.length === 0 ? '' : ` -> ${targets.join(', ')}`}`;
    }),
  ]);
  return ['', ...(complete ? [] : ['as far as it was explored:']), ...lines].join('\n');
}

/** Shows a trace and reports whether the system takes it. */
export function takenAgainText(
  { property, trace, refusal }: TakenAgain,
  format: (trace: Trace) => string,
): string {
  const about = property === null ? '' : `${colors.bold(nameInWords(property))}\n`;
  const verdict =
    refusal === null
      ? colors.green(
          `the system takes ${trace.steps.length === 1 ? 'the step' : `all ${trace.steps.length} steps`}`,
        )
      : colors.red(`refused: ${refusal}`);
  return `${about}${format(trace)}\n${verdict}\n`;
}

function conclusion({ properties, incomplete, hashCompaction }: Report): string {
  const with_ = (verdict: string) => properties.filter((property) => property.verdict === verdict).length;
  const [violated, open] = [with_('violated'), with_('incomplete')];
  const within = with_('holds within the constraint');
  if (violated > 0)
    return colors.red(`${violated} of ${counted(properties.length, 'property', 'properties')} violated`);
  if (open > 0) {
    const why = incomplete === undefined ? '' : `: ${incomplete}`;
    return colors.yellow(
      `${open} of ${counted(properties.length, 'property', 'properties')} not decided${why}`,
    );
  }
  const all = allHold(properties.length);
  if (within > 0)
    return colors.yellow(
      `${all}, ${within === properties.length ? '' : `${within} of them `}within the constraint`,
    );
  if (hashCompaction === undefined) return (properties.length === 1 ? colors.yellow : colors.green)(all);
  const { bits, omissionProbability } = hashCompaction;
  return colors.yellow(
    `${all}, unless states were omitted: two have the same hash of ${bits} bits, ${chance(omissionProbability)}`,
  );
}

/** The first property is added by the check itself. */
function allHold(properties: number): string {
  return properties === 1
    ? 'no machine fails, and nothing else was asked: the system has no properties'
    : `all ${properties} properties hold`;
}

/** Shows the result of each other engine, and the differences. */
export function opinionsText(opinions: readonly Opinion[]): string {
  return opinions
    .flatMap(({ engine, states, transitions, seconds, differences, unasked }) => [
      '',
      colors.bold(engine),
      `${counted(states, 'state')}, ${counted(transitions, 'transition')}, ${seconds.toFixed(2)} s`,
      ...unasked.map((line) => `${colors.yellow('not asked')} ${line}`),
      ...differences.map((line) => `${colors.red('DIFFERS')} ${line}`),
      differences.length === 0
        ? colors.green('agrees')
        : colors.red(counted(differences.length, 'difference')),
    ])
    .join('\n');
}
