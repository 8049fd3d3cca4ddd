import { expect, test } from 'vitest';
import { check } from '../../check/check.ts';
import { leaseMutants, strictWith } from './lease-mutants.ts';
import { type EpochOptions, epochStrict } from './system.ts';

test('strict mode, two sites, each may crash and come back, one renews: all holds', async () => {
  const options: EpochOptions = {
    sites: 2,
    network: { order: 'fifo' },
    crashes: 'all',
    restart: 'with disk',
  };
  const report = await check(epochStrict({ ...options, renews: 'founder' }));
  expect(report.complete).toBe(true);
  expect(report.properties.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
});

test('each broken rule is refuted: after how many steps, and what breaks first', async () => {
  const lines: string[] = [];
  for (const [name, [place, machine]] of Object.entries(leaseMutants)) {
    const { properties } = await check(strictWith(machine, place), {
      maxStates: 6_000_000,
      stopAtFirst: true,
    });
    const broken = properties.filter(({ verdict, trace }) => verdict === 'violated' && trace !== undefined);
    lines.push(`${name}: ${broken[0]?.trace?.steps.length}, ${broken.map(({ name }) => name).join(', ')}`);
  }
  expect(`\n${lines.join('\n')}\n`).toMatchInlineSnapshot(`
    "
    a voter does not wait: 10, S6
    a candidate does not wait: 10, S6
    a restarted site does not wait: 14, S6
    the lease counts from the promise, not from its heartbeat: 11, S6
    the promise does not count from the heartbeat: 11, S6
    a voter promises to the epoch before: 10, S6
    a promise alone is a lease: 5, S6
    promises of the round before count: 13, S6
    a round counts when its time is over: 4, a critical section has its time
    a site without a lease tries, and enters: 0, only a site that follows with the token, and a lease if it needs one, grants at once
    a site without a lease enters: 1, a critical section has its time, lease
    a site whose lease is over stays: 4, a critical section has its time, lease
    "
  `);
}, 120_000);
