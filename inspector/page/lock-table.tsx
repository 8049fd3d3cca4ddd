import { useEffect, useRef, useState } from 'react';
import type { LockReport, LockTable as Locks, SeenLock, SiteMembers } from '../protocol.ts';
import { type Data, textOf } from './data.ts';
import {
  type Direction,
  type LockFilter,
  longestWait,
  type Order,
  orders,
  queueText,
  shownLocks,
  sitesOf,
} from './lock-order.ts';
import { MembersBar } from './members-bar.tsx';
import { durationText } from './time.ts';

interface LockTableProps {
  readonly data: Data;
  readonly onLock: (lock: string) => void;
  readonly onClose: () => void;
}

const everyMs = 1_000;

const columns: readonly (readonly [Order, string])[] = [
  ['name', 'lock'],
  ['holder', 'holder'],
  ['held', 'held for'],
  ['waited', 'waiting'],
  ['epoch', 'epoch'],
  ['changed', 'last change'],
];

/** All locks of a running cluster: the holder and the queue of each, again every second. */
export function LockTable({ data, onLock, onClose }: LockTableProps) {
  const [text, setText] = useState('');
  const [isWaited, setWaited] = useState(false);
  const [site, setSite] = useState<string | null>(null);
  const [[order, direction], setOrder] = useState<readonly [Order, Direction]>([
    'waited',
    orders.waited.first,
  ]);
  const [reports, setReports] = useState<Locks | null>(null);
  const [members, setMembers] = useState<readonly SiteMembers[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  const dialog = useRef<HTMLDialogElement>(null);

  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let isOver = false;
    const read = async () => {
      try {
        const [read, sites] = await Promise.all([data.table(text), data.members()]);
        if (isOver) return;
        setReports(read);
        setMembers(sites);
        setProblem(null);
      } catch (error) {
        if (!isOver) setProblem(textOf(error));
      }
      if (!isOver) timer = setTimeout(read, everyMs);
    };
    void read();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [data, text]);

  const filter: LockFilter = { order, direction, isWaited, site };
  const rows = shownLocks(reports?.locks ?? [], filter);
  const seen = shownLocks(reports?.lastSeen ?? [], filter);
  const engaged = (reports?.locks ?? []).flatMap(sitesOf);
  const sites = [...new Set(site === null ? engaged : [...engaged, site])].sort();
  /** The other direction, if the table is ordered by this column already. */
  const orderBy = (by: Order) => {
    const other = direction === 'ascending' ? 'descending' : 'ascending';
    setOrder([by, by === order ? other : orders[by].first]);
  };
  return (
    <dialog ref={dialog} className="lock-table" aria-label="All locks" onClose={onClose}>
      <header>
        <h2>All locks</h2>
        <input
          type="search"
          aria-label="Locks whose names contain"
          placeholder="name contains ..."
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
        <label>
          <input type="checkbox" checked={isWaited} onChange={({ target }) => setWaited(target.checked)} />
          waited for
        </label>
        <select
          aria-label="Locks that this site holds or waits for"
          value={site ?? ''}
          onChange={({ target }) => setSite(target.value === '' ? null : target.value)}
        >
          <option value="">of all sites</option>
          {sites.map((id) => (
            <option key={id} value={id}>
              held or waited for by {id}
            </option>
          ))}
        </select>
        <output>
          {rows.length.toLocaleString('en')}
          {reports?.more && ' and more'}
          {seen.length > 0 && `, and ${seen.length.toLocaleString('en')} last seen`}
        </output>
        <button type="button" aria-label="Close" onClick={() => dialog.current?.close()}>
          ✕
        </button>
      </header>
      {[...(problem === null ? [] : [problem]), ...(reports?.silent ?? []).map(silence)].map((line) => (
        <p key={line} className="silent">
          {line}
        </p>
      ))}
      <MembersBar sites={members} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard must reach it */}
      <section className="scroll" tabIndex={0} aria-label="Table of locks">
        <table>
          <thead>
            <tr>
              {columns.map(([key, title]) => (
                <th key={key} scope="col" aria-sort={order === key ? direction : 'none'}>
                  <button type="button" onClick={() => orderBy(key)}>
                    {title}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={row.lock} row={row} isPartial={(reports?.silent.length ?? 0) > 0} onLock={onLock} />
            ))}
            {seen.map((row) => (
              <SeenRow key={row.lock} row={row} onLock={onLock} />
            ))}
          </tbody>
        </table>
        {rows.length + seen.length === 0 && (
          <p className="hint">{reports === null ? 'Asking ...' : 'No lock is like that.'}</p>
        )}
      </section>
    </dialog>
  );
}

function silence({ url, reason }: Locks['silent'][number]): string {
  return `no answer from ${url}: ${reason}`;
}

interface RowProps {
  readonly row: LockReport;
  /** Some site does not answer. It may hold the lock. */
  readonly isPartial: boolean;
  readonly onLock: (lock: string) => void;
}

function Row({ row, isPartial, onLock }: RowProps) {
  const { lock, holder, former, token, epoch, changedMs } = row;
  return (
    <tr data-lock={lock} className={longestWait(row) < 0 ? '' : 'waited'}>
      <th scope="row">
        <button type="button" onClick={() => onLock(lock)}>
          {lock}
        </button>
      </th>
      <td>
        {holder === null ? (
          <i>
            {token !== null
              ? `free, at ${token}`
              : isPartial
                ? 'not known: a site is silent'
                : 'token under way'}
          </i>
        ) : (
          <b>{holder.site}</b>
        )}
        {former.map(({ site, fence }) => (
          <small key={site}>
            {site}, still in epoch {fence.epoch}
          </small>
        ))}
      </td>
      <td>{holder === null ? '' : durationText(holder.heldMs)}</td>
      <td className="queue">{queueText(row)}</td>
      <td className="epoch">{epoch}</td>
      <td className="changed">{durationText(changedMs)} ago</td>
    </tr>
  );
}

/** A lock that no site tells of any more while a site is silent, as it was. */
function SeenRow({ row, onLock }: { readonly row: SeenLock; readonly onLock: (lock: string) => void }) {
  const { lock, holder, token, epoch, changedMs, seenMs } = row;
  return (
    <tr
      data-lock={lock}
      className="seen"
      title="No site that answers tells of this lock. It is shown as it was."
    >
      <th scope="row">
        <button type="button" onClick={() => onLock(lock)}>
          {lock}
        </button>
      </th>
      <td>
        {holder?.site ?? <i>{token === null ? 'token under way' : `free, at ${token}`}</i>}
        <small>last seen {durationText(seenMs)} ago</small>
      </td>
      <td>{holder === null ? '' : durationText(holder.heldMs)}</td>
      <td className="queue">{queueText(row)}</td>
      <td className="epoch">{epoch}</td>
      <td className="changed">{durationText(changedMs + seenMs)} ago</td>
    </tr>
  );
}
