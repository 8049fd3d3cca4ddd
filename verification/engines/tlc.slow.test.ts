import { expect, test } from 'vitest';
import { check } from '../check/check.ts';
import { mutants } from '../protocols/naimi-trehel/mutants.ts';
import { naimiTrehel } from '../protocols/naimi-trehel/system.ts';
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
