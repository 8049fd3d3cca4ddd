import type { Report } from '../../verification/check/check.ts';
import type { ReplayReport } from '../../verification/runs/replay.ts';
import type { LedgerReport } from './ledger.ts';
import type { Figures } from './messages.ts';

/** The evidence that a run of the demo left. */
export interface Evidence {
  readonly sites: readonly string[];
  /** The sites that somebody killed to see what the others do. */
  readonly killed: readonly string[];
  /** From `start` to `stop`. */
  readonly seconds: number;
  /** From `start` to `stop`, by site. */
  readonly figures: Readonly<Record<string, Figures>>;
  /** The number of critical sections to the end, as each site that was not killed counted them. */
  readonly counted: Readonly<Record<string, number>>;
  readonly ledger: LedgerReport;
  /** Final value of the unprotected counter. */
  readonly counter: string;
  readonly replay: ReplayReport & { readonly seconds: number };
  readonly model: readonly Report[];
}

export interface Verdict {
  readonly sites: number;
  readonly killed: Evidence['killed'];
  readonly seconds: number;
  readonly criticalSections: {
    readonly total: number;
    readonly perSecond: number;
    readonly bySite: Readonly<Record<string, number>>;
  };
  readonly messages: {
    readonly sent: Readonly<Record<string, number>>;
    readonly perCriticalSection: number;
    /** 4 - 6/(n+1): the cost of the published algorithm where every site asks again at once (docs/protocol.md). */
    readonly published: number;
  };
  readonly fairness: {
    readonly least: number;
    readonly most: number;
    /** Maximum number of other sites' critical sections between two of one site. */
    readonly longestWait: number;
  };
  readonly overlaps: number;
  readonly replay: Evidence['replay'];
  readonly model: readonly Report[];
  /** The checks that failed; empty when all passed. */
  readonly failures: readonly string[];
  readonly held: boolean;
}

export function judge(evidence: Evidence): Verdict {
  const { sites, killed, seconds, figures, ledger, replay, model } = evidence;
  const sections = Object.values(figures).reduce((sum, { criticalSections }) => sum + criticalSections, 0);
  const sent = sumByType(Object.values(figures).map((figure) => figure.sent));
  const messages = Object.values(sent).reduce((sum, count) => sum + count, 0);
  const bySite = Object.values(ledger.criticalSections);
  const failures = failuresOf(evidence);
  return {
    sites: sites.length,
    killed,
    seconds,
    criticalSections: {
      total: ledger.total,
      perSecond: sections / seconds,
      bySite: ledger.criticalSections,
    },
    messages: { sent, perCriticalSection: messages / sections, published: saturated(sites.length) },
    fairness: { least: Math.min(...bySite), most: Math.max(...bySite), longestWait: ledger.longestWait },
    overlaps: ledger.overlaps,
    replay,
    model,
    failures,
    held: failures.length === 0,
  };
}

export function saturated(sites: number): number {
  return 4 - 6 / (sites + 1);
}

function failuresOf({ sites, killed, counted, ledger, counter, replay, model }: Evidence): string[] {
  const failures: string[] = [];
  if (ledger.overlaps > 0) failures.push(`${ledger.overlaps} overlaps; the first: ${ledger.firstOverlap}`);
  failures.push(...ledger.defects.map((defect) => `the ledger is damaged: ${defect}`));
  // A site that was killed inside may have written the counter before its end, or not.
  const least = ledger.total - ledger.cutShort.length;
  if (!(Number(counter) >= least && Number(counter) <= ledger.total)) {
    failures.push(`the shared counter came to ${counter}, not ${ledger.total}: two sites wrote at once`);
  }
  for (const site of sites.filter((one) => !killed.includes(one))) {
    const [written, said] = [ledger.criticalSections[site], counted[site]];
    if (written === 0) failures.push(`site ${site} never entered`);
    if (written !== said)
      failures.push(`site ${site} had ${said} critical sections, the ledger shows ${written}`);
  }
  failures.push(...replayFailures(replay, killed.length > 0 ? null : ledger.total));
  for (const report of model) {
    for (const { name, verdict } of report.properties) {
      if (verdict !== 'holds') failures.push(`the model of ${report.sites} sites: ${name}: ${verdict}`);
    }
  }
  return failures;
}

/** `entered` is null if a site was killed: its record ends before its ledger, and messages to it are lost. */
function replayFailures({ accepted, refusal, locks }: ReplayReport, entered: number | null): string[] {
  if (!accepted) return [`the record is refused at ${refusal!.file}:${refusal!.line}: ${refusal!.reason}`];
  const [lock, ...others] = locks;
  if (lock === undefined || others.length > 0) return [`the record is of ${locks.length} locks, not of one`];
  if (entered === null) return [];
  const failures: string[] = [];
  if (lock.criticalSections !== entered) {
    failures.push(`the record has ${lock.criticalSections} critical sections, not ${entered}`);
  }
  if (lock.underWay.length > 0)
    failures.push(`${lock.underWay.length} messages were sent and never received`);
  return failures;
}

function sumByType(all: readonly Figures['sent'][]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const sent of all) {
    for (const [type, count] of Object.entries(sent)) sum[type] = (sum[type] ?? 0) + count;
  }
  return sum;
}
