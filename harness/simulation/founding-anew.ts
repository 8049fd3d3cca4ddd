import type { SiteId } from '../../machines/actor.ts';
import { firstConfiguration, isQuorum, voterOf } from '../../machines/members/configuration.ts';
import type { Simulation } from './simulation.ts';

/**
 * A majority of the voters is lost for good, and an operator founds the cluster anew with a site that is left (docs/membership.md, M9): no
 * process of the cluster before is left, and the clock of the operator may have been set back. Others keep their data, which no quorum of the
 * cluster before does: they come back with them, and are to be refused.
 */
export async function foundAnew(simulation: Simulation, start: (id: SiteId) => Promise<void>): Promise<void> {
  const { ids, random, clock } = simulation;
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const generationOf = (id: SiteId) => {
    const { isOfCluster, founding } = simulation.dataOf(id);
    return isOfCluster ? founding!.generation : 0;
  };
  const newest = Math.max(...ids.map(generationOf));
  const left = ids.filter((id) => generationOf(id) === newest);
  if (newest === 0) return;
  for (const id of [...simulation.sites.keys()]) simulation.crash(id);
  const survivor = pick(left);
  const kept: SiteId[] = [];
  for (const id of ids) {
    if (id === survivor || simulation.dataOf(id).founding?.generation !== newest) continue;
    if (random() < 0.5 && !couldDecide(simulation, [...kept, id])) kept.push(id);
    else simulation.empty(id);
  }
  simulation.foundAnew(survivor, random() < 0.5 ? 1 : 1 + Math.floor(clock.now()));
  await start(survivor);
  for (const id of ids) if (id !== survivor && random() < 0.5) await start(id);
}

/** Are these sites, with their data, a quorum of the founders, or of the voters that one of them knows? */
function couldDecide(simulation: Simulation, sites: readonly SiteId[]): boolean {
  const data = sites.map((id) => simulation.dataOf(id));
  const voters = Object.fromEntries(sites.map((id, at) => [voterOf(id, data[at]!.id), true]));
  return data.some(({ founding, members }) => {
    const founders = Object.entries(founding!.ids).map(([name, id]) => voterOf(name, id));
    const known = [firstConfiguration(founders), members?.configuration ?? null];
    return known.some((configuration) => configuration !== null && isQuorum(voters, configuration));
  });
}
