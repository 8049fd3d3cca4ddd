import type { SiteId } from '../../machines/actor.ts';
import { CodedError } from '../../machines/errors.ts';
import type { RecordLine } from '../../machines/record.ts';
import type { Channel } from '../../runtime/mailbox/memory.ts';
import { isHeld, Service, turnsMs } from './service.ts';
import { Simulation, type SimulationOptions } from './simulation.ts';

const callersPerSite = 2;
/** The share of deliveries that are of the site whose messages take long. */
const lateShare = 0.05;
/** How often every site must be served after the last fault. */
const times = 6;

/**
 * Clients that acquire the lock again and again, and sometimes try for it, through crashes and losses. They begin no request while they are
 * paused, and end with the simulation.
 */
function clients(simulation: Simulation, service: Service, options: SimulationOptions) {
  const { roomless = [], pauseMs = 40, holdMs = 20 } = options;
  let isPaused = false;
  const sleep = (ms: number) => new Promise<void>((resolve) => simulation.clock.after(ms, resolve));
  const call = async (id: SiteId) => {
    const site = simulation.sites.get(id)!;
    // Waits until another site has named the lock, where there was no room for it.
    if (roomless.includes(id)) await sleep(simulation.random() * 1_000);
    while (simulation.sites.get(id) === site) {
      if (isPaused) {
        await sleep(1);
        continue;
      }
      const { queue } = site.place;
      const tries = simulation.random() < 0.1;
      const held = tries ? queue.tryAcquire() : await service.waits(id, queue.acquire().catch(nullIfRefused));
      if (!held && !tries) return;
      if (!held) {
        await sleep(simulation.random() * 10);
        continue;
      }
      await sleep(simulation.random() * holdMs);
      if (isHeld(held)) service.served(id);
      held.release();
      await sleep(simulation.random() * pauseMs);
    }
  };
  const work = (id: SiteId) => {
    service.started(id);
    for (let caller = 0; caller < callersPerSite; caller++)
      call(id).catch((error: unknown) => simulation.fail(error));
  };
  const pause = (paused: boolean) => {
    isPaused = paused;
  };
  return { work, pause };
}

/** The sites that were elected, that got a lease, and that were told that a request was not taken, in the present step: faults are aimed at them. */
interface Moment {
  elected: SiteId | null;
  leased: SiteId | null;
  over: SiteId | null;
}

const nothing: Moment = { elected: null, leased: null, over: null };

function observe(moment: Moment, line: RecordLine): void {
  if (line.kind !== 'event') return;
  if (line.event.type === 'OVER') moment.over = line.site;
  for (const { type } of line.effects) {
    if (type === 'elected') moment.elected = line.site;
    if (type === 'leased') moment.leased = line.site;
  }
}

/**
 * Sites acquire the lock again and again while messages overtake those of other pairs, time passes, links are
 * cut, and sites crash and come back with their disks: `steps` random steps of one seed. Then the faults end: first all that wait are to be
 * served though nobody else asks, and then every site again and again. Throws the promise that was broken.
 */
export async function ordeal(options: SimulationOptions, steps = 2_000): Promise<Simulation> {
  const moment = { ...nothing };
  const witness = (line: RecordLine) => {
    options.witness?.(line);
    observe(moment, line);
  };
  const simulation = new Simulation({ ...options, witness });
  try {
    await suffer(simulation, options, steps, moment);
    return simulation;
  } finally {
    await simulation.stop();
  }
}

async function suffer(
  simulation: Simulation,
  options: SimulationOptions,
  steps: number,
  moment: Moment,
): Promise<void> {
  const { faults, pauseMs = 0, holdMs = 20 } = options;
  const service = new Service(simulation);
  await simulation.openAll();
  await simulation.settle();
  const { ids, random, clock, hub } = simulation;
  const { work, pause } = clients(simulation, service, options);
  for (const id of ids) work(id);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const start = async (id: SiteId) => {
    await simulation.open(id);
    work(id);
  };
  const crashOrStart = async (id: SiteId) => {
    if (simulation.sites.has(id)) simulation.crash(id);
    else await start(id);
  };
  /** The site that the others have in common. */
  let center: SiteId | null = null;
  const bounce = async () => {
    if (center === null) {
      center = pick(ids);
      simulation.center(center);
      return;
    }
    simulation.crash(center);
    await start(center);
    center = null;
    if (random() < 0.5) simulation.healAll();
  };
  /** The site that was elected by the center alone is cut off, and the center starts again: it has voted. */
  const bounceVoter = async (elected: SiteId) => {
    if (center === null || center === elected) return;
    simulation.cut(elected, center);
    simulation.crash(center);
    await start(center);
    center = null;
  };
  /** Its messages take long. */
  let late: SiteId | null = null;
  const next = (pending: readonly Channel[]): Channel => {
    if (late === null) return pick(pending);
    const [slow, fast] = [true, false].map((is) =>
      pending.filter(({ source, target }) => (source === late || target === late) === is),
    );
    return pick(fast!.length === 0 || (slow!.length > 0 && random() < lateShare) ? slow! : fast!);
  };
  const fail = async (chance: number) => {
    if (faults === 'none') return;
    if (chance < 0.98 && faults === 'isolate') simulation.isolate(pick(ids));
    else if (chance < 0.98 && faults === 'late') {
      simulation.healAll();
      late = pick(ids);
    } else if (chance < 0.98 && !isBouncing) simulation.cut(pick(ids), pick(ids.slice(1)));
    else if (chance < 0.985) simulation.healAll();
    else if (isBouncing) await bounce();
    else if (faults === undefined) await crashOrStart(pick(ids));
  };
  const isBouncing = faults === 'bounce' || faults === 'voter';
  const deliver = options.slow ? 0.2 : 0.75;
  for (let step = 0; step < steps; step++) {
    const chance = random();
    const pending = simulation.pending();
    Object.assign(moment, nothing);
    if (chance < deliver && pending.length > 0) hub.deliver(next(pending));
    else if (chance < 0.97) clock.tick();
    else await fail(chance);
    const { elected, leased } = moment;
    if (faults === 'voter' && elected !== null) await bounceVoter(elected);
    if (faults === 'late' && late !== null && leased === late) simulation.isolate(late);
    if (options.forgetsInUse && random() < 0.05) simulation.forgetInUse(pick(ids));
    await Promise.resolve();
    await Promise.resolve();
    simulation.check();
    if (options.endsAtOver && moment.over !== null) break;
  }
  simulation.healAll();
  for (const id of ids) if (!simulation.sites.has(id)) await start(id);
  const turns = turnsMs(times, ids.length, holdMs);
  pause(true);
  await service.drain(() => ids, 20_000 + turns);
  pause(false);
  await service.serve(() => ids, times, Math.max(1_000, 20 * pauseMs), 3_000 + turns);
  simulation.end();
}

/** A site that ends, or is removed, refuses its callers with a code. Any other error is a fault of the lock. */
function nullIfRefused(error: unknown): null {
  if (error instanceof CodedError) return null;
  throw error;
}
