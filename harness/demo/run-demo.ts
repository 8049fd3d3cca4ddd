import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LiveView } from '../../cli/output.ts';
import { check, type Report } from '../../verification/check/check.ts';
import { systems } from '../../verification/protocols/systems.ts';
import { replay } from '../../verification/runs/replay.ts';
import { Cluster, ClusterError } from './cluster.ts';
import { judgeLedger } from './ledger.ts';
import type { Figures } from './messages.ts';
import { counterOf, createResource, ledgerOf } from './resource.ts';
import { liveLine, liveScreen } from './text.ts';
import { type Evidence, judge, type Verdict } from './verdict.ts';

/** Numbers of sites with which the statechart is checked. */
const checkedSites = [2, 3];
/** A saturated cluster in which no site enters for this long is stuck. */
const stuckAfterMs = 10_000;

export interface DemoOptions {
  readonly sites: number;
  readonly seconds: number;
  /** Directory in which the record stays. Default: it is removed. */
  readonly trace?: string;
  readonly signal: AbortSignal;
  /** Called with the phase that begins. */
  readonly say: (text: string) => void;
  readonly live: LiveView;
  /**
   * Called with the addresses at which the sites may be watched, before they begin. Its result is called when
   * they have left.
   */
  readonly watched?: (urls: readonly string[]) => Promise<() => Promise<void>>;
}

/**
 * Runs the sites, then judges the evidence: the ledger, the counter, the recorded run, and the model of the
 * statechart that ran.
 *
 * @throws `ClusterError` when a site process fails or the sites get stuck; the signal's reason.
 */
export async function runDemo(options: DemoOptions): Promise<Verdict> {
  const scratch = mkdtempSync(join(tmpdir(), 'baton-demo-'));
  // Also if the process ends in the middle. The site processes notice that by themselves.
  const remove = () => rmSync(scratch, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    const trace = options.trace ?? join(scratch, 'trace');
    mkdirSync(trace, { recursive: true });
    const run = await runSites(options, scratch, trace);
    options.say(
      `holds the record against the model, and checks the model for ${checkedSites.join(', ')} sites`,
    );
    const started = performance.now();
    const report = replay(trace);
    const replayed = { ...report, seconds: (performance.now() - started) / 1000 };
    return judge({ ...run, replay: replayed, model: await checkModel(options.signal) });
  } finally {
    process.off('exit', remove);
    remove();
  }
}

async function runSites(
  { sites: count, seconds, signal, say, live, watched }: DemoOptions,
  resource: string,
  trace: string,
): Promise<Omit<Evidence, 'replay' | 'model'>> {
  const sites = Array.from({ length: count }, (_, index) => String.fromCharCode(97 + index));
  createResource(resource);
  const tell = (text: string) => {
    live.clear();
    say(text);
  };
  const cluster = new Cluster({
    sites,
    resource,
    trace,
    isWatched: watched !== undefined,
    signal,
    say: tell,
  });
  let unwatch: (() => Promise<void>) | undefined;
  try {
    say(`starts ${count} sites, each a process of its own`);
    const urls = await cluster.open();
    unwatch = await watched?.(urls);
    say(`all are connected over TCP on 127.0.0.1; each takes the lock again and again for ${seconds} s`);
    if (watched !== undefined) say(`kill one, and see what the others do: ${killText(cluster.pids)}`);
    const started = performance.now();
    cluster.start();
    await watch(cluster, seconds, signal, live);
    const elapsed = (performance.now() - started) / 1000;
    if (!cluster.hasMajority)
      throw new ClusterError(
        `killed: ${cluster.killed.join(', ')}; no majority is left, so nothing is judged`,
      );
    const counted = await cluster.leave();
    live.clear();
    const { killed } = cluster;
    return {
      sites,
      killed,
      seconds: elapsed,
      figures: cluster.figures,
      counted,
      ledger: judgeLedger(readFileSync(ledgerOf(resource), 'utf8'), sites, killed),
      counter: readFileSync(counterOf(resource), 'utf8').trim(),
    };
  } finally {
    await unwatch?.();
    await cluster.end();
  }
}

async function watch(cluster: Cluster, seconds: number, signal: AbortSignal, live: LiveView): Promise<void> {
  const started = performance.now();
  let [known, since] = [0, started];
  for (;;) {
    const now = performance.now();
    const elapsed = (now - started) / 1000;
    if (elapsed >= seconds) return;
    await sleep(Math.min(100, (seconds - elapsed) * 1000), undefined, { signal });
    if (cluster.failure !== null) throw new ClusterError(cluster.failure);
    const { figures } = cluster;
    const total = sections(figures);
    if (total > known) [known, since] = [total, now];
    if (now - since > stuckAfterMs && cluster.hasMajority)
      throw new ClusterError(`nobody has entered for ${stuckAfterMs / 1000} s`);
    live.update(
      () => liveScreen(figures, elapsed, seconds),
      () => liveLine(figures, elapsed, seconds),
    );
  }
}

function killText(pids: Readonly<Record<string, number>>): string {
  return Object.entries(pids)
    .map(([site, pid]) => `kill -9 ${pid} (${site})`)
    .join(', ');
}

function sections(figures: Readonly<Record<string, Figures>>): number {
  return Object.values(figures).reduce((sum, { criticalSections }) => sum + criticalSections, 0);
}

async function checkModel(signal: AbortSignal): Promise<Report[]> {
  const reports: Report[] = [];
  for (const sites of checkedSites) {
    reports.push(await check(systems['epoch']!({ sites, network: { order: 'fifo' } }), { signal }));
  }
  return reports;
}
