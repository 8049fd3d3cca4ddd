import { useMemo, useState } from 'react';
import type { Message, SiteState } from '../../verification/timeline/format.ts';
import type { Moments } from './moments.ts';
import { type Pin, pinOf } from './pins.ts';
import { exampleOf } from './pointers.ts';
import { contextOf, isCritical, isTree, literal, regionsOf } from './values.ts';

interface StateTreeProps {
  readonly moments: Moments;
  readonly moment: number;
  /** Sites that some property names as violated. */
  readonly broken: ReadonlySet<string>;
  readonly pins: readonly Pin[];
  readonly onPins: (pins: readonly Pin[]) => void;
}

/** The values of all sites at a moment and one moment before, as one tree. */
interface Row {
  readonly path: string;
  readonly name: string;
  readonly depth: number;
  readonly group: 'states' | 'context' | 'network';
  /** True when it has fields of its own. */
  readonly isOuter: boolean;
  readonly cells: readonly Cell[];
}

interface Cell {
  readonly now: string;
  readonly before: string;
}

/**
 * Every variable of every site as a tree. Changes of the last step are marked, with their previous values.
 */
export function StateTree({ moments, moment, broken, pins, onPins }: StateTreeProps) {
  const [isChangedOnly, setChangedOnly] = useState(false);
  const [filter, setFilter] = useState('');
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [expression, setExpression] = useState('');
  const { sites } = moments.timeline;
  const ids = sites.map(({ id }) => id);
  const mover = moment === 0 ? null : moments.timeline.steps[moment - 1]!.site;
  const rows = useMemo(() => rowsOf(moments, moment), [moments, moment]);
  const wanted = filter.trim().toLowerCase();
  const isChanged = ({ cells }: Row) => cells.some(({ now, before }) => now !== before);
  const matching = rows.filter(
    (row) => (!isChangedOnly || isChanged(row)) && row.path.toLowerCase().includes(wanted),
  );
  const isKept = (row: Row) =>
    matching.includes(row) || (row.isOuter && matching.some(({ path }) => path.startsWith(`${row.path}.`)));
  const isOpen = ({ path }: Row) => ![...closed].some((outer) => path.startsWith(`${outer}.`));
  const shown = rows.filter((row) => isKept(row) && isOpen(row));
  const refused = expression === '' ? null : pinOf(expression, ids);

  const toggle = (path: string) =>
    setClosed((before) => {
      const after = new Set(before);
      if (!after.delete(path)) after.add(path);
      return after;
    });
  const pin = (one: Pin) => onPins([...pins.filter(({ text }) => text !== one.text), one]);
  return (
    <div className="state">
      <div className="search">
        <input
          type="search"
          aria-label="Filter the variables"
          placeholder="filter variables ..."
          value={filter}
          onChange={({ target }) => setFilter(target.value)}
        />
        <label>
          <input
            type="checkbox"
            checked={isChangedOnly}
            onChange={({ target }) => setChangedOnly(target.checked)}
          />{' '}
          changed only
        </label>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled with keys */}
      <section className="scroll" tabIndex={0} aria-label="Variables">
        <table className="state-table" style={{ minWidth: nameWidth + ids.length * columnWidth(ids) }}>
          <caption className="visually-hidden">
            State of every site at step {moments.numberOf(moment)}
          </caption>
          <thead>
            <tr>
              <th scope="col" style={{ width: `clamp(${nameWidth}px, 23%, 108px)` }}>
                <span className="visually-hidden">variable</span>
              </th>
              {ids.map((id) => (
                <th
                  key={id}
                  scope="col"
                  className={classesOf(moments, moment, id, id === mover, broken.has(id))}
                >
                  {id}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={row.path} className={row.group}>
                <th
                  scope={row.isOuter ? 'rowgroup' : 'row'}
                  colSpan={row.isOuter ? ids.length + 1 : 1}
                  title={row.path}
                  className={closed.has(row.path) && isChanged(row) ? 'changed' : undefined}
                  style={{ paddingLeft: 6 + row.depth * 10 }}
                >
                  {row.isOuter ? (
                    <button
                      type="button"
                      aria-expanded={!closed.has(row.path)}
                      onClick={() => toggle(row.path)}
                    >
                      {closed.has(row.path) ? '▸' : '▾'} {row.name}
                    </button>
                  ) : (
                    row.name
                  )}
                </th>
                {!row.isOuter &&
                  row.cells.map(({ now, before }, index) => (
                    <td key={ids[index]} className={now === before ? '' : 'changed'}>
                      <span className={now === 'null' ? 'null' : ''}>{now}</span>
                      {now !== before && (row.group !== 'network' || before !== '') && (
                        <del>{before === '' ? '(none)' : before}</del>
                      )}
                      {row.group !== 'network' && now !== '' && (
                        <PinButton text={`${ids[index]}.${row.path}`} ids={ids} pins={pins} onPin={pin} />
                      )}
                    </td>
                  ))}
              </tr>
            ))}
          </tbody>
        </table>
        {shown.length === 0 && (
          <p className="hint">
            {wanted === '' ? 'The last step changed nothing.' : 'No variable is like that.'}
          </p>
        )}
      </section>
      <form
        className="pins"
        onSubmit={(event) => {
          event.preventDefault();
          if (refused === null || typeof refused === 'string') return;
          pin(refused);
          setExpression('');
        }}
      >
        {pins.map((one) => (
          <button
            key={one.text}
            type="button"
            className="pin"
            onClick={() => onPins(pins.filter((other) => other !== one))}
          >
            <span className="visually-hidden">Remove </span>
            {one.text} <b>{one.valueIn(moments.site(one.site, moment))}</b> <span aria-hidden="true">×</span>
          </button>
        ))}
        <input
          type="text"
          aria-label="Pin an expression as a lane"
          placeholder={`pin: ${exampleOf(moments)}`}
          value={expression}
          onChange={({ target }) => setExpression(target.value)}
        />
        {typeof refused === 'string' && <output>{refused}</output>}
      </form>
    </div>
  );
}

