import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosCluster } from './cluster.ts';
import { now } from './now.ts';
import { type Fault, faultInWords, type Pair, type ProcessFault, type Schedule } from './schedule.ts';

/**
 * Applies the faults of the schedule at their times. Resolves when the time is over, every site is up and all
 * sites reach each other again. `beforeRepair` comes before the last sites are started. Rejects with a `ChaosError`.
 */
export async function inflict(
  cluster: ChaosCluster,
  { faults, seconds, spares }: Schedule,
  signal: AbortSignal,
  beforeRepair: () => Promise<void> = async () => undefined,
) {
  const startAt = now();
  const failure = new AbortController();
  const given = AbortSignal.any([signal, failure.signal]);
  setMaxListeners(0, given);
  const wait = async (untilMs: number) => {
    await sleep(Math.max(0, startAt + untilMs - now()), undefined, { signal: given });
  };
  const under = [
    ...faults.map(async (fault) => {
      await wait(fault.atMs);
      cluster.fault(faultInWords(fault));
      await inflictOne(cluster, fault, given, () => wait(fault.atMs + ('forMs' in fault ? fault.forMs : 0)));
    }),
    wait(seconds * 1000),
  ];
  for (const one of under) one.catch((reason) => failure.abort(reason));
  // All faults are awaited, even when one has failed: none may start a site after this returns.
  await Promise.allSettled(under);
  await beforeRepair();
  signal.throwIfAborted();
  if (failure.signal.aborted) throw failure.signal.reason;
  await cluster.proxy.heal();
  for (const member of cluster.members.values()) {
    member.giveBack();
    member.continue();
  }
  await Promise.all(
    [...cluster.members.values()]
      .filter(({ isUp, isWanted }) => isWanted && !isUp)
      .map((member) => member.start()),
  );
  if (spares.length > 0) await cluster.operator.confirm(given);
  cluster.history.push({ type: 'quiet', at: now() });
}

async function inflictOne(
  cluster: ChaosCluster,
  fault: Fault,
  given: AbortSignal,
  over: () => Promise<void>,
): Promise<void> {
  const { proxy } = cluster;
  switch (fault.kind) {
    case 'reset':
      proxy.cut(...fault.pair, 'RST');
      return;
    case 'end':
      proxy.cut(...fault.pair, 'FIN');
      return;
    case 'mid-frame':
      proxy.cutAfter(...fault.pair, fault.bytes);
      return;
    case 'half-open':
      proxy.halfOpen(...fault.pair);
      await over();
      proxy.cut(...fault.pair, 'RST');
      return;
    case 'stall':
      return held(cluster, bothWays(fault.pair), over);
    case 'one-way':
      return held(cluster, [fault.pair], over);
    case 'delay':
      for (const pair of bothWays(fault.pair)) proxy.delay(...pair, fault.delayMs);
      await over();
      for (const pair of bothWays(fault.pair)) proxy.delay(...pair, 0);
      return;
    case 'loss':
      for (const [at, pair] of bothWays(fault.pair).entries())
        proxy.lose(...pair, fault.percent, fault.seed + at);
      await over();
      for (const pair of bothWays(fault.pair)) proxy.lose(...pair, 0, 0);
      return;
    case 'refuse':
      return refused(cluster, [fault.pair], over);
    case 'partition': {
      const { minority, how, forMs } = fault;
      const others = [...cluster.members.keys()].filter((site) => !minority.includes(site));
      const pairs = minority.flatMap((one) => others.map((other): Pair => [one, other]));
      const done =
        how === 'silent' ? held(cluster, pairs.flatMap(bothWays), over) : refused(cluster, pairs, over);
      // Messages that were under way have passed the proxy by now.
      const at = now();
      await done;
      cluster.history.push({ type: 'split', at, until: Math.min(now(), at + forMs), minority });
      return;
    }
    case 'add':
    case 'remove':
    case 'replace':
    case 'empty-disk':
    case 'old-copy':
    case 'late-start':
    case 'founders-apart':
      return cluster.operator.inflict(fault, over, given);
    default:
      return cluster.member(fault.site).alone(() => inflictOnProcess(cluster, fault, over));
  }
}

async function inflictOnProcess(
  cluster: ChaosCluster,
  fault: ProcessFault,
  over: () => Promise<void>,
): Promise<void> {
  const member = cluster.member(fault.site);
  // It was removed meanwhile.
  if (!member.isWanted) return;
  if (fault.kind !== 'stop') member.prepare();
  switch (fault.kind) {
    case 'stop':
      member.stop();
      await over();
      member.continue();
      return;
    case 'kill':
      await member.kill();
      await over();
      return member.start();
    case 'kill-diskless':
      await member.kill();
      await over();
      await member.workWithoutDisk(fault.forMs);
      return member.start();
    case 'terminate':
      await member.terminate();
      await over();
      return member.start();
    case 'disk-full':
    case 'no-descriptors':
      if (fault.kind === 'disk-full') member.fillDisk();
      else member.takeDescriptors();
      await over();
      member.giveBack();
      if (!member.isUp) await member.start();
      return;
    default:
      fault satisfies never;
  }
}

const bothWays = ([one, other]: Pair): readonly Pair[] => [
  [one, other],
  [other, one],
];

async function held(
  { proxy }: ChaosCluster,
  ways: readonly Pair[],
  over: () => Promise<void>,
): Promise<void> {
  for (const way of ways) proxy.hold(...way);
  await over();
  for (const way of ways) proxy.release(...way);
}

async function refused(
  { proxy }: ChaosCluster,
  pairs: readonly Pair[],
  over: () => Promise<void>,
): Promise<void> {
  const ways = pairs.flatMap(bothWays);
  await Promise.all(ways.map((way) => proxy.refuse(...way)));
  for (const pair of pairs) proxy.cut(...pair, 'RST');
  await over();
  await Promise.all(ways.map((way) => proxy.accept(...way)));
}
