import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NatsServer, natsVersion } from './testing/nats-server.ts';
import { overNats, Sections, sentBy } from './testing/over-nats.ts';

let server: NatsServer;

beforeAll(async () => {
  if (natsVersion !== null) server = await NatsServer.start();
});
afterAll(() => server?.stop());

/** Nobody is to be believed gone, however busy the machine is. */
const timing = { heartbeatMs: 2_000, failureTimeoutMs: 30_000 };
const idsOf = (count: number) => Array.from({ length: count }, (_, index) => `m${10 + index}`);

describe.skipIf(natsVersion === null)('300 sites over NATS', () => {
  /*
   * All sites want one lock again and again. A grant to a guest costs a GRANT, and a RELEASE that asks again (section 5 of the protocol). The token goes
   * round the members, and at each it serves every site that waits there.
   */
  test.each([
    [3, 297],
    [20, 280],
  ])('%i members and %i guests', async (memberCount, guestCount) => {
    await using sites = await overNats(server, idsOf(memberCount), guestCount, { timing });
    const all = [...sites.guests, ...sites.members];
    const counts = all.map(() => 0);
    const sections = new Sections();
    let isOver = false;
    const loops = all.map(async (site, index) => {
      while (!isOver) {
        await site.lock('main').run(sections.enter);
        counts[index]! += 1;
      }
    });
    const warmed = 10 * all.length;
    await expect.poll(() => sections.grants, { timeout: 120_000, interval: 20 }).toBeGreaterThan(warmed);
    const before = { sent: sentBy(all), grants: sections.grants };
    counts.fill(0);
    await sleep(10_000);
    const grants = sections.grants - before.grants;
    const after = sentBy(all);
    const jain = grants ** 2 / (all.length * counts.reduce((sum, count) => sum + count ** 2, 0));
    isOver = true;
    await Promise.all(loops);
    const perGrant = (...types: readonly string[]) =>
      types.reduce((sum, type) => sum + (after[type] ?? 0) - (before.sent[type] ?? 0), 0) / grants;
    const share = guestCount / all.length;
    const guests = perGrant('ASK', 'GRANT', 'RELEASE');
    const members = perGrant('TOKEN', 'REQUEST');
    console.log(
      `${memberCount} members, ${guestCount} guests: ${grants} grants, Jain's index ${jain.toFixed(4)}; messages a grant: ` +
        `${guests.toFixed(3)} of guests (2 a grant to a guest: ${(2 * share).toFixed(3)}), ${members.toFixed(4)} of members ` +
        `(one a turn: ${(memberCount / all.length).toFixed(4)})`,
    );
    expect(sections).toMatchObject({ overlaps: 0, falls: 0 });
    expect(grants).toBeGreaterThan(10 * all.length);
    expect(jain).toBeGreaterThan(0.99);
    expect(Math.abs(guests - 2 * share)).toBeLessThan(0.05);
    // One TOKEN for each turn of a member, in which it serves each of its sites once.
    expect(members).toBeLessThan((1.1 * memberCount) / all.length + 0.01);
    expect(perGrant('VOTE_REQUEST', 'VOTE', 'NEW')).toBe(0);
  });
});