interface PinButtonProps {
  readonly text: string;
  readonly ids: readonly string[];
  readonly pins: readonly Pin[];
  readonly onPin: (pin: Pin) => void;
}

function PinButton({ text, ids, pins, onPin }: PinButtonProps) {
  if (pins.some((pin) => pin.text === text)) return null;
  return (
    <button
      type="button"
      className="pin-it"
      tabIndex={-1}
      title={`Draw ${text} as a lane`}
      aria-label={`Pin ${text}`}
      onClick={() => {
        const pin = pinOf(text, ids);
        if (typeof pin !== 'string') onPin(pin);
      }}
    >
      ⌖
    </button>
  );
}

const nameWidth = 76;

/** The longest word of a site's name fits into its column. */
function columnWidth(ids: readonly string[]): number {
  return Math.max(74, ...ids.flatMap((id) => id.split(' ')).map((word) => word.length * 7.6 + 12));
}

function classesOf(
  moments: Moments,
  moment: number,
  id: string,
  isMover: boolean,
  isBroken: boolean,
): string {
  const state = moments.site(id, moment);
  return [
    isMover ? 'mover' : '',
    isBroken ? 'broken' : '',
    state.unseen ? 'unobserved' : '',
    isCritical(moments.timeline, state) ? 'inside' : '',
  ].join(' ');
}

