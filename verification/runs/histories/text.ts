import type { Entry } from './history.ts';
import { byTime, text as fenceText, type Violation } from './rules.ts';

const maxFaults = 12;

/** The entries that show a violation, in words and one a line, with the faults between them. */
export function excerpt({ entries }: Violation, history: readonly Entry[]): string {
  const [first, last] = [Math.min(...entries.map(({ at }) => at)), Math.max(...entries.map(({ at }) => at))];
  const faults = history.filter(
    (entry) => entry.type === 'fault' && entry.at >= first && entry.at <= last && !entries.includes(entry),
  );
  const from = history.reduce((earliest, { at }) => Math.min(earliest, at), first);
  return [...entries, ...faults.slice(-maxFaults)]
    .sort(byTime)
    .map((entry) => `${((entry.at - from) / 1000).toFixed(4).padStart(9)} s  ${inWords(entry)}`)
    .join('\n');
}

function inWords(entry: Entry): string {
  switch (entry.type) {
    case 'ask':
      return `${entry.site} asks (${entry.section})`;
    case 'grant':
      return `${entry.site} is granted ${fenceText(entry.fence)} (${entry.section})`;
    case 'cancel':
      return `${entry.site} waits no longer (${entry.section})`;
    case 'rejected':
      return `${entry.site} is told ${entry.code} (${entry.section})`;
    case 'release':
      return `${entry.site} releases (${entry.section})`;
    case 'lost':
      return `${entry.site} hears that it has lost the lock (${entry.section})`;
    case 'acknowledged':
      return `${entry.site} hears that its ${entry.step} was taken (${entry.section})`;
    case 'write':
      return `the resource ${entry.accepted ? 'takes' : 'refuses'} the ${entry.step} of ${entry.site} under ${fenceText(entry.fence)}, counter ${entry.value} (${entry.section})`;
    case 'open':
      return `${entry.site} is up, life ${entry.life}`;
    case 'end':
      return `${entry.site} ends: ${entry.why}`;
    case 'crash':
      return `${entry.site} stops by itself: ${entry.message}`;
    case 'notice':
      return `${entry.site}: ${entry.what}`;
    case 'fault':
      return `fault: ${entry.what}`;
    case 'split':
      return `${entry.minority.join(', ')} cut off for ${Math.round(entry.until - entry.at)} ms`;
    case 'quiet':
      return 'the faults are over';
    default:
      return entry satisfies never;
  }
}
