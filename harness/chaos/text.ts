import colors from 'picocolors';
import { excerpt } from '../../verification/runs/histories/text.ts';
import type { Row } from './directed.ts';
import type { ChaosRun } from './run.ts';
import { countByKind, type Fault } from './schedule.ts';

const inSeconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;

/** The figures of a run, without its history. */
export type Summary = ReturnType<typeof summaryOf>;

export function summaryOf({ schedule, judgement, sent, suspicions, seconds, lies, evidence }: ChaosRun) {
  const { held, figures, findings } = judgement;
  return {
    schedule,
    held,
    figures,
    findings,
    sent,
    suspicions,
    seconds,
    lies,
    entries: evidence.history.length,
  };
}

/** Describes many runs in one line. */
export function campaignText(runs: readonly Summary[], elapsed: number): string {
  const sum = (of: (run: Summary) => number) => runs.reduce((total, run) => total + of(run), 0);
  const violated = runs.filter(({ held }) => !held).map(({ schedule }) => schedule.seed);
  const lies = runs.some((run) => run.lies !== null)
    ? `${sum((run) => run.lies?.said ?? 0)} lies, ${sum((run) => run.lies?.closed ?? 0)} connections ended, ${sum((run) => run.lies?.broken ?? 0)} promises of honest members broken, `
    : '';
  return (
    `${runs.length} seeds, ${sum(({ schedule }) => schedule.faults.length)} faults, ` +
    `${sum(({ figures }) => figures.grants)} grants, ${sum(({ figures }) => figures.lost)} lost, ` +
    `${sum(({ figures }) => figures.refused)} writes refused, ${lies}in ${elapsed.toFixed(0)} s: ` +
    (violated.length === 0 ? colors.green('all hold') : colors.red(`violated: seed ${violated.join(', ')}`))
  );
}

/** Describes a run in one line. */
export function summaryLine({ schedule, judgement: { figures, held } }: ChaosRun): string {
  const { grants, lost, refused, highestFence, longestWaitAfterMs } = figures;
  const verdict = held ? colors.green('holds') : colors.red('VIOLATED');
  return (
    `seed ${schedule.seed}: ${schedule.faults.length} faults, ${grants} grants, ${lost} lost, ` +
    `${refused} writes refused, epoch ${highestFence?.epoch ?? 0}, ` +
    `longest wait after the faults ${inSeconds(longestWaitAfterMs ?? 0)}: ${verdict}`
  );
}

export function kindsText(faults: readonly Fault[]): string {
  const counts = Object.entries(countByKind(faults)).map(([kind, count]) => `${count} ${kind}`);
  return counts.length === 0 ? 'no faults' : counts.join(', ');
}

/** Describes one run completely. */
export function runText(run: ChaosRun): string {
  const { schedule, judgement, sent, suspicions, lies } = run;
  const { figures, findings } = judgement;
  const { asks, grants, cancelled, lost, accepted, refused, highestFence } = figures;
  const lines = [
    `seed ${schedule.seed}: ${schedule.sites.length} sites, ${schedule.seconds} s of faults, ${run.seconds.toFixed(1)} s in all`,
    `  faults   ${kindsText(schedule.faults)}`,
    `  clients  ${asks} asks, ${grants} grants, ${cancelled} given up, ${lost} lost; longest wait ${inSeconds(figures.longestWaitMs)}, after the faults ${inSeconds(figures.longestWaitAfterMs ?? 0)}`,
    `  resource ${accepted} writes taken, ${refused} refused`,
    `  epochs   ${highestFence?.epoch ?? 0} at the end; ${suspicions} suspicions; sent by the sites up at the end: ${sentText(sent)}`,
    ...(lies === null
      ? []
      : [
          `  liar     ${lies.said} forged messages, ${lies.closed} of its connections ended; ${lies.broken} violations of rules that need honest members, not judged`,
        ]),
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

/** The first violation of each broken rule, with the entries that show it. */
export function violationLines({ judgement, evidence }: ChaosRun): string[] {
  return Object.entries(judgement.findings).flatMap(([rule, { violations }]) => {
    const [first] = violations;
    if (first === undefined) return [];
    return ['', `${colors.red(rule)}: ${first.what}`, excerpt(first, evidence.history)];
  });
}

export function rowText({ scenario, measured, wanted, held }: Row): string {
  const verdict = held ? colors.green('holds') : colors.red('VIOLATED');
  return `${scenario}\n  ${measured}\n  ${verdict}: ${wanted}`;
}

function sentText(sent: Readonly<Record<string, number>>): string {
  return Object.entries(sent)
    .map(([type, count]) => `${count} ${type}`)
    .join(', ');
}
