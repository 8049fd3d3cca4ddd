import { randomInt } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { check } from '../check/check.ts';
import { mutants } from '../protocols/naimi-trehel/mutants.ts';
import { naimiTrehel } from '../protocols/naimi-trehel/system.ts';
import type { System } from '../system/system.ts';
import { EngineError } from './engine.ts';
import { opinionOf } from './opinions.ts';
import { network, systems } from './testing/systems.ts';
import { tlc } from './tlc.ts';
import { joinDistributed } from './tlc-distributed.ts';

/* TLC against Baton on larger systems. Needs Java, and TLA2TOOLS_JAR. */

const isHere = process.env['TLA2TOOLS_JAR'] !== undefined;

test.skipIf(!isHere).each(Object.entries(systems))(
  '%s: counts and verdicts agree',
  { timeout: 900_000 },
  async (_, system) => {
    expect(opinionOf(await check(system), await tlc(system)).differences).toEqual([]);
  },
);

test.skipIf(!isHere).each(Object.entries(mutants))(
  '%s: is refuted by both',
  { timeout: 300_000 },
  async (_, machine) => {
    const system = naimiTrehel({ sites: 2, network, machine });
    const [ours, theirs] = [await check(system), await tlc(system)];
    expect(opinionOf(ours, theirs).differences).toEqual([]);
    const isViolated = ours.properties.some(({ verdict }) => verdict === 'violated');
    expect(theirs.properties.some(({ verdict }) => verdict === 'violated')).toBe(isViolated);
  },
);

describe.skipIf(!isHere)('several workers, each a process', { timeout: 300_000 }, () => {
  const told = ({ states, transitions, properties }: Awaited<ReturnType<typeof tlc>>) => ({
    states,
    transitions,
    verdicts: properties.map(({ name, verdict }) => [name, verdict]),
  });

  /** Releases of 2026 cannot distribute: their set of states is no object of RMI any more. */
  const orSkipped = async (skip: () => never, run: Promise<Awaited<ReturnType<typeof tlc>>>) => {
    try {
      return await run;
    } catch (error) {
      if (error instanceof EngineError && error.message.includes('take the jar of release')) return skip();
      throw error;
    }
  };

  test('a worker that is killed changes no count', async ({ skip }) => {
    const whole = naimiTrehel({ sites: 4, network });
    const system = {
      ...whole,
      properties: whole.properties.filter(({ kind }) => kind === 'always'),
    } as System;
    const pids = new Map<number, number>();
    const lines: string[] = [];
    const report = await orSkipped(
      skip,
      tlc(system, {
        distributed: { workers: 2, onWorker: (worker, pid) => pids.set(worker, pid) },
        onProgress: (line) => {
          lines.push(line);
          const isJoined = lines.filter((one) => one.includes('Registration')).length === 2;
          const victim = pids.get(1);
          if (!isJoined || victim === undefined) return;
          pids.delete(1);
          process.kill(victim, 'SIGKILL');
        },
      }),
    );
    expect(lines.join('\n')).toMatch(/connection lost/);
    expect(told(report)).toMatchObject({ states: 9_352, transitions: 26_464 });
    expect(opinionOf(await check(system), report).differences).toEqual([]);
  });

  test('a mistake is found, and taken through the statecharts', async ({ skip }) => {
    const machine = mutants['an idle root copies the token']!;
    const whole = naimiTrehel({ sites: 2, network, machine });
    const names = ['mutual exclusion', 'a site waits in line'];
    const system = {
      ...whole,
      properties: whole.properties.filter(({ name }) => names.includes(name)),
    } as System;
    const report = await orSkipped(skip, tlc(system, { distributed: { workers: 2 } }));
    expect(opinionOf(await check(system), report).differences).toEqual([]);
    const broken = report.properties.find(({ name }) => name === 'mutual exclusion');
    expect(broken).toMatchObject({ verdict: 'violated' });
    expect(broken?.trace?.steps.length).toBe(4);
  });

  const small = (sites: number) => {
    const whole = naimiTrehel({ sites, network });
    return { ...whole, properties: whole.properties.filter(({ kind }) => kind === 'always') } as System;
  };

  test('fingerprint servers keep the states, and the counts are exact', async ({ skip }) => {
    const kept: number[] = [];
    const distributed = {
      workers: 2,
      fingerprintServers: 2,
      onFingerprintServer: (server: number) => kept.push(server),
    };
    const report = await orSkipped(skip, tlc(small(4), { distributed }));
    expect(kept).toEqual([1, 2]);
    expect(opinionOf(await check(small(4)), report)).toMatchObject({ differences: [], unasked: [] });
  });

  test('it fails when a fingerprint server dies, because its states would be new ones', async ({ skip }) => {
    let victim: number | undefined;
    const run = tlc(small(4), {
      distributed: { workers: 1, fingerprintServers: 2, onFingerprintServer: (_, pid) => (victim = pid) },
      onProgress: (line) => {
        if (!line.includes('Registration for worker') || victim === undefined) return;
        process.kill(victim, 'SIGKILL');
        victim = undefined;
      },
    });
    await expect(orSkipped(skip, run)).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message: expect.stringContaining('A fingerprint server is gone'),
    });
  });

  test('workers of others join at its address for each exploration, and change no count', async () => {
    const whole = naimiTrehel({ sites: 2, network });
    const names = ['mutual exclusion', 'a site waits in line'];
    const system = {
      ...whole,
      properties: whole.properties.filter(({ name }) => names.includes(name)),
    } as System;
    const address = { host: '127.0.0.1', port: randomInt(20_000, 32_768) };
    const lines: string[] = [];
    const joined = joinDistributed(
      process.env['TLA2TOOLS_JAR']!,
      { server: address, workers: 1 },
      { onProgress: (line) => lines.push(line) },
    );
    // The server's own worker sleeps in each exploration until the other one has joined.
    const asleep = new Set<number>();
    const onWorker = (_: number, pid: number) => {
      asleep.add(pid);
      process.kill(pid, 'SIGSTOP');
    };
    const onProgress = (line: string) => {
      if (!line.includes('Registration for worker')) return;
      for (const pid of asleep) process.kill(pid, 'SIGCONT');
      asleep.clear();
    };
    const report = await tlc(system, { distributed: { workers: 1, address, onWorker }, onProgress });
    await joined;
    // One for all states, and one for the state that must be reachable.
    expect(lines).toHaveLength(2);
    expect(opinionOf(await check(system), report)).toMatchObject({ differences: [], unasked: [] });
  });

  test('it fails when no worker is left', async ({ skip }) => {
    const system = naimiTrehel({ sites: 4, network });
    const onWorker = (_: number, pid: number) => process.kill(pid, 'SIGKILL');
    await expect(
      orSkipped(skip, tlc(system, { distributed: { workers: 2, onWorker } })),
    ).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message: expect.stringContaining('Every worker'),
    });
  });
});
