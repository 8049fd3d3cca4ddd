import { describe, test } from 'vitest';
import type { SiteId } from '../../machines/actor.ts';
import { Simulation } from '../testing/simulation.ts';

async function opened(sites: number, seed = 1, voters?: readonly SiteId[]): Promise<Simulation> {
  const simulation = new Simulation({ sites, seed, ...(voters && { voters }) });
  await simulation.openAll();
  await simulation.settle();
  return simulation;
}

/** Each of `ids` takes the lock again and again, until told to stop; by crashes and losses too. */
function clients(simulation: Simulation) {
  const served = new Map<SiteId, number>();
  let working = true;
  const sleep = (ms: number) => new Promise<void>((resolve) => simulation.clock.after(ms, resolve));
  const work = async (id: SiteId) => {
    const site = simulation.sites.get(id)!;
    while (working && simulation.sites.get(id) === site) {
      const held = await site.place.lock.acquire().catch(() => null);
      if (!held) return;
      await sleep(simulation.random() * 20);
      if (!held.signal.aborted) served.set(id, (served.get(id) ?? 0) + 1);
      held.release();
      await sleep(simulation.random() * 40);
    }
  };
  return { served, work, stop: () => (working = false) };
}

async function ordeal(sites: number, seed: number, steps: number): Promise<Simulation> {
  const simulation = await opened(sites, seed);
  const { ids, random, clock, hub } = simulation;
  const { served, work, stop } = clients(simulation);
  for (const id of ids) void work(id);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  for (let step = 0; step < steps; step++) {
    const chance = random();
    const pending = simulation.pending();
    if (chance < 0.75 && pending.length > 0) hub.deliver(pick(pending));
    else if (chance < 0.97) clock.tick();
    else if (chance < 0.98) simulation.cut(pick(ids), pick(ids.slice(1)));
    else if (chance < 0.985) simulation.healAll();
    else {
      const id = pick(ids);
      if (simulation.sites.has(id)) simulation.crash(id);
      else {
        await simulation.open(id);
        void work(id);
      }
    }
    await Promise.resolve();
    await Promise.resolve();
    simulation.check();
  }
  simulation.healAll();
  for (const id of ids) {
    if (simulation.sites.has(id)) continue;
    await simulation.open(id);
    void work(id);
  }
  const before = new Map(served);
  await simulation.run(10_000);
  const waiting = ids.filter((id) => (served.get(id) ?? 0) <= (before.get(id) ?? 0) + 5);
  if (waiting.length > 0) throw new Error(`${waiting.join(', ')} wait though nothing fails any more`);
  stop();
  return simulation;
}

describe('whatever fails, and in whatever order', () => {
  test.each([
    [3, 40],
    [5, 20],
  ])('%i sites keep every promise, and all are served when it is over', async (sites, seeds) => {
    for (let seed = 1; seed <= seeds; seed++) {
      await ordeal(sites, seed, 2_000).catch((error: Error) => {
        throw new Error(`seed ${seed}: ${error.message}`, { cause: error });
      });
    }
  });
});
