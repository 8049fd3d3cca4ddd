import { expect } from 'vitest';
import { type Cluster, type ClusterOptions, FenceGate } from '../index.ts';
import { eventually } from './eventually.ts';
import { fleet } from './fleet.ts';

const namesOf = (cluster: Cluster) => cluster.members().voters.map(({ site }) => site);

/** Sites without data join one after the other, and leave so; every one of them is granted a lock after each change. */
export async function growAndShrink(common: Partial<ClusterOptions>): Promise<void> {
  const { start } = await fleet(['a', 'b', 'c', 'd'], 'nothing', common);
  const gate = new FenceGate();
  const clusters: Cluster[] = [];
  const use = async () => {
    for (const cluster of clusters)
      expect(gate.accept('x', await cluster.lock('x').run(({ fence }) => fence, { timeoutMs: 10_000 }))).toBe(
        true,
      );
  };
  for (const [site, list] of [
    ['b', []],
    ['a', ['b']],
    ['d', ['b']],
    ['c', ['d']],
  ] as const) {
    clusters.push(await start(site, list));
    await eventually(() => expect(clusters.at(-1)!.status().founded).toBe(true));
    await use();
  }
  await eventually(() => {
    for (const cluster of clusters) expect(namesOf(cluster)).toEqual(['a', 'b', 'c', 'd']);
  });
  while (clusters.length > 1) {
    await clusters.shift()!.close();
    await use();
    expect(namesOf(clusters[0]!)).toHaveLength(clusters.length);
  }
}
