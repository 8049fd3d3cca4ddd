import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Timing } from '../../runtime/index.ts';
import { type Judgement, judge, together } from '../../verification/runs/histories/judge.ts';
import type { Evidence } from '../../verification/runs/histories/rules.ts';
import { ChaosCluster, type Hooks, type Joining } from './cluster.ts';
import { inflict } from './faults.ts';
import { brokenByLies, type HostileFigures, HostileSite, whateverOneSays } from './hostile.ts';
import { historyOf } from './locks.ts';
import type { Pace } from './messages.ts';
import { now } from './now.ts';
import type { SitePool } from './processes.ts';
import { lateOf, type Schedule } from './schedule.ts';

/** Three times quicker than the defaults, so that a death is detected within a run of seconds. */
export const quickTiming: Timing = {
  heartbeatMs: 80,
  failureTimeoutMs: 400,
  suspectMinMs: 5,
  suspectMaxMs: 30,
  electionMinMs: 50,
  electionMaxMs: 1_000,
  patienceMs: 5_000,
  forgetAfterMs: 60_000,
};

const pace: Pace = { pauseMs: 40, holdMs: 8, cancelPercent: 10, patienceMs: 80 };
const clientsOfASite = 2;
/** A bound in ms that a busy machine keeps too. */
export const servedMs = 10_000;
/** A liar can send requests in circles, which are missed by the patience of the site that waits; then its successor joins. */
const servedAfterLiesMs = 20_000;
/** Silence, a heartbeat that was under way, and the slowness of a busy machine. */
export const detectMsOf = ({ failureTimeoutMs, heartbeatMs }: Timing): number =>
  failureTimeoutMs + heartbeatMs + 300;

export interface ChaosRun {
  readonly schedule: Schedule;
  readonly evidence: Evidence;
  readonly judgement: Judgement;
  /** Totals of the sites that were up at the end: messages by type, and the number of candidacies. */
  readonly sent: Readonly<Record<string, number>>;
  readonly suspicions: number;
  readonly seconds: number;
  /** `null`: no member lied. */
  readonly lies: (HostileFigures & { readonly broken: number }) | null;
}

export interface RunOptions extends Hooks, Joining {
  readonly schedule: Schedule;
  readonly pool: SitePool;
  readonly signal: AbortSignal;
  /** Default: `quickTiming`. */
  readonly timing?: Timing;
}

/** One schedule on processes, judged. Rejects with a `ChaosError`, or the signal's reason. */
export async function runChaos({
  schedule,
  pool,
  signal,
  timing = quickTiming,
  ...hooks
}: RunOptions): Promise<ChaosRun> {
  const started = now();
  const dir = mkdtempSync(join(tmpdir(), 'baton-chaos-'));
  const { sites, spares, clientSeeds, rates } = schedule;
  const cluster = new ChaosCluster({
    sites,
    spares,
    late: lateOf(schedule),
    rates,
    dir,
    pool,
    timing,
    ...hooks,
  });
  const locks = [...cluster.resources.keys()];
  const within = hooks.hostile ? servedAfterLiesMs : servedMs;
  try {
    await orAborted(signal, cluster.open());
    for (const [site, member] of cluster.members) {
      member.work((life) => {
        const seed = (clientSeeds[site]! + 1_000 * life) >>> 0;
        return { type: 'work', seed, locks, clients: clientsOfASite, pace };
      });
    }
    const liar = hooks.hostile ? await HostileSite.begin(cluster, sites[0]!, schedule.seed) : null;
    // The process of the liar cannot be stopped or killed: it has none.
    const faults = schedule.faults.filter((fault) => !('site' in fault && fault.site === liar?.site));
    let lies: HostileFigures | null = null;
    await inflict(cluster, { ...schedule, faults }, signal, async () => {
      lies = (await liar?.end()) ?? null;
    });
    const rested = await settle(cluster, signal, within);
    const history = [...cluster.history];
    const evidence = [...cluster.resources].map(([lock, resource]) => ({
      history: historyOf(lock, history),
      ledger: resource.ledger(),
      servedMs: within,
      detectMs: detectMsOf(timing) / Math.min(1, ...Object.values(rates)),
      membersChange: spares.length > 0,
    }));
    const judged = together(evidence.map(judge));
    return {
      schedule,
      evidence: { ...evidence[0]!, history },
      judgement: lies === null ? judged : whateverOneSays(judged),
      lies: lies === null ? null : { ...(lies as HostileFigures), broken: brokenByLies(judged) },
      ...rested,
      seconds: (now() - started) / 1000,
    };
  } finally {
    await cluster.end();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The result of `work`, unless the signal aborts first: then it rejects with the signal's reason. */
export async function orAborted<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  let give = () => {};
  const given = new Promise<never>((_, reject) => {
    give = () => reject(signal.reason);
    signal.addEventListener('abort', give, { once: true });
    if (signal.aborted) give();
  });
  try {
    return await Promise.race([work, given]);
  } finally {
    signal.removeEventListener('abort', give);
  }
}

/** Waits until every client was served once more, and then until no client waits. */
async function settle(cluster: ChaosCluster, signal: AbortSignal, withinMs: number) {
  const members = [...cluster.members.values()].filter(({ isWanted }) => isWanted);
  const quietAt = cluster.history.findLast(({ type }) => type === 'quiet')!.at;
  const served = () => {
    signal.throwIfAborted();
    const sites = new Set<string>();
    for (const entry of cluster.history)
      if (entry.type === 'grant' && entry.at > quietAt) sites.add(entry.site);
    return members.every(({ site }) => sites.has(site));
  };
  await cluster.until(served, withinMs + 500);
  const rested = await Promise.all(members.map((member) => member.rest(withinMs + 500)));
  cluster.fault('none any more: the run is over');
  const sent: Record<string, number> = {};
  let suspicions = 0;
  for (const answer of rested) {
    if (answer === null) continue;
    suspicions += answer.counters.suspicions;
    for (const [type, count] of Object.entries(answer.counters.sent)) sent[type] = (sent[type] ?? 0) + count;
  }
  return { sent, suspicions };
}
