import { setTimeout as sleep } from 'node:timers/promises';
import { aligned } from '../columns.ts';
import { openSites } from './sites.ts';

/*
 * The cost of sites that do nothing: the CPU of each in a second, the messages about locks, and the bytes of all else, which is
 * heartbeats. Each lock has been used once by each site. The built package is measured: `npm run build`, then
 * `node --import tsx bench/lock/idle.ts`.
 */

const seconds = 10;
const lines = [['three sites', 'CPU of a site', 'messages of a site', 'bytes sent by a site']];

for (const locks of [0, 1_000]) {
  const sites = await openSites(3);
  for (let index = 0; index < locks; index++) {
    for (const site of sites) await site.lock(`lock-${index}`).run(() => undefined);
  }
  await sleep(2_000);
  const sent = () => {
    const all = sites.map((site) => site.counters());
    const messages = all
      .flatMap((counters) => Object.values(counters.sent))
      .reduce((sum, count) => sum + count, 0);
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
  ]);
  await Promise.all(sites.map((site) => site.close({ graceful: false })));
}
console.log(aligned(lines));
process.exit(0);
