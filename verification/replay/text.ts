import type { Occurrence, Outcome, Refusal } from './refusal.ts';
import type { LockReport } from './replay.ts';

/** For a person: where the record leaves the model, what stands there, what could have. */
export function refusalText({
  code,
  file,
  line,
  reason,
  event,
  recorded,
  expected,
  allowed,
}: Refusal): string {
  const lines = [`${file}:${line}: ${reason} (${code})`];
  if (event !== undefined) lines.push(`  event      ${occurrenceText(event)} at ${event.site}`);
  if (recorded !== undefined) lines.push(...outcomeText('recorded', recorded));
  if (expected !== undefined) lines.push(...outcomeText('the machine', expected));
  if (allowed !== undefined) {
    lines.push(`  possible   ${allowed.map(occurrenceText).join('; ') || 'nothing'}`);
  }
  return lines.join('\n');
}

/** One line: what was judged of a lock. */
export function lockText({ lock, machine, sites, events, messages, criticalSections, underWay }: LockReport) {
  const left = underWay.length === 0 ? '' : `, ${underWay.length} of them still under way at the end`;
  return (
    `lock ${lock} (${machine}) at ${sites.join(', ')}: ${events} events, ${messages} messages${left}, ` +
    `${criticalSections} critical sections`
  );
}

function occurrenceText({ event: { type, ...params }, source }: Occurrence): string {
  const said = Object.keys(params).length === 0 ? type : `${type} ${JSON.stringify(params)}`;
  return source === null ? said : `${said} from ${source}`;
}

function outcomeText(who: string, { snapshot, effects }: Outcome): string[] {
  const asked = effects.length === 0 ? 'none' : effects.map((effect) => JSON.stringify(effect)).join(', ');
  return [
    `  ${who.padEnd(11)}effects ${asked}`,
    `  ${''.padEnd(11)}value ${JSON.stringify(snapshot.value)}, context ${JSON.stringify(snapshot.context)}`,
  ];
}
