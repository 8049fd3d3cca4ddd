import type { SiteId } from '../../machines/actor.ts';
import { type Configuration, compare, nameOf } from '../../machines/members/configuration.ts';
import type { MembersEffect } from '../../machines/members/messages.ts';
import { OperatingError } from '../../runtime/api/errors.ts';
import { oldestVersion, protocolVersion } from '../../runtime/wire/frames.ts';
import { foundAnew } from './founding-anew.ts';
import { lie } from './liar.ts';
import { isHeld, Service } from './service.ts';
import { type SimulatedSite, Simulation, type SimulationOptions } from './simulation.ts';

export interface ChangingOptions extends SimulationOptions {
  /**
   * Faults of machines too: processes are suspended, clocks run apart, disks refuse to write, what is under way is lost, and sites are started with
   * builds of two versions of the wire. Default: false.
   */
  readonly machines?: boolean;
  /**
   * All sites are asked for a change at once, and faults come often, and when they count: as a site has voted, has become the coordinator, or has
   * written a configuration. Default: false.
   */
  readonly rushes?: boolean;
  /** A majority of the voters is lost for good now and then, and the cluster is founded anew (M9). Default: false. */
  readonly anew?: boolean;
  /** All sites want to coordinate at once, again and again, and nothing else happens. Default: false. */
  readonly contends?: boolean;
  /** The place of one voter is taken by a liar now and then (M6). Default: false. */
  readonly liar?: boolean;
  /** The operator does this with the data of a site that is down, against the advice of docs/membership.md. Default: nothing. */
  readonly mistake?: Mistake;
}

/** The data of a site that is down are emptied and its id is kept; or a copy is put back that was made some time before. */
export type Mistake = 'an emptied disk under the old id' | 'an old copy of the disk';

/** Maximum number of names at a time, and minimum number of voters. */
const mostNames = 5;
/** For how long the members have not changed when all changes are taken to have ended. */
const settledMs = 3_000;
/** How often every member must be served after the last fault. */
const times = 4;

/**
 * Sites acquire the lock while the members change: sites are added, removed, replaced by others, leave, lose their disks, crash and
 * come back, and links are cut, and more (`machines`): `steps` random steps of one seed. With `founds` the founders are first started apart
 * from each other, some of them late and out of reach, and lose their data as long as there is no cluster. Then the faults end, and every
 * member must be served if a majority of the voters is left. Throws the promise that was broken.
 */
export async function changing(
  options: ChangingOptions,
  steps = 2_000,
): Promise<Simulation & { changes: number }> {
  const aims: Aim[] = [];
  const membersTook = (site: SiteId, effects: readonly MembersEffect[]) => {
    for (const effect of effects) if (isAim(effect)) aims.push({ site, of: effect.type });
  };
  const simulation = new Simulation({ ...options, changes: true, ...(options.rushes && { membersTook }) });
  try {
    const changes = await suffer(simulation, options, steps, aims);
    return Object.assign(simulation, { changes });
  } finally {
    await simulation.stop();
  }
}

/** The acts of a site after which a fault counts most. */
interface Aim {
  readonly site: SiteId;
  readonly of: 'send' | 'coordinates' | 'written';
}

const isAim = (effect: MembersEffect): effect is MembersEffect & { readonly type: Aim['of'] } =>
  effect.type === 'coordinates' ||
  effect.type === 'written' ||
  (effect.type === 'send' && effect.message.type === 'VOTE');

