import { causeText, type EpochChange } from './epochs.ts';
import type { Moments } from './moments.ts';
import { clockText } from './time.ts';

interface EpochLogProps {
  readonly epochs: readonly EpochChange[];
  readonly moments: Moments;
  readonly moment: number;
  readonly onMoment: (moment: number) => void;
}

/** Every epoch that begins in a run, with its cause. */
export function EpochLog({ epochs, moments, moment, onMoment }: EpochLogProps) {
  return (
    <ol className="epochs scroll">
      {epochs.map((change) => {
        const { at } = moments.timeline.steps[change.moment - 1] ?? {};
        return (
          <li key={change.epoch}>
            <button
              type="button"
              aria-current={change.moment === moment ? 'step' : undefined}
              onClick={() => onMoment(change.moment)}
            >
              <b>epoch {change.epoch}</b>
              <small>
                step {change.moment}
                {at !== undefined && `, ${clockText(at)}`}
              </small>
              <span>{causeText(change)}</span>
            </button>
          </li>
        );
      })}
    </ol>
  );
}
