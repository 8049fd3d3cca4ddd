import { changeText, type EpochChange, type FirstEpoch } from './epochs.ts';
import type { Moments } from './moments.ts';
import { clockText } from './time.ts';

interface EpochLogProps {
  readonly epochs: readonly EpochChange[];
  /** The epoch in which the run begins. */
  readonly first: FirstEpoch;
  readonly moments: Moments;
  readonly moment: number;
  readonly onMoment: (moment: number) => void;
}

/** Every epoch of a run: the one in which it begins, and each that begins later, with its cause. */
export function EpochLog({
  epochs,
  first: { epoch: first, cause },
  moments,
  moment,
  onMoment,
}: EpochLogProps) {
  return (
    <ol className="epochs scroll">
      {epochs.every(({ epoch }) => epoch !== first) && (
        <li>
          <button type="button" onClick={() => onMoment(0)}>
            <b>epoch {first}</b>
            <small>from the start</small>
            <span>
              {cause ??
                (first === 0
                  ? 'the first epoch of the lock'
                  : 'it had begun before the first step that is shown, and no site remembers its cause')}
            </span>
          </button>
        </li>
      )}
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
                step {moments.numberOf(change.moment)}
                {at !== undefined && `, ${clockText(at)}`}
              </small>
              <span>{changeText(change)}</span>
            </button>
          </li>
        );
      })}
    </ol>
  );
}