/** Returns the number of changes. */
async function suffer(
  simulation: Simulation,
  {
    machines = false,
    rushes = false,
    contends = false,
    anew = false,
    liar = false,
    mistake,
    ...options
  }: ChangingOptions,
  steps: number,
  aims: Aim[],
): Promise<number> {
  const service = new Service(simulation);
  const { ids, random, clock, hub, sites } = simulation;
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  let isPaused = false;
  let pauseMs = options.pauseMs ?? 40;
  const call = async (id: SiteId) => {
    const site = sites.get(id)!;
    while (sites.get(id) === site) {
      const held = isPaused ? null : await service.waits(id, acquire(id));
      if (held) {
        await simulation.sleepAt(id, random() * (options.holdMs ?? 20));
        if (isHeld(held)) service.served(id);
        held.release();
      }
      await simulation.sleepAt(id, random() * pauseMs + 1);
    }
  };
  const work = (id: SiteId) => {
    service.started(id);
    call(id).catch((error: unknown) => simulation.fail(error));
  };
  /** A removed site throws, and callers that wait at it are refused. */
  const acquire = async (id: SiteId) => {
    try {
      return await simulation.acquire(id);
    } catch {
      return null;
    }
  };
  const start = async (id: SiteId) => {
    const isOld = machines && random() < 0.3;
    await simulation.open(id, isOld ? oldestVersion : protocolVersion);
    work(id);
  };
  const newest = (): Configuration | null => {
    let found: Configuration | null = null;
    for (const { id, mesh } of sites.values())
      if (!simulation.isOutdated(id) && mesh.configuration && compare(mesh.configuration, found) > 0)
        found = mesh.configuration;
    return found;
  };
  /** Every voter is up with its data: one of them may be lost. */
  const votersNow = () => Object.keys(newest()?.voters ?? {});
  const isThere = (voter: SiteId) => sites.get(nameOf(voter))?.mesh.voter === voter;
  const isWhole = () => votersNow().length > 2 && votersNow().every(isThere);
  /** Its founders may lose their data: another one is founded. */
  const isUnfounded = () => options.founds === true && !simulation.isFounded && !simulation.isFoundedAnew;
  type Wanted = { readonly add: SiteId } | { readonly remove: SiteId };
  const changers = () =>
    [...sites.values()].filter(({ id, mesh }) => mesh.founding !== null && !simulation.isSuspended(id));
  const ask = ({ mesh }: SimulatedSite, wanted: Wanted) =>
    void mesh.change(wanted, 2_000).catch(() => undefined);
  const change = (wanted: Wanted) => {
    const up = changers();
    if (up.length > 0) ask(pick(up), wanted);
  };
  const anyChange = (): Wanted => (random() < 0.5 ? { remove: pick(ids) } : { add: pick(ids) });
  const driftShare = options.strict?.driftShare ?? 0.5;
  const failMachine = (id: SiteId) => {
    const chance = random();
    if (chance < 0.3) simulation.hub.lose(id, pick(ids));
    else if (!sites.has(id)) return;
    else if (chance < 0.5) simulation.setRate(id, 1 + driftShare * (2 * random() - 1));
    else if (chance < 0.6) simulation.failDisk(id);
    else if (simulation.isSuspended(id)) simulation.resume(id);
    else simulation.suspend(id);
  };
  const copies = new Map<SiteId, () => void>();
  const err = async (id: SiteId, what: Mistake) => {
    const putBack = copies.get(id);
    copies.set(id, simulation.copy(id));
    if (what === 'an old copy of the disk' && !putBack) return;
    simulation.crash(id);
    if (what === 'an old copy of the disk') putBack!();
    else simulation.empty(id, simulation.idOf(id));
    await start(id);
  };
  const happen = async () => {
    if (machines && random() < 0.4) {
      failMachine(pick(ids));
      return;
    }
    if (liar && random() < 0.15) {
      heal();
      for (const down of ids) if (!sites.has(down)) await start(down);
      if ((await settles()) === null && isWhole())
        await lie(simulation, { start, truth: () => newest()!, voters: votersNow().map(nameOf) });
      return;
    }
    if (anew && random() < 0.1) {
      await foundAnew(simulation, start);
      return;
    }
    const chance = random();
    const id = pick(ids);
    if (chance < 0.2) simulation.cut(id, pick(ids));
    else if (chance < 0.3) simulation.healAll();
    else if (chance < 0.55) {
      if (sites.has(id)) simulation.crash(id);
      else await start(id);
    } else if (chance < 0.65 && ids.length < mostNames) {
      const name = String.fromCharCode(97 + ids.length);
      simulation.empty(name);
      await start(name);
    } else if (chance < 0.8) change({ remove: id });
    else if (mistake && chance < 0.9 && sites.has(id)) await err(id, mistake);
    else if (chance < 0.9 && (isWhole() || isUnfounded()) && sites.has(id)) {
      simulation.crash(id);
      simulation.empty(id);
      await start(id);
    } else change({ add: id });
  };
  const restart = async (id: SiteId) => {
    simulation.crash(id);
    await start(id);
  };
  const rush = async () => {
    const chance = random();
    if (chance < 0.4) for (const site of changers()) ask(site, anyChange());
    else if (chance < 0.6) simulation.cut(pick(ids), pick(ids));
    else if (chance < 0.8) simulation.healAll();
    else await happen();
  };
  // To add a voter takes a coordinator, and changes nothing.
  const contend = () => {
    for (const site of changers()) ask(site, { add: site.id });
  };
  /** `site` has just done what one of the `aims` tells. */
  const strike = async ({ site, of }: Aim) => {
    const others = [...sites.keys()].filter((id) => id !== site);
    if (!sites.has(site) || others.length === 0) return;
    const [one, other] = [pick(others), pick(others)];
    const chance = random();
    if (of === 'written' && chance < 0.3) simulation.crash(site);
    else if (of === 'written' && chance < 0.4) await restart(site);
    else if (of === 'coordinates' && chance < 0.4) {
      // Another one that may know nothing of this one stands too, and asks a site that forgot nothing.
      simulation.cut(site, one);
      if (other !== one) await restart(other);
      ask(sites.get(one)!, anyChange());
    } else if (of === 'send' && chance < 0.1) simulation.cut(site, one);
    else if (of === 'send' && chance < 0.2) await restart(site);
  };
  /** A site that is up with data of no member, and that was not removed since it started: it asks to be added. */
  const asks = ({ mesh }: SimulatedSite) => {
    if (mesh.configuration && mesh.voter in mesh.configuration.voters) return false;
    try {
      mesh.actor('main');
      return true;
    } catch (error) {
      if (error instanceof OperatingError && ['NOT_A_MEMBER', 'FOUNDED_ANEW'].includes(error.code))
        return false;
      throw error;
    }
  };
  /** The first thing that is not as it should be once all changes have ended, or null. */
  const unsettled = (): string | null => {
    const last = newest();
    for (const site of sites.values()) {
      if (simulation.isOutdated(site.id)) {
        if (simulation.isRefused(site.id)) continue;
        return `M9: ${site.id} is not told that its cluster was founded anew`;
      }
      if (asks(site)) return `${site.id} is no member`;
      const { configuration, voter } = site.mesh;
      if (last && voter in last.voters && compare(configuration, last) !== 0)
        return `${site.id} has configuration ${configuration?.version}, not ${last.version}`;
    }
    return null;
  };
  /** Lets time pass until all changes have ended, and then `settledMs`, at most 20 s. Returns what is not as it is to be. */
  const settles = async (): Promise<string | null> => {
    const until = clock.now() + 20_000;
    let since = clock.now();
    let last = newest();
    while (clock.now() < until && clock.now() < since + settledMs) {
      await simulation.run(250);
      if (unsettled() === null && compare(newest(), last) === 0) continue;
      since = clock.now();
      last = newest();
    }
    return unsettled();
  };
  /** No fault lasts. */
  const heal = () => {
    for (const id of ids) if (simulation.isSuspended(id)) simulation.resume(id);
    simulation.healAll();
    simulation.mendDisks();
  };
  /** The step at which each founder is started for the first time. */
  const firstStarts = new Map<number, SiteId[]>();
  if (options.founds) {
    for (const id of ids) {
      const step = Math.floor((random() * steps) / 4);
      firstStarts.set(step, [...(firstStarts.get(step) ?? []), id]);
      if (random() < 0.5) simulation.cut(id, pick(ids));
    }
  } else {
    await simulation.openAll();
    await simulation.settle();
    for (const id of ids) work(id);
  }
  for (let step = 0; step < steps; step++) {
    for (const id of firstStarts.get(step) ?? []) if (!sites.has(id)) await start(id);
    const chance = random();
    const pending = simulation.pending();
    if (chance < 0.75 && pending.length > 0) hub.deliver(pick(pending));
    else if (chance < (rushes ? 0.95 : 0.985)) clock.tick();
    else if (contends) contend();
    else await (rushes ? rush() : happen());
    await Promise.resolve();
    await Promise.resolve();
    for (const aim of aims.splice(0)) await strike(aim);
    simulation.check();
  }
  heal();
  for (const id of ids) if (!sites.has(id)) await start(id);
  // They ask less often: what was begun is to end, and what waits is to be served.
  pauseMs = 1_000;
  let lacking = await settles();
  // Those that come back with data of the cluster before are refused, and then join with empty disks.
  const refused = simulation.isFoundedAnew && !lacking ? ids.filter((id) => simulation.isRefused(id)) : [];
  for (const id of refused) {
    simulation.crash(id);
    simulation.empty(id);
    await start(id);
  }
  if (refused.length > 0) lacking = await settles();
  if (votersNow().length === 0) throw new Error('the cluster is not founded though nothing fails any more');
  const members = () => votersNow().map(nameOf);
  if (2 * votersNow().filter(isThere).length > votersNow().length) {
    if (lacking !== null) throw new Error(`${lacking} though nothing fails any more`);
    isPaused = true;
    await service.drain(members, 20_000);
    isPaused = false;
    await service.serve(members, times, 3_000, 27_000);
  } else if (simulation.isFoundedAnew)
    throw new Error('M9: the cluster that was founded anew has no majority');
  simulation.end();
  return (newest()?.version ?? 1) - 1;
}
