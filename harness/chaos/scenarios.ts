import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Timing } from '../../runtime/index.ts';
import { defaultTiming } from '../../runtime/options/schema.ts';
import type { Grant } from '../../verification/runs/histories/history.ts';
import { type Judgement, judge } from '../../verification/runs/histories/judge.ts';
import { of } from '../../verification/runs/histories/rules.ts';
import { ChaosCluster, type ClusterOptions, type Hooks } from './cluster.ts';
import { mainLock } from './locks.ts';
import { now } from './now.ts';
import { ChaosError, type SitePool } from './processes.ts';
import { detectMsOf, servedMs } from './run.ts';
import { type Schedule, scheduleOf, siteNames } from './schedule.ts';

/* Single faults with a known outcome. */

export interface ScenarioOptions extends Hooks {
  readonly pool: SitePool;
  /** Default: the runtime's own. */
  readonly timing?: Timing;
}

const sites = siteNames(3);

export interface Failovers {
  /** Milliseconds from the SIGKILL of the holder to the grant of the waiting site, one for each round. */
  readonly times: readonly number[];
  /** Number of grants to the waiter without a kill: an election went without the live holder. */
  readonly robbed: number;
  /** True if every fence was higher than that of the dead holder. */
  readonly fencesRose: boolean;
  readonly judgement: Judgement;
}

/**
 * Kills the holder with SIGKILL while another site waits, then starts it again with its data. With `kernel`
 * the port of the dead process is closed; with `nobody` every byte sent to it is dropped.
 */
export function killedHolder(rounds: number, answers: 'kernel' | 'nobody', options: ScenarioOptions) {
  return withCluster({ ...options, direct: answers === 'kernel' }, async (cluster): Promise<Failovers> => {
    const times: number[] = [];
    let fencesRose = true;
    let robbed = 0;
    for (let round = 0; round < rounds; round++) {
      const [holder, waiter] = [sites[round % 3]!, sites[(round + 1) % 3]!];
      const [held, wanted] = [`${holder}.${round}.held`, `${waiter}.${round}.wanted`];
      const before = await taken(cluster, holder, held);
      await cluster.until(() => cluster.has('acknowledged', held), servedMs);
      cluster.member(waiter).tell({ type: 'take', section: wanted });
      // Until the request has come to the holder, wherever it went.
      if ((await cluster.granted(wanted, 100)) === null) {
        const after = await killedWhile(cluster, holder, answers, () => cluster.granted(wanted, servedMs));
        if (after.grant === null) failed(`${waiter} was never granted (${wanted})`);
        times.push(after.grant.at - after.killedAt);
        fencesRose &&= after.grant.fence.epoch > before.fence.epoch;
      } else robbed++;
      cluster.drop(holder, held);
      cluster.drop(waiter, wanted);
      await everybodyUsed(cluster);
    }
    return { times, robbed, fencesRose, judgement: judged(cluster) };
  });
}

/** Kills `holder`, and starts it again once `next` has resolved. */
async function killedWhile(
  cluster: ChaosCluster,
  holder: string,
  answers: 'kernel' | 'nobody',
  next: () => Promise<Grant | null>,
) {
  const { proxy } = cluster;
  const others = sites.filter((site) => site !== holder);
  const ways = others.flatMap((other) => [[holder, other] as const, [other, holder] as const]);
  if (answers === 'nobody') for (const way of ways) proxy.hold(...way);
  cluster.fault(`kill ${holder}`);
  cluster.member(holder).prepare();
  const killedAt = now();
  const killed = cluster.member(holder).kill();
  const grant = await next();
  await killed;
  if (answers === 'nobody') for (const way of ways) proxy.release(...way);
  await cluster.member(holder).start();
  return { killedAt, grant };
}

export interface Stopped {
  /** Number of its writes that the gate refused. */
  readonly refused: number;
  /** Time in ms from the SIGSTOP to the grant at another site. */
  readonly nextHadItMs: number;
  /** Time in ms from the SIGCONT until the holder knew of its loss. Null: never. */
  readonly knewMs: number | null;
  /** Time in ms from its next request to the grant. */
  readonly servedAgainMs: number;
  readonly judgement: Judgement;
}

/** Stops the holder while others go on. Then it continues and writes at once, as if it still had the lock. */
export function stoppedHolder(stopMs: number, options: ScenarioOptions): Promise<Stopped> {
  return withCluster(options, async (cluster) => {
    const [holder, other, third] = sites as [string, string, string];
    await taken(cluster, holder, 'a.held');
    await cluster.until(() => cluster.has('acknowledged', 'a.held'), servedMs);
    cluster.fault(`stop ${holder}`);
    const stoppedAt = now();
    cluster.member(holder).stop();
    const next = await taken(cluster, other, 'b.next');
    cluster.drop(other, 'b.next');
    await used(cluster, third, 'c.next');
    await sleep(Math.max(0, stoppedAt + stopMs - now()));
    // It finds this when it continues, before any message from the network.
    cluster.drop(holder, 'a.held');
    cluster.fault(`continue ${holder}`);
    const continuedAt = now();
    cluster.member(holder).continue();
    await cluster.until(() => cluster.has('lost', 'a.held') || cluster.has('release', 'a.held'), servedMs);
    const lost = cluster.history.find((entry) => entry.type === 'lost' && entry.section === 'a.held');
    const askedAt = now();
    const again = await taken(cluster, holder, 'a.again');
    cluster.drop(holder, 'a.again');
    await cluster.until(() => cluster.has('release', 'a.again'), servedMs);
    return {
      refused: of(cluster.history, 'write').filter((write) => write.section === 'a.held' && !write.accepted)
        .length,
      nextHadItMs: next.at - stoppedAt,
      knewMs: lost === undefined ? null : lost.at - continuedAt,
      servedAgainMs: again.at - askedAt,
      judgement: judged(cluster),
    };
  });
}

