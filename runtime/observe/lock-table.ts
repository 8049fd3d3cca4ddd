import type { SiteId } from '../../machines/actor.ts';
import type { SiteLock } from '../../machines/watch.ts';
import type { LockHolder, LockReport, WaitingSite } from '../api/lock-report.ts';

/** The answer of one site. */
export interface SiteTable {
  readonly site: SiteId;
  readonly locks: readonly SiteLock[];
}

interface SiteRow extends SiteLock {
  readonly site: SiteId;
}

/** One report for each lock that a site tells of, by name. */
export function reportsOf(tables: readonly SiteTable[]): readonly LockReport[] {
  const byLock = new Map<string, SiteRow[]>();
  for (const { site, locks } of tables)
    for (const row of locks) {
      const rows = byLock.get(row.lock) ?? [];
      rows.push({ site, ...row });
      byLock.set(row.lock, rows);
    }
  return [...byLock]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([lock, rows]) => reportOf(lock, rows));
}

function reportOf(lock: string, rows: readonly SiteRow[]): LockReport {
  const epoch = Math.max(...rows.map((row) => row.epoch));
  const holders = rows.flatMap(({ site, held }): LockHolder[] => (held === null ? [] : [{ site, ...held }]));
  const current = rows.filter((row) => row.epoch === epoch && !row.frozen);
  const token = current.find((row) => row.token)?.site ?? null;
  // A holder that keeps the token in a new epoch keeps its fence, too.
  const isCurrent = ({ site, fence }: LockHolder) => fence.epoch === epoch || site === token;
  return {
    lock,
    epoch,
    holder: holders.find(isCurrent) ?? null,
    former: holders.filter((holder) => !isCurrent(holder)),
    token,
    queue: queueOf(rows, current),
    frozen: rows.filter(({ frozen }) => frozen).map(({ site }) => site),
    changedMs: Math.min(...rows.map(({ changedMs }) => changedMs)),
  };
}

/**
 * From the site with the token along the lines: a site's own line is served before what came behind it with the token. Then the
 * sites whose place is not known, the longest wait first.
 */
function queueOf(rows: readonly SiteRow[], current: readonly SiteRow[]): readonly WaitingSite[] {
  const inLine = new Set<SiteRow>();
  const serve = (row: SiteRow | undefined) => {
    if (row === undefined || inLine.has(row)) return;
    inLine.add(row);
    for (const id of row.line) serve(current.find(({ site }) => site === id));
  };
  serve(current.find(({ token }) => token));
  const waited = ({ waitedMs }: SiteRow) => waitedMs[0] ?? 0;
  const others = rows.filter((one) => !inLine.has(one)).toSorted((one, other) => waited(other) - waited(one));
  return [...inLine, ...others]
    .filter(({ waiting }) => waiting > 0)
    .map(({ site, waiting, waitedMs }) => ({ site, waiting, waitedMs }));
}
