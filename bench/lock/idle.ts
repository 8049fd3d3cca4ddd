import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, Counters } from '../../dist/runtime/index.js';
import { aligned } from '../columns.ts';
import { openSites } from './sites.ts';

/*
 * The cost of sites that do nothing: the CPU of each in a second, the messages about locks, and the bytes of all else, which is
 * heartbeats. Each lock has been used once by each site. Then the cost of votes: a site ends without a goodbye, and each lock is used
 * once at another one, which stands for it first. The built package is measured: `npm run build`, then `node --import tsx
 * bench/lock/idle.ts`.
 */

const seconds = 10;
const lines = [
  ['three sites', 'CPU of a site', 'messages of a site', 'bytes sent by a site', 'on each link'],
];
const votes = [['each of 1,000 locks', 'CPU of both sites', 'elections', 'messages', 'bytes']];
const total = (counts: Readonly<Record<string, number>>) =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

for (const locks of [0, 1_000]) {
  const sites = await openSites(3);
  for (let index = 0; index < locks; index++) {
    for (const site of sites) await site.lock(`lock-${index}`).run(() => undefined);
  }
  await sleep(2_000);
  const sent = () => {
    const all = sites.map((site) => site.counters());
    const messages = all.reduce((sum, counters) => sum + total(counters.sent), 0);
    return { messages, bytes: all.reduce((sum, { bytesSent }) => sum + bytesSent, 0) };
  };
  const before = { ...sent(), cpu: process.cpuUsage() };
  await sleep(seconds * 1_000);
  const { user, system } = process.cpuUsage(before.cpu);
  const { messages, bytes } = sent();
  const each = (total: number) => total / sites.length / seconds;
  lines.push([
    `${locks.toLocaleString('en-US')} idle locks`,
    `${each((user + system) / 1_000).toFixed(2)} ms/s`,
    `${each(messages - before.messages).toFixed(1)} a second`,
    `${each(bytes - before.bytes).toFixed(1)} a second`,
    `${(each(bytes - before.bytes) / (sites.length - 1)).toFixed(1)} a second`,
  ]);
  if (locks > 0) votes.push(...(await costOfVotes(sites, locks)));
  await Promise.all(sites.map((site) => site.close({ graceful: false })));
}
console.log(`${aligned(lines)}\n\n${aligned(votes)}`);
process.exit(0);

/** Each lock is used once at one site, in turn: after the third site has ended, so that it is voted for, and then once more. */
async function costOfVotes([site, voter, dead]: readonly Cluster[], locks: number): Promise<string[][]> {
  await dead!.close({ graceful: false });
  const rows: string[][] = [];
  for (const what of ['used the first time since', 'used again']) {
    const now = () => {
      const all = [site!.counters(), voter!.counters()];
      const sum = (of: (counters: Counters) => number) => all.reduce((so, one) => so + of(one), 0);
      return {
        elections: sum(({ elections }) => elections),
        messages: sum(({ sent }) => total(sent)),
        bytes: sum(({ bytesSent }) => bytesSent),
      };
    };
    const before = { ...now(), cpu: process.cpuUsage() };
    await Promise.all(
      Array.from({ length: locks }, (_, index) => site!.lock(`lock-${index}`).run(() => undefined)),
    );
    const { user, system } = process.cpuUsage(before.cpu);
    const after = now();
    const each = (key: keyof typeof after) => ((after[key] - before[key]) / locks).toFixed(1);
    rows.push([
      what,
      `${((user + system) / locks).toFixed(0)} µs`,
      each('elections'),
      each('messages'),
      each('bytes'),
    ]);
  }
  return rows;
}
