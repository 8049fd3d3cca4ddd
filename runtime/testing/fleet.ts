import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SiteId } from '../../machines/actor.ts';
import { siteMachine } from '../../machines/epoch/site.ts';
import type { Cluster, ClusterOptions, Notice } from '../index.ts';
import { joinWith } from '../join.ts';
import { spokenVersions, type Versions } from '../wire/frames.ts';
import { freePorts } from './free-ports.ts';

const ends: (() => Promise<void> | void)[] = [];

/** To be called after each test. */
export async function endFleets(): Promise<void> {
  for (const end of ends.splice(0).reverse()) await end();
}

/** A change of the voters takes a few elections. */
const timing = { heartbeatMs: 20, failureTimeoutMs: 150 };

/** Real sites of one process, each with an address and a data directory of its own. */
export interface Fleet {
  /** Starts `site`, which knows the sites of `list`. `versions`: of the wire; default: those of this build. */
  start(
    site: SiteId,
    list?: readonly SiteId[],
    options?: Partial<ClusterOptions>,
    versions?: Versions,
  ): Promise<Cluster>;
  /** Ends it as a kill would. */
  kill(site: SiteId): Promise<void>;
  readonly notices: (site: SiteId) => readonly Notice[];
  readonly dataDir: (site: SiteId) => string;
}

export async function fleet(
  all: readonly SiteId[],
  keeps: 'disks' | 'nothing',
  common: Partial<ClusterOptions> = {},
): Promise<Fleet> {
  const ports = await freePorts(all.length);
  const addresses = Object.fromEntries(
    all.map((site, at) => [site, { host: '127.0.0.1', port: ports[at]! }] as const),
  );
  const dir = mkdtempSync(join(tmpdir(), 'baton-fleet-'));
  const running = new Map<SiteId, Cluster>();
  const notices = new Map<SiteId, Notice[]>();
  ends.push(async () => {
    await Promise.all([...running.values()].map((cluster) => cluster.close({ graceful: false })));
    rmSync(dir, { recursive: true, force: true });
  });
  const dataDir = (site: SiteId) => join(dir, site);
  return {
    start: async (site, list = all, options = {}, versions = spokenVersions) => {
      const given: ClusterOptions = {
        cluster: 'test',
        site,
        listen: addresses[site]!,
        peers: Object.fromEntries(list.filter((id) => id !== site).map((id) => [id, addresses[id]!])),
        timing,
        ...common,
        ...(keeps === 'disks' && { dataDir: dataDir(site) }),
        ...options,
      };
      const cluster = await joinWith(siteMachine, given, undefined, versions);
      running.set(site, cluster);
      notices.set(site, []);
      cluster.on('notice', (notice) => notices.get(site)!.push(notice));
      return cluster;
    },
    kill: async (site) => {
      await running.get(site)?.close({ graceful: false });
      running.delete(site);
    },
    notices: (site) => notices.get(site) ?? [],
    dataDir,
  };
}
