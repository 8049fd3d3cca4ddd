import colors from 'picocolors';
import { figuresText } from '../../cli/verify/text.ts';
import type { Report } from '../../verification/check/check.ts';
import { lockText, refusalText } from '../../verification/runs/text.ts';
import type { Figures } from './messages.ts';
import type { Verdict } from './verdict.ts';

const number = new Intl.NumberFormat('en');

type FiguresBySite = Readonly<Record<string, Figures>>;

/** The live view: a bar for each site. */
export function liveScreen(figures: FiguresBySite, seconds: number, total: number): string {
  const most = Math.max(1, ...Object.values(figures).map(({ criticalSections }) => criticalSections));
  const bars = Object.entries(figures).map(([site, { criticalSections }]) => {
    const bar = '█'.repeat(Math.round((criticalSections / most) * 40));
    return `${site.padEnd(4)}${colors.cyan(bar.padEnd(40))} ${number.format(criticalSections).padStart(9)}`;
  });
  return [liveLine(figures, seconds, total), ...bars].join('\n');
}

export function liveLine(figures: FiguresBySite, seconds: number, total: number): string {
  const all = Object.values(figures);
  const sections = all.reduce((sum, { criticalSections }) => sum + criticalSections, 0);
  const messages = all.reduce((sum, { sent }) => sum + Object.values(sent).reduce((a, b) => a + b, 0), 0);
  const cost = sections === 0 ? '' : `, ${(messages / sections).toFixed(2)} messages each`;
  return `${seconds.toFixed(0).padStart(3)} of ${total} s: ${number.format(sections)} critical sections${cost}`;
}

export function verdictText(verdict: Verdict): string {
  const { killed, criticalSections, messages, fairness, overlaps, replay, model, failures } = verdict;
  const bySite = Object.entries(criticalSections.bySite).map(
    ([site, count]) => `${site} ${number.format(count)}`,
  );
  const rows: [string, string][] = [
    ...(killed.length > 0 ? [['killed', killed.join(', ')] satisfies [string, string]] : []),
    [
      'critical sections',
      `${number.format(criticalSections.total)} (${number.format(Math.round(criticalSections.perSecond))} a second): ${bySite.join(', ')}`,
    ],
    [
      'messages each',
      `${messages.perCriticalSection.toFixed(3)}: a site that asks again stands in the line of the token (R12); ` +
        `published, 4 - 6/(n+1): ${messages.published.toFixed(3)}`,
    ],
    [
      'fairness',
      `least ${number.format(fairness.least)}, most ${number.format(fairness.most)}; at most ${fairness.longestWait} others between two turns of a site`,
    ],
    ['overlaps', overlaps === 0 ? colors.green('0') : colors.red(String(overlaps))],
    ['record', replayText(replay)],
    ...model.map((report): [string, string] => [`model, ${report.sites} sites`, modelText(report)]),
  ];
  const table = rows.map(([name, value]) => `${name.padEnd(18)} ${value}`);
  const conclusion =
    failures.length === 0
      ? colors.green('all of it held')
      : [colors.red('it did not hold:'), ...failures.map((failure) => `  ${failure}`)].join('\n');
  return [...table, '', conclusion].join('\n');
}

function replayText({ accepted, locks, refusal, seconds }: Verdict['replay']): string {
  if (!accepted) return `${colors.red('refused')} at ${refusalText(refusal!)}`;
  return `${colors.green('accepted')} by the model, in ${seconds.toFixed(1)} s: ${locks.map(lockText).join('; ')}`;
}

function modelText(report: Report): string {
  const open = report.properties.filter(({ verdict }) => verdict !== 'holds');
  const verdict =
    open.length === 0
      ? colors.green(`all ${report.properties.length} properties hold`)
      : colors.red(`not shown: ${open.map(({ name }) => name).join(', ')}`);
  return `${verdict}; ${figuresText(report)}`;
}
