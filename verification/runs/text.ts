import { messageText } from '../system/index.ts';
import type { Nonconformance, Occurrence, Outcome } from './nonconformance.ts';
import type { LockReport } from './replay.ts';

/**
 * Text for a person: the line at which the record leaves the model, the difference, and the steps that were
 * possible instead.
 */
export function refusalText({
  code,
  file,
  line,
  reason,
  event,
  recorded,
  expected,
  allowed,
}: Nonconformance): string {
  const lines = [`${file}:${line}: ${reason} (${code})`];
  if (event !== undefined) lines.push(`  event     ${occurrenceText(event)}, at ${event.site}`);
  if (recorded !== undefined && expected !== undefined) lines.push(...differences(recorded, expected));
  if (allowed !== undefined) {
    lines.push(`  possible  ${allowed.map(occurrenceText).join('; ') || 'nothing'}`);
  }
  return lines.join('\n');
}

/** One line with the figures of a lock. */
export function lockText({ lock, machine, sites, underWay, ...counts }: LockReport): string {
  const { lives, events, messages, lost, elections, criticalSections } = counts;
  const restarts = lives > sites.length ? ` in ${lives} lives` : '';
  const never = [
    ...(lost > 0 ? [`${lost} of them lost`] : []),
    ...(underWay.length > 0 ? [`${underWay.length} of them still under way at the end`] : []),
  ];
  return [
    `lock ${lock} (${machine}) at ${sites.join(', ')}${restarts}: ${events} events`,
    `${messages} messages`,
    ...never,
    ...(elections > 0 ? [`${elections} elections`] : []),
    `${criticalSections} critical sections`,
  ].join(', ');
}

function occurrenceText({ event, source }: Occurrence): string {
  return source === null ? messageText(event) : `${messageText(event)} from ${source}`;
}

function differences(recorded: Outcome, expected: Outcome): string[] {
  const [had, has] = [new Map(leaves('', recorded)), new Map(leaves('', expected))];
  return [...new Set([...had.keys(), ...has.keys()])]
    .filter((path) => had.get(path) !== has.get(path))
    .map(
      (path) => `  differs   ${path}: recorded ${had.get(path) ?? '-'}, the machine ${has.get(path) ?? '-'}`,
    );
}

/** Every value that is no object or array, and every empty one, by its path: `snapshot.context.last`. */
function leaves(path: string, value: unknown): [string, string][] {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  if (entries.length === 0) return [[path, JSON.stringify(value)]];
  return entries.flatMap(([key, inner]) => leaves(path === '' ? key : `${path}.${key}`, inner));
}
