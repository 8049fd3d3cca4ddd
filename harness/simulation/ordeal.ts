import type { SiteId } from '../../machines/actor.ts';
import { Simulation, type SimulationOptions } from './simulation.ts';

const callersPerSite = 2;

/**
 * Clients that acquire the lock again and again, and sometimes try for it, through crashes and losses, until
 * told to stop.
 */
function clients(simulation: Simulation, { roomless = [], pauseMs = 40 }: SimulationOptions) {
  const served = new Map<SiteId, number>();
  let working = true;
  const sleep = (ms: number) => new Promise<void>((resolve) => simulation.clock.after(ms, resolve));
  const call = async (id: SiteId) => {
    const site = simulation.sites.get(id)!;
    // Waits until another site has named the lock, where there was no room for it.
    if (roomless.includes(id)) await sleep(simulation.random() * 1_000);
    while (working && simulation.sites.get(id) === site) {
      const { queue } = site.place;
      const tries = simulation.random() < 0.1;
      const held = tries ? queue.tryAcquire() : await queue.acquire().catch(() => null);
      if (!held && !tries) return;
      if (!held) {
        await sleep(simulation.random() * 10);
        continue;
      }
      await sleep(simulation.random() * 20);
      if (!held.signal.aborted) served.set(id, (served.get(id) ?? 0) + 1);
      held.release();
      await sleep(simulation.random() * pauseMs);
    }
  };
  const work = (id: SiteId) => {
    for (let caller = 0; caller < callersPerSite; caller++) void call(id);
  };
  return { served, work, stop: () => (working = false) };
}

/**
 * Sites acquire the lock again and again while messages overtake those of other pairs, time passes, links are
 * cut, and sites crash and come back with their disks: `steps` random steps of one seed. Then the faults end,
 * and every site must be served. Throws the promise that was broken.
 */
export async function ordeal(options: SimulationOptions, steps = 2_000): Promise<Simulation> {
  const simulation = new Simulation(options);
  await simulation.openAll();
  await simulation.settle();
  const { ids, random, clock, hub } = simulation;
  const { served, work, stop } = clients(simulation, options);
  for (const id of ids) work(id);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  for (let step = 0; step < steps; step++) {
    const chance = random();
    const pending = simulation.pending();
    if (chance < 0.75 && pending.length > 0) hub.deliver(pick(pending));
    else if (chance < 0.97) clock.tick();
    else if (chance < 0.98 && options.isolates) simulation.isolate(pick(ids));
    else if (chance < 0.98) simulation.cut(pick(ids), pick(ids.slice(1)));
    else if (chance < 0.985) simulation.healAll();
    else if (!options.isolates) {
      const id = pick(ids);
      if (simulation.sites.has(id)) simulation.crash(id);
      else {
        await simulation.open(id);
        work(id);
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
    work(id);
  }
  const before = new Map(served);
  await simulation.run(Math.max(4_000, 20 * (options.pauseMs ?? 0)));
  const waiting = ids.filter((id) => (served.get(id) ?? 0) <= (before.get(id) ?? 0) + 5);
  if (waiting.length > 0) throw new Error(`${waiting.join(', ')} wait though nothing fails any more`);
  stop();
  simulation.end();
  return simulation;
}
