import { stepText } from './controls.tsx';
import type { Difference } from './difference.ts';
import { differencesAt } from './difference.ts';
import type { Moments } from './moments.ts';

interface BesideBarProps {
  readonly title: string;
  readonly difference: Difference | null;
  readonly moment: number;
  readonly onMoment: (moment: number) => void;
  readonly onClose: () => void;
}

/** The first difference between the run and the one beside it, in one sentence. */
export function BesideBar({ title, difference, moment, onMoment, onClose }: BesideBarProps) {
  return (
    <section className="story beside-bar" aria-label="The run beside this one">
      <p className="sentence">
        Beside <b>{title}</b>
        {difference === null ? ': no difference.' : `, first difference: ${difference.text}.`}
      </p>
      <div className="ways">
        {difference !== null && (
          <button
            type="button"
            aria-pressed={moment === difference.moment}
            onClick={() => onMoment(difference.moment)}
          >
            to the first difference ({difference.moment})
          </button>
        )}
        <button type="button" onClick={onClose}>
          this run alone
        </button>
      </div>
    </section>
  );
}

interface BesideValuesProps {
  readonly moments: Moments;
  readonly other: Moments;
  readonly moment: number;
}

/** The step of both runs, and every value that differs after it. */
export function BesideValues({ moments, other, moment }: BesideValuesProps) {
  const differences = differencesAt(moments, other, moment);
  const said = (one: Moments) => (moment > one.last ? 'the run is over' : stepText(one, moment));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled with keys
    <section className="scroll" tabIndex={0} aria-label="Values that differ">
      <table className="reads-table">
        <caption>
          {differences.length === 0
            ? 'No value differs at this step'
            : `${differences.length} values differ after step ${moment}`}
        </caption>
        <thead>
          <tr>
            <th scope="col">value</th>
            <th scope="col">this run</th>
            <th scope="col">beside</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">step</th>
            <td>{said(moments)}</td>
            <td>{said(other)}</td>
          </tr>
          {differences.map(({ site, path, before, now }) => (
            <tr key={`${site} ${path}`} className="changed">
              <th scope="row">
                {site}.{path}
              </th>
              <td>{now === '' ? '(none)' : now}</td>
              <td>{before === '' ? '(none)' : before}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
