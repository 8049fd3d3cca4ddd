import colors from 'picocolors';
import { excerpt } from '../../verification/histories/text.ts';
import type { ChaosRun } from './run.ts';
import { countByKind, type Fault } from './schedule.ts';

const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;

/** One line. */
export function summaryLine({ schedule, judgement: { figures, held } }: ChaosRun): string {
  const { grants, lost, refused, highestFence, longestWaitAfterMs } = figures;
  const verdict = held ? colors.green('holds') : colors.red('VIOLATED');
  return (
    `seed ${schedule.seed}: ${schedule.faults.length} faults, ${grants} grants, ${lost} lost, ` +
    `${refused} writes refused, epoch ${highestFence?.epoch ?? 0}, ` +
    `longest wait after the faults ${seconds(longestWaitAfterMs ?? 0)}: ${verdict}`
  );
}

export function kindsText(faults: readonly Fault[]): string {
  const counts = Object.entries(countByKind(faults)).map(([kind, count]) => `${count} ${kind}`);
  return counts.length === 0 ? 'no faults' : counts.join(', ');
}

/** All that there is to say of one run. */
export function runText(run: ChaosRun): string {
  const { schedule, judgement, sent, suspicions } = run;
  const { figures, findings } = judgement;
  const { asks, grants, cancelled, lost, accepted, refused, highestFence } = figures;
  const lines = [
    `seed ${schedule.seed}: ${schedule.sites.length} sites, ${schedule.seconds} s of faults, ${run.seconds.toFixed(1)} s in all`,
    `  faults   ${kindsText(schedule.faults)}`,
    `  clients  ${asks} asks, ${grants} grants, ${cancelled} given up, ${lost} lost; longest wait ${seconds(figures.longestWaitMs)}, after the faults ${seconds(figures.longestWaitAfterMs ?? 0)}`,
    `  resource ${accepted} writes taken, ${refused} refused`,
    `  epochs   ${highestFence?.epoch ?? 0} at the end; ${suspicions} suspicions; sent by who was up at the end: ${sentText(sent)}`,
  ];
  for (const [rule, { judged, violations }] of Object.entries(findings)) {
    const verdict =
      violations.length === 0
        ? `${colors.green('holds')}     ${rule} (${judged})`
        : `${colors.red('VIOLATED')}  ${rule} (${violations.length} of ${judged})`;
    lines.push(`  ${verdict}`);
  }
  return [...lines, ...violationLines(run)].join('\n');
}

/** The first violation of each rule that is broken, with what shows it. */
export function violationLines({ judgement, evidence }: ChaosRun): string[] {
  return Object.entries(judgement.findings).flatMap(([rule, { violations }]) => {
    const [first] = violations;
    if (first === undefined) return [];
    return ['', `${colors.red(rule)}: ${first.what}`, excerpt(first, evidence.history)];
  });
}

function sentText(sent: Readonly<Record<string, number>>): string {
  return Object.entries(sent)
    .map(([type, count]) => `${count} ${type}`)
    .join(', ');
}
