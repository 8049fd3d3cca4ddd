import { setTimeout as sleep } from 'node:timers/promises';
import { joinCluster } from '../../runtime/index.ts';
import { openMembers } from '../../runtime/testing/cluster.ts';

/*
 * Guests of three members that all want the same locks again and again, in one process: `npx tsx bench/guests/run.ts [guests] [locks]
 * [seconds]`. Prints grants a second, overlaps, and Jain's index over the guests, as JSON. Default: 500 guests, 1 lock, 20 seconds.
 */

const [guestCount = 500, lockCount = 1, seconds = 20] = process.argv.slice(2).map(Number);
// Nobody is to be believed gone, however busy the machine is.
const timing = { heartbeatMs: 1_000, failureTimeoutMs: 20_000 };
const { members } = await openMembers(['a', 'b', 'c'], { timing });
const discovery = members.map(({ cluster }) => cluster.address);
const guests = await Promise.all(
  Array.from({ length: guestCount }, () =>
    joinCluster({ cluster: 'test', site: 'web', guest: true, discovery, timing }),
  ),
);
await Promise.all(guests.map((guest) => guest.ready({ timeoutMs: 60_000 })));

const counts = guests.map(() => 0);
const inside = new Array<number>(lockCount).fill(0);
let overlaps = 0;
for (const [index, guest] of guests.entries()) {
  void (async () => {
    for (let next = index; ; next++) {
      const lock = next % lockCount;
      await guest.lock(`lock ${lock}`).run(async () => {
        inside[lock]! += 1;
        if (inside[lock]! > 1) overlaps += 1;
        await Promise.resolve();
        inside[lock]! -= 1;
      });
      counts[index]! += 1;
    }
  })();
}
await sleep(3_000);
counts.fill(0);
const startedAt = performance.now();
await sleep(1_000 * seconds);
const lastedMs = performance.now() - startedAt;
const grants = counts.reduce((sum, count) => sum + count, 0);
const jain = grants ** 2 / (guestCount * counts.reduce((sum, count) => sum + count ** 2, 0));
const perSecond = Math.round((1_000 * grants) / lastedMs);
console.log(JSON.stringify({ guests: guestCount, locks: lockCount, grants, perSecond, overlaps, jain }));
process.exit(0);
