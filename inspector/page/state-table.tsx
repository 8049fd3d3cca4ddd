import type { SiteState } from '../../verification/timeline/format.ts';
import type { Moments } from './moments.ts';
import { contextOf, isCritical, plainText, regionsOf, typedText } from './values.ts';

interface StateTableProps {
  readonly moments: Moments;
  readonly moment: number;
  readonly broken: ReadonlySet<string>;
}

interface Cells {
  readonly group: 'states' | 'context' | 'network';
  readonly key: string;
  readonly of: (id: string, at: number) => string;
}

/** Every variable of every site; what the last step changed is marked, with what it was before. */
export function StateTable({ moments, moment, broken }: StateTableProps) {
  const { sites } = moments.timeline;
  const mover = moment === 0 ? null : moments.timeline.steps[moment - 1]!.site;
  return (
    <div className="scroll">
      <table className="state-table" style={{ minWidth: 82 + sites.length * 77 }}>
        <caption className="visually-hidden">State of every site at step {moment}</caption>
        <thead>
          <tr>
            <td />
            {sites.map(({ id }) => {
              const inside = isCritical(moments.timeline, moments.site(id, moment));
              const classes = [
                id === mover ? 'mover' : '',
                broken.has(id) ? 'broken' : '',
                moments.site(id, moment).unseen ? 'unobserved' : '',
                inside ? 'inside' : '',
              ];
              return (
                <th key={id} scope="col" className={classes.join(' ')}>
                  {id}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {rowsOf(moments, moment).map(({ group, key, of }) => (
            <tr key={`${group} ${key}`} className={group}>
              <th scope="row">{key}</th>
              {sites.map(({ id }) => {
                const now = of(id, moment);
                const before = moment === 0 ? now : of(id, moment - 1);
                return (
                  <td key={id} className={now === before ? '' : 'changed'}>
                    {now}
                    {now !== before && <del>{before}</del>}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function rowsOf(moments: Moments, moment: number): readonly Cells[] {
  const states = moments.timeline.sites.map(({ id }) => moments.site(id, moment));
  const keysOf = (of: (state: SiteState) => object) => [
    ...new Set(states.flatMap((state) => Object.keys(of(state)))),
  ];
  const state = (id: string, at: number) => moments.site(id, at);
  const rows: Cells[] = keysOf(({ value }) => regionsOf(value)).map((key) => ({
    group: 'states',
    key,
    of: (id, at) => (state(id, at).up ? (regionsOf(state(id, at).value)[key] ?? '') : 'down'),
  }));
  const shown = keysOf(contextOf).filter((key) => key !== 'self');
  rows.push(
    ...shown.map(
      (key): Cells => ({
        group: 'context',
        key,
        of: (id, at) => {
          const context = contextOf(state(id, at));
          return key in context ? plainText(context[key]) : '';
        },
      }),
    ),
  );
  if (states.some(({ timers }) => timers !== undefined)) {
    rows.push({ group: 'network', key: 'timers', of: (id, at) => (state(id, at).timers ?? []).join(', ') });
  }
  if (states.some(({ fault }) => fault !== undefined)) {
    rows.push({ group: 'network', key: 'fault', of: (id, at) => state(id, at).fault ?? '' });
  }
  rows.push({
    group: 'network',
    key: 'on its way',
    of: (id, at) => onItsWay(moments, id, at),
  });
  return rows;
}

/** So many messages on their way to one site are listed. */
const listed = 12;

function onItsWay(moments: Moments, id: string, at: number): string {
  const letters = moments
    .underWay(at)
    .map((index) => moments.timeline.letters[index]!)
    .filter(({ target }) => target === id);
  const lines = letters
    .slice(0, listed)
    .map(({ source, message }) => `${typedText(message)}${source === null ? '' : ` ← ${source}`}`);
  return [...lines, ...(letters.length > listed ? [`and ${letters.length - listed} more`] : [])].join('\n');
}
