import type { Entry } from '../../verification/runs/histories/history.ts';

/** The lock that the faults are aimed at. */
export const mainLock = 'main';

/** The names of the first lock and of `others` further locks. */
export const locksWith = (others: number): readonly string[] => [
  mainLock,
  ...Array.from({ length: others }, (_, index) => `other ${index + 1}`),
];

/** The name of a section starts with its lock, except for the main one. */
export const sectionOf = (lock: string, name: string): string =>
  lock === mainLock ? name : `${lock}/${name}`;

export function lockOf(section: string): string {
  const end = section.indexOf('/');
  return end < 0 ? mainLock : section.slice(0, end);
}

/** The part of a history that concerns `lock`: its critical sections, and the faults of all sites. */
export const historyOf = (lock: string, history: readonly Entry[]): readonly Entry[] =>
  history.filter((entry) => !('section' in entry) || lockOf(entry.section) === lock);
