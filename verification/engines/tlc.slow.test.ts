import { expect, test } from 'vitest';
import { check } from '../check/check.ts';
import chang from '../examples/chang-roberts.ts';
import dining from '../examples/dining-philosophers.ts';
import polite from '../examples/polite-philosophers.ts';
import twoPhase from '../examples/two-phase-commit.ts';
import { epoch } from '../protocols/epoch/system.ts';
import { line } from '../protocols/line/system.ts';
import { link } from '../protocols/link/system.ts';
import { mutants } from '../protocols/naimi-trehel/mutants.ts';
import { naimiTrehel, naimiTrehelLeaving } from '../protocols/naimi-trehel/system.ts';
import { sketch } from '../protocols/sketch/system.ts';
import type { Network, System } from '../system/system.ts';
import { opinionOf } from './opinions.ts';
import { tlc } from './tlc.ts';

/* TLC against Baton on larger systems. Needs Java, and TLA2TOOLS_JAR. */

const network = { order: 'fifo' } as const;
const site = (sites: number, order: Network['order'] = 'fifo', liveness = false) =>
  naimiTrehel({ sites, network: { order }, liveness });
const modules = {
  'Chang and Roberts': chang,
  'dining philosophers': dining,
  'polite philosophers': polite,
  'two-phase commit': twoPhase,
};

const systems: Readonly<Record<string, System>> = {
  ...(modules as Record<string, System>),
  'naimi-trehel, 4 sites': site(4),
  'naimi-trehel, unordered': site(3, 'unordered'),
  'naimi-trehel, unordered by target': site(3, 'unordered-by-target'),
  'naimi-trehel, each site is served': site(3, 'fifo', true),
  'naimi-trehel, leaving': naimiTrehelLeaving({ sites: 3, network }),
  line: line({ sites: 3, network }),
  link: link({ sites: 2, network, posts: 2, limit: 1, connections: 1, finishes: [] }),
  sketch: sketch({ sites: 2, network }),
  'epoch, 2 sites, crashes and breaks': epoch({
    sites: 2,
    network,
    breaks: 1,
    crashes: 'all',
    restart: 'with disk',
  }),
};

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
