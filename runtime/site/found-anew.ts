import type { AnyStateMachine } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import { firstConfiguration, nameOf, voterOf } from '../../machines/members/configuration.ts';
import {
  type FoundingDisk,
  type FoundingEffect,
  type FoundingEvent,
  type FoundingSettings,
  foundingMachine,
} from '../../machines/members/founding.ts';
import { systemRandom } from '../api/clock.ts';
import { OperatingError } from '../api/errors.ts';
import { EffectActor } from '../driver/actor.ts';
import type { StoreContent } from '../store/content.ts';
import { type Beginning, changeStore } from '../store/store.ts';
import { foundingEffects } from './founding-actor.ts';

/** The site with which a cluster is founded anew. */
export interface FoundAnewOptions {
  /** The directory with the data of the site that is left. */
  readonly dataDir: string;
  /** Its site: no process runs it. */
  readonly site: SiteId;
  readonly cluster: string;
  /** The least generation of the cluster that is founded. Default: the wall clock in ms. It is above the one before in any case. */
  readonly generation?: number;
}

/** A cluster that was founded anew. */
export interface FoundedAnew {
  /** The first part of every fence from now on, and the one before. */
  readonly generation: number;
  readonly before: number;
  /** The voters of before: each that comes back with its data is refused. */
  readonly dropped: readonly SiteId[];
}

/**
 * Founds a cluster anew from the data of one site that is left, where a majority of the voters is lost for good (protocol.md, M9).
 * The site is the only voter then, under another id, and others with empty data directories are added to it. It gives up what the cluster
 * before promised: a site of it that still runs may hold a lock until it meets the new cluster, and only fences keep the two apart.
 *
 * Rejects with `STORE_IN_USE`: a process runs the site; with `NOT_A_MEMBER`: these data are of no cluster that was founded; and with what
 * `joinCluster` rejects with for a data directory.
 */
export async function foundAnew({
  dataDir,
  site,
  cluster,
  generation = Date.now(),
}: FoundAnewOptions): Promise<FoundedAnew> {
  const newId = systemRandom.incarnation();
  let told: FoundedAnew | null = null;
  await changeStore({ dataDir, site, cluster, newId }, ({ id, founding: known, members }) => {
    if (known === null || known.stage === 'accepted') {
      throw new OperatingError(
        'NOT_A_MEMBER',
        `expected data of a cluster that was founded; those of ${site} in ${dataDir} are of none: empty the directory and start the site`,
      );
    }
    const begun = beginAnew({ site, id, founding: known }, generation, newId);
    const voters = Object.keys(members?.configuration?.voters ?? {});
    const dropped = voters.filter((voter) => voter !== voterOf(site, id)).map(nameOf);
    told = { generation: begun.founding.generation, before: known.generation, dropped: dropped.sort() };
    return begun;
  });
  return told!;
}

/** The data of a site before its first run of the cluster that it founds anew. `statechart`: a test gives a mutant. */
export function beginAnew(
  { site, id, founding: known }: Pick<StoreContent, 'site' | 'id'> & { readonly founding: FoundingDisk },
  least: number,
  newId: string,
  statechart: AnyStateMachine = foundingMachine,
): Beginning & { readonly founding: FoundingDisk } {
  const event = { type: 'foundAnew', generation: least, id: newId } as const;
  const founding = foundedBy(site, id, known, event, statechart);
  return {
    id: newId,
    founding,
    members: {
      generation: founding.generation,
      first: { voters: [site], root: null },
      floor: null,
      configuration: firstConfiguration([voterOf(site, newId)]),
      ...{ promised: 0, top: 0, addresses: {} },
    },
  };
}

/** The state that the statechart of the founding persists at this event. */
function foundedBy(
  self: SiteId,
  id: string,
  disk: FoundingDisk,
  event: FoundingEvent,
  statechart: AnyStateMachine,
): FoundingDisk {
  const input: FoundingSettings = { self, id, founders: [self], proposer: self, disk };
  const actor = new EffectActor<FoundingEvent, FoundingEffect>(statechart, foundingEffects, {
    id: self,
    input,
  });
  const [written] = actor.take(event).filter((effect) => effect.type === 'persist');
  const { generation, ids, stage } = written!;
  return { generation, ids, stage };
}
