import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { siteMachine } from '../machines/epoch/site.ts';
import { type Cluster, FenceGate, type Notice } from './index.ts';
import { joinWith } from './join.ts';
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

describe('a guest and its member', () => {
  const timing = { heartbeatMs: 20, failureTimeoutMs: 150 };
  /** A guest of one member, with its notices. */
  async function guestOf({ address }: Cluster, versions: Versions) {
    const options = { cluster: 'test', site: 'web', guest: true, discovery: [address], timing };
    const guest = await joinWith(siteMachine, options, undefined, versions);
    onTestFinished(() => guest.close({ graceful: false }));
    const notices: Notice[] = [];
    guest.on('notice', (notice) => notices.push(notice));
    return { guest, notices };
  }

  test.each([
    ['an older guest at a newer member', before, after],
    ['a newer guest at an older member', after, before],
  ])('work together: %s', async (_, ofGuest, ofMember) => {
    const { start, kill } = await fleet(['a'], 'disks', { timing });
    const gate = new FenceGate();
    let member = await start('a', ['a'], {}, ofMember);
    const { guest, notices } = await guestOf(member, ofGuest);
    const use = async () => {
      for (const cluster of [member, guest]) {
        const fence = await cluster.lock('x').run((held) => held.fence, { timeoutMs: 10_000 });
        expect(gate.accept('x', fence)).toBe(true);
      }
    };
    await use();
    // The member is upgraded, or the other way, under its guest.
    await kill('a');
    member = await start('a', ['a'], {}, ofGuest);
    await use();
    const faults = notices.filter(({ type }) => type === 'error');
    expect(faults).toEqual([]);
  });

  test('say so where they are too far apart, and the caller that waits is told', async () => {
    const { start, notices: ofMember } = await fleet(['a'], 'nothing', { timing });
    const member = await start('a', ['a'], {}, later);
    const { guest, notices } = await guestOf(member, before);
    const why = /speaks version 7 of the wire, got one that speaks 9; upgrade this site/;
    await expect(guest.lock('x').acquire({ timeoutMs: 1_000 })).rejects.toMatchObject({
      code: 'ACQUIRE_TIMEOUT',
      message: expect.stringMatching(/version/),
    });
    expect(guest.lock('x').status().hindrance).toMatch(/^no member has answered .*version/);
    const faults = (all: readonly Notice[]) =>
      all.flatMap((notice) => (notice.type === 'error' ? [notice.error] : []));
    expect(faults(notices)[0]).toMatchObject({
      code: 'FOREIGN_VERSION',
      message: expect.stringMatching(why),
    });
    expect(faults(ofMember('a'))[0]).toMatchObject({ code: 'FOREIGN_VERSION' });
  });
});
