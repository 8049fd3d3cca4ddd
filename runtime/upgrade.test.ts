import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { type Cluster, FenceGate, type Notice } from './index.ts';
import { eventually } from './testing/eventually.ts';
import { endFleets, fleet } from './testing/fleet.ts';
import type { Versions } from './wire/frames.ts';

/*
 * Sites of two builds side by side, as the wire sees them: a build is the versions that it speaks. `upgrade.slow.test.ts` runs a build of
 * the past beside this one.
 */

afterEach(endFleets);

const names = ['a', 'b', 'c'];
const before: Versions = { version: 7, oldest: 7 };
const after: Versions = { version: 8, oldest: 7 };
/** A later one, which has dropped version 7. */
const later: Versions = { version: 9, oldest: 9 };

const forgetAfterMs = 80;

const forgotten = (clusters: Iterable<Cluster>) =>
  [...clusters].reduce((sum, cluster) => sum + (cluster.counters().sent['FORGET'] ?? 0), 0);

test('three sites are upgraded one by one and back: the lock stays one, and what is new waits until all have it', async () => {
  const { start, kill } = await fleet(names, 'disks', {
    timing: { heartbeatMs: 20, failureTimeoutMs: 150, forgetAfterMs },
  });
  const running = new Map<string, Cluster>();
  const gate = new FenceGate();
  let [inside, overlaps, refused, grants, uses] = [0, 0, 0, 0, 0];
  /** Every site takes a lock that lasts, and one that is used once. */
  const use = async () => {
    uses += 1;
    await Promise.all(
      [...running.values()].flatMap((cluster) => [
        cluster.lock('lasting').run(
          async ({ fence }) => {
            if (++inside > 1) overlaps += 1;
            if (!gate.accept('lasting', fence)) refused += 1;
            grants += 1;
            await sleep(1);
            inside -= 1;
          },
          { timeoutMs: 15_000 },
        ),
        cluster.lock(`order ${cluster.site} ${uses}`).run(() => undefined, { timeoutMs: 15_000 }),
      ]),
    );
  };
  const builds = new Map<string, Versions>();
  const restart = async (site: string, build: Versions) => {
    await kill(site);
    builds.set(site, build);
    running.set(site, await start(site, names, {}, build));
  };
  /** Every site has met every other one as it is now. */
  const met = () =>
    eventually(() => {
      for (const [self, cluster] of running) {
        const common = names.map((peer) => Math.min(builds.get(self)!.version, builds.get(peer)!.version));
        expect(cluster.members().voters.map(({ up, wireVersion }) => up && wireVersion)).toEqual(common);
      }
    });
  for (const site of names) await restart(site, before);
  await met();
  for (const site of ['a', 'b']) {
    await use();
    await restart(site, after);
    await met();
  }
  await use();
  // One is of the version before: two that could forget a lock wait for it.
  await sleep(3 * forgetAfterMs);
  expect(forgotten(running.values())).toBe(0);
  await restart('c', after);
  await met();
  await use();
  await eventually(() => {
    expect(forgotten(running.values())).toBeGreaterThan(0);
    for (const cluster of running.values()) expect(cluster.status().locks).toBe(0);
  });
  for (const site of names) {
    await restart(site, before);
    await met();
    const told = forgotten(running.values());
    await use();
    await sleep(2 * forgetAfterMs);
    expect(forgotten(running.values())).toBe(told);
  }
  expect({ overlaps, refused }).toEqual({ overlaps: 0, refused: 0 });
  expect(grants).toBe(21);
});

test('sites too far apart say so at both ends, and the others go on', async () => {
  const { start, notices } = await fleet(names, 'nothing');
  const a = await start('a', names, {}, before);
  const c = await start('c', names, {}, before);
  await start('b', names, {}, later);
  const faults = (site: string) =>
    notices(site).flatMap((notice: Notice) =>
      notice.type === 'error' && notice.error.code === 'FOREIGN_VERSION' ? notice.error.message : [],
    );
  await eventually(() => {
    expect(faults('a')[0]).toMatch(/speaks version 7 of the wire, got one that speaks 9; upgrade this site/);
    expect(faults('b')[0]).toMatch(
      /speaks version 9 of the wire, got one that speaks 7; upgrade the other site/,
    );
    expect([a.status().connected, c.status().connected]).toEqual([['c'], ['a']]);
  });
});
