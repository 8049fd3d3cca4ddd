import { expect, test } from 'vitest';
import { check } from '../check/check.ts';
import raft from '../examples/raft-election.ts';
import { epoch } from '../protocols/epoch/system.ts';
import { mutants } from '../protocols/naimi-trehel/mutants.ts';
import { naimiTrehel } from '../protocols/naimi-trehel/system.ts';
import type { System } from '../system/system.ts';
import { opinionOf } from './opinions.ts';
import { spin } from './spin.ts';
import { network, systems } from './testing/systems.ts';

/* SPIN against Baton on larger systems: compiling and exploring takes minutes. Needs spin and gcc. */

const larger: Readonly<Record<string, System>> = {
  'naimi-trehel, 5 sites': naimiTrehel({ sites: 5, network }),
  "Raft's election": raft,
  'epoch, 3 sites': epoch({ sites: 3, network }),
};

test.each(Object.entries({ ...systems, ...larger }))(
  '%s: counts and verdicts agree',
  { timeout: 900_000 },
  async (_, system) => {
    expect(opinionOf(await check(system), await spin(system)).differences).toEqual([]);
  },
);

/** With three sites these have no end, and a table needs all states. */
const endless: readonly string[] = [
  'the token is sent twice on release',
  'next stays after the token is passed',
];

test.each(Object.entries(mutants))('%s: is refuted by both', { timeout: 900_000 }, async (name, machine) => {
  const system = naimiTrehel({ sites: endless.includes(name) ? 2 : 3, network, machine });
  const [ours, theirs] = [await check(system), await spin(system)];
  expect(opinionOf(ours, theirs).differences).toEqual([]);
  expect(theirs.properties.some(({ verdict }) => verdict === 'violated')).toBe(true);
});