function rowsOf(moments: Moments, moment: number): readonly Row[] {
  const ids = moments.timeline.sites.map(({ id }) => id);
  const now = ids.map((id) => moments.site(id, moment));
  const before = ids.map((id) => moments.site(id, Math.max(0, moment - 1)));
  const rows: Row[] = [];
  const row = (
    group: Row['group'],
    path: string,
    depth: number,
    textOf: (state: SiteState, index: number, at: number) => string,
  ): void => {
    const cells = now.map((state, index) => ({
      now: textOf(state, index, moment),
      before: textOf(before[index]!, index, Math.max(0, moment - 1)),
    }));
    rows.push({ group, path, name: path.split('.').at(-1)!, depth, isOuter: false, cells });
  };
  for (const key of keysOf([...now, ...before].map(({ value }) => regionsOf(value)))) {
    row('states', key, 0, (state) => (state.up ? (regionsOf(state.value)[key] ?? '') : 'down'));
  }
  addFields(rows, now.map(contextOf), before.map(contextOf), '', 0);
  if ([...now, ...before].some(({ timers }) => timers !== undefined)) {
    row('network', 'timers', 0, ({ timers }) => (timers ?? []).join(', '));
  }
  if ([...now, ...before].some(({ fault }) => fault !== undefined)) {
    row('network', 'fault', 0, ({ fault }) => fault ?? '');
  }
  addMessages(rows, moments, moment, ids);
  return rows;
}

/** Adds the fields of the values at one path, and below them their fields. */
function addFields(
  rows: Row[],
  now: readonly unknown[],
  before: readonly unknown[],
  path: string,
  depth: number,
): void {
  for (const key of keysOf([...now, ...before])) {
    if (path === '' && key === 'self') continue;
    const field = (value: unknown) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? Reflect.get(value, key)
        : undefined;
    const [nowBelow, beforeBelow] = [now.map(field), before.map(field)];
    const below = path === '' ? key : `${path}.${key}`;
    const isOuter = [...nowBelow, ...beforeBelow].some(isTree);
    const cells = nowBelow.map((value, index) => ({
      now: literal(value),
      before: literal(beforeBelow[index]),
    }));
    rows.push({ group: 'context', path: below, name: key, depth, isOuter, cells });
    if (isOuter) addFields(rows, nowBelow, beforeBelow, below, depth + 1);
  }
}

function keysOf(values: readonly unknown[]): readonly string[] {
  return [
    ...new Set(
      values.flatMap((value) => (typeof value === 'object' && value !== null ? Object.keys(value) : [])),
    ),
  ];
}

/** Maximum number of messages listed for one site. */
const listed = 12;

/** A row for each message that is on its way or was before the last step, in the order of sending. */
function addMessages(rows: Row[], moments: Moments, moment: number, ids: readonly string[]): void {
  const { messages } = moments.timeline;
  const now = new Set(moments.underWay(moment));
  const before = new Set(moments.underWay(Math.max(0, moment - 1)));
  // A message keeps its row at the step that ends it, so that no other seems to change.
  const indices = [...new Set([...before, ...now])].sort((one, other) => one - other);
  const to = ids.map((id) => indices.filter((index) => messages[index]!.target === id));
  const most = Math.max(0, ...to.map(({ length }) => length));
  for (let place = 0; place < Math.min(most, listed); place++) {
    const cells = to.map((own) => {
      const index = own[place];
      const text = index === undefined ? '' : messageText(messages[index]!);
      return {
        now: index !== undefined && now.has(index) ? text : '',
        before: index !== undefined && before.has(index) ? text : '',
      };
    });
    const name = `message ${place + 1}`;
    rows.push({ group: 'network', path: name, name, depth: 0, isOuter: false, cells });
  }
  if (most <= listed) return;
  const cells = to.map(({ length }) => {
    const text = length > listed ? `and ${length - listed} more` : '';
    return { now: text, before: text };
  });
  rows.push({ group: 'network', path: 'messages', name: 'messages', depth: 0, isOuter: false, cells });
}

function messageText({ source, message: { type, ...fields } }: Message): string {
  const params = Object.entries(fields).map(([key, value]) => `${key}: ${literal(value)}`);
  const text = params.length === 0 ? type : `${type}(${params.join(', ')})`;
  return source === null ? text : `${text} ← ${source}`;
}
