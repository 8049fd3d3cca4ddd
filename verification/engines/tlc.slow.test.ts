import { describe, expect, test } from 'vitest';
import { check } from '../check/check.ts';
import { mutants } from '../protocols/naimi-trehel/mutants.ts';
import { naimiTrehel } from '../protocols/naimi-trehel/system.ts';
import type { System } from '../system/system.ts';
import { EngineError } from './engine.ts';
import { opinionOf } from './opinions.ts';
import { network, systems } from './testing/systems.ts';
import { tlc } from './tlc.ts';

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