/**
 * Sends a token to a site whose restart the sender has not heard of. The token is lost with the earlier
 * incarnation, and no other site knows. Returns the milliseconds that the site waited for the lock; `null`
 * when it was not granted.
 */
export function tokenForAnEarlierLife(options: ScenarioOptions): Promise<number | null> {
  return withCluster(options, async (cluster) => {
    const [first, sender, restarted] = sites as [string, string, string];
    const { proxy } = cluster;
    // From here on the messages between these two wait; each hears of the other through the first site alone.
    await Promise.all([proxy.refuse(sender, restarted), proxy.refuse(restarted, sender)]);
    proxy.cut(sender, restarted, 'RST');
    await taken(cluster, restarted, 'c.lost');
    await cluster.member(restarted).kill();
    await cluster.member(restarted).start();
    await noticed(cluster, first, `${restarted} is restarted`);
    await used(cluster, first, 'a.elects');
    await noticed(cluster, restarted, 'adopted');
    await used(cluster, sender, 'b.idle');
    cluster.member(restarted).tell({ type: 'take', section: 'c.wanted' });
    await sleep(200);
    await proxy.heal();
    const askedAt = cluster.history.findLast((entry) => entry.type === 'ask')!.at;
    const granted = await cluster.granted('c.wanted', servedMs);
    return granted && granted.at - askedAt;
  });
}

/** Cuts off one site silently for `splitMs`, while all sites want the lock. Then the link is repaired. */
export function minoritySchedule(splitMs: number): Schedule {
  const faults = [
    { kind: 'partition', atMs: 300, minority: [sites[0]!], how: 'silent', forMs: splitMs },
  ] as const;
  return { ...calm(0.3 + splitMs / 1000), faults };
}

/** Every connection is reset every `everyMs`. */
export function resetsSchedule(seconds: number, everyMs: number): Schedule {
  const pairs = sites.flatMap((one, index) => sites.slice(index + 1).map((other) => [one, other] as const));
  const moments = Array.from(
    { length: Math.floor((seconds * 1000) / everyMs) },
    (_, index) => index * everyMs,
  );
  const faults = moments.flatMap((atMs) => pairs.map((pair) => ({ kind: 'reset', atMs, pair }) as const));
  return { ...calm(seconds), faults };
}

/** A schedule without faults. */
export function calm(seconds: number): Schedule {
  return { ...scheduleOf({ seed: 1, sites: sites.length, seconds }), faults: [] };
}

async function withCluster<T>(
  { pool, timing = defaultTiming, ...more }: ScenarioOptions & Pick<ClusterOptions, 'direct'>,
  work: (cluster: ChaosCluster) => Promise<T>,
): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'baton-chaos-'));
  const cluster = new ChaosCluster({ sites, dir, pool, timing, ...more });
  try {
    await cluster.open();
    await everybodyUsed(cluster);
    return await work(cluster);
  } finally {
    await cluster.end();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function noticed(cluster: ChaosCluster, site: string, what: string): Promise<void> {
  const said = () =>
    cluster.history.some(
      (entry) => entry.type === 'notice' && entry.site === site && entry.what.startsWith(what),
    );
  if (!(await cluster.until(said, servedMs))) failed(`${site} did not notice: ${what}`);
}

async function taken(cluster: ChaosCluster, site: string, section: string) {
  return (await cluster.take(site, section, servedMs)) ?? failed(`${site} was not served (${section})`);
}

/** Makes every link exist: each site has had the token from each other one. */
async function everybodyUsed(cluster: ChaosCluster): Promise<void> {
  for (const site of [...sites, ...sites.toReversed()]) await used(cluster, site, `${site}.${now()}`);
}

/** A critical section from its ask to its release. */
async function used(cluster: ChaosCluster, site: string, section: string): Promise<void> {
  await taken(cluster, site, section);
  cluster.drop(site, section);
  if (!(await cluster.until(() => cluster.has('release', section), servedMs))) {
    failed(`${site} did not release (${section})`);
  }
}

function judged(cluster: ChaosCluster): Judgement {
  return judge({
    history: [...cluster.history],
    ledger: cluster.resources.get(mainLock)!.ledger(),
    servedMs,
    detectMs: detectMsOf(defaultTiming),
  });
}

function failed(what: string): never {
  throw new ChaosError(what);
}
