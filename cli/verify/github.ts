import type { Report } from '../../verification/check/check.ts';
import { actionText } from '../../verification/system/index.ts';
import { chance } from './text.ts';

/**
 * Workflow commands that annotate a run of GitHub Actions: an error for each violated property, a warning for
 * each undecided one, and a notice where a verdict rests on hashes of states. A trace is given by its actions
 * alone, because there is little room.
 *
 * https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */
export function annotations({ system, sites, network, properties, hashCompaction }: Report): string[] {
  const about = `${system}, ${sites} sites, ${network}`;
  const unless =
    hashCompaction === undefined
      ? []
      : [
          `::notice title=${escapedTitle(about)}::${escaped(`unless states were omitted: ${chance(hashCompaction.omissionProbability)}`)}`,
        ];
  const judged = properties.flatMap((property) => {
    if (property.verdict !== 'violated' && property.verdict !== 'incomplete') return [];
    const { name, verdict, reason } = property;
    const level = verdict === 'violated' ? 'error' : 'warning';
    const title = `${about}: ${name}: ${verdict}`;
    const steps = (property.trace?.steps ?? []).map(
      ({ action }, index) => `${index + 1}. ${actionText(action)}`,
    );
    return [`::${level} title=${escapedTitle(title)}::${escaped([reason, ...steps].join('\n'))}`];
  });
  return [...judged, ...unless];
}

function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapedTitle(text: string): string {
  return escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
