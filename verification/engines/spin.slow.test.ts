import { expect, test } from 'vitest';
import { check } from '../check/check.ts';
import chang from '../examples/chang-roberts.ts';
import dining from '../examples/dining-philosophers.ts';
import twoPhase from '../examples/two-phase-commit.ts';
import { epoch } from '../protocols/epoch/system.ts';
import { mutants } from '../protocols/naimi-trehel/mutants.ts';
import { naimiTrehel, naimiTrehelLeaving } from '../protocols/naimi-trehel/system.ts';
import { sketch } from '../protocols/sketch/system.ts';
import type { Network, System } from '../system/system.ts';
import { opinionOf } from './opinions.ts';
import { spin } from './spin.ts';

/* SPIN against Baton on larger systems: compiling and exploring takes minutes. Needs spin and gcc. */

const network = { order: 'fifo' } as const;
const site = (sites: number, order: Network['order'] = 'fifo', liveness = false) =>
  naimiTrehel({ sites, network: { order }, liveness });
const modules = { 'Chang and Roberts': chang, 'dining philosophers': dining, 'two-phase commit': twoPhase };

const systems: Readonly<Record<string, System>> = {
  ...(modules as Record<string, System>),
  'naimi-trehel, 4 sites': site(4),
  'naimi-trehel, 5 sites': site(5),
  'naimi-trehel, unordered': site(3, 'unordered'),
  'naimi-trehel, unordered by target': site(3, 'unordered-by-target'),
  'naimi-trehel, each site is served': site(3, 'fifo', true),
  'naimi-trehel, leaving': naimiTrehelLeaving({ sites: 3, network }),
  sketch: sketch({ sites: 2, network }),
  epoch: epoch({ sites: 3, network }),
};

test.each(Object.entries(systems))(
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

test.each(Object.entries(mutants))('%s: is refuted by both', { timeout: 300_000 }, async (name, machine) => {
  const system = naimiTrehel({ sites: endless.includes(name) ? 2 : 3, network, machine });
  const [ours, theirs] = [await check(system), await spin(system)];
  expect(opinionOf(ours, theirs).differences).toEqual([]);
  expect(theirs.properties.some(({ verdict }) => verdict === 'violated')).toBe(true);
});
