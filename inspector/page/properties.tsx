import type { Result } from '../protocol.ts';
import type { Moments } from './moments.ts';
import { Reads } from './story-bar.tsx';

interface PropertiesProps {
  readonly moments: Moments;
  readonly moment: number;
  /** The results of the check of all states, if there was one. */
  readonly results: readonly Result[];
  readonly onMoment: (moment: number) => void;
}

const signs = { holds: '✓', violated: '✗', open: '○' } as const;

const words = {
  holds: 'holds in all states',
  violated: 'violated elsewhere',
  incomplete: 'not decided',
} as const;

/** Each property with its verdict at this moment, with the reason if it is violated. */
export function Properties({ moments, moment, results, onMoment }: PropertiesProps) {
  const { properties, focus } = moments.timeline;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled with keys
    <ul className="properties scroll" tabIndex={0}>
      {violatedFirst(moments).map((index) => {
        const { name, kind, about } = properties[index]!;
        const { verdict, reason, reads } = moments.verdict(index, moment);
        const since = moments.brokenSince(index);
        const checked = results.find((result) => result.name === name)?.verdict;
        const classes = [verdict, index === focus ? 'focus' : ''];
        return (
          <li key={name} className={classes.join(' ')} data-property={name} data-verdict={verdict}>
            <span className="sign" role="img" aria-label={verdict}>
              {signs[verdict]}
            </span>
            <span className="name">
              {name}
              <small>{kind}</small>
            </span>
            {since === null && checked !== undefined && <em className={checked}>{words[checked]}</em>}
            {since !== null && (
              <button
                type="button"
                className="jump"
                onClick={() => onMoment(since)}
                aria-label={`${name}: go to step ${moments.numberOf(since)}, where it is first violated`}
              >
                step {moments.numberOf(since)}
              </button>
            )}
            {about !== undefined && <p>{about}.</p>}
            {reason !== undefined && verdict !== 'holds' && <p className="reason">{reason}</p>}
            {reads !== undefined && verdict === 'violated' && (
              <details>
                <summary>the values that it read</summary>
                <Reads
                  title={name}
                  reads={reads}
                  at={moments.numberOf(moments.violatedUntil(index, moment))}
                />
              </details>
            )}
          </li>
        );
      })}
    </ul>
  );
}

/** The indices of the properties: those that the run violates, the earliest first, then the others. */
function violatedFirst(moments: Moments): readonly number[] {
  const since = (index: number) => moments.brokenSince(index) ?? moments.last + 1;
  return moments.timeline.properties
    .map((_, index) => index)
    .toSorted((one, other) => since(one) - since(other));
}

/** The sites that some property names as violated at this moment. */
export function brokenSites(moments: Moments, moment: number): ReadonlySet<string> {
  const verdicts = moments.timeline.properties.map((_, index) => moments.verdict(index, moment));
  return new Set(
    verdicts.filter(({ verdict }) => verdict === 'violated').flatMap(({ sites }) => sites ?? []),
  );
}
