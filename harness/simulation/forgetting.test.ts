import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { InvariantError } from '../../runtime/api/errors.ts';
import { MembersActor } from '../../runtime/site/members-actor.ts';
import { ordeal } from './ordeal.ts';
import { Simulation, type SimulationOptions } from './simulation.ts';

afterEach(() => void vi.restoreAllMocks());

const forgetful = { forgets: true, pauseMs: 600, timing: { forgetAfterMs: 4 } } as const;

/** Runs an ordeal, and counts how often a site said that the lock may be forgotten. */
async function forgetting(options: Pick<SimulationOptions, 'seed' | 'sites' | 'strict'>): Promise<number> {
  let forgotten = 0;
  const witness: SimulationOptions['witness'] = (line) => {
    if (line.kind === 'event') forgotten += line.effects.filter(({ type }) => type === 'forgotten').length;
  };
  await ordeal({ ...forgetful, ...options, witness }, 600);
  return forgotten;
}

/** One lock that is used and forgotten in turn, with no fault: the fences in the order of the grants, as numbers. */
async function fences(seed: number): Promise<readonly number[]> {
  const simulation = new Simulation({ ...forgetful, sites: 3, seed });
  await simulation.openAll();
  await simulation.settle();
  for (let turn = 0; turn < 40; turn++) {
    const granted = simulation.acquire(simulation.ids[Math.floor(simulation.random() * 3)]!);
    await simulation.run(1_000);
    (await granted).release();
    // Waits long enough for the lock to be forgotten, or not.
    await simulation.run(simulation.random() < 0.7 ? 100 : 1);
  }
  expect(simulation.elections()).toBeGreaterThan(15);
  return simulation.granted.map(({ fence: { epoch, k } }) => epoch * 1e6 + k);
}

const rise = (numbers: readonly number[]) =>
  numbers.every((number, at) => at === 0 || number > numbers[at - 1]!);

describe('an unused lock is forgotten by all sites (R13)', () => {
  test('through crashes and cuts, with every property kept and every site served', async () => {
    let forgotten = 0;
    for (let seed = 1; seed <= 4; seed++) forgotten += await forgetting({ seed, sites: 3 + (seed % 3) });
    expect(forgotten).toBeGreaterThan(200);
  });

  test('under leases', async () => {
    let forgotten = 0;
    for (let seed = 1; seed <= 4; seed++)
      forgotten += await forgetting({ seed, sites: 3, strict: { leaseMs: 60, driftShare: 0.1 } });
    expect(forgotten).toBeGreaterThan(100);
  });

  test('a site that forgets it as a request is on its way to it does not begin its last epoch anew', async () => {
    const crossing = { pauseMs: 30, holdMs: 1, slow: true, faults: 'none' } as const;
    await ordeal({ ...forgetful, ...crossing, sites: 2, seed: 600_023, endsAtOver: true }, 1_000);
  });

  test('also where its token was lost, so that no site can say that it is forgotten', async () => {
    const simulation = new Simulation({ ...forgetful, sites: 3, seed: 1 });
    await simulation.openAll();
    await simulation.settle();
    const granted = simulation.acquire('c');
    await simulation.run(100);
    (await granted).release();
    simulation.crash('c');
    await simulation.open('c');
    await simulation.run(2_000);
    for (const { mesh } of simulation.sites.values()) expect(mesh.locks).toBe(0);
  });

  test('and its fences rise without faults, however often that happens', async () => {
    for (let seed = 1; seed <= 2; seed++) {
      const numbers = await fences(seed);
      expect(numbers.length).toBeGreaterThanOrEqual(40);
      expect(rise(numbers)).toBe(true);
    }
  });

  test('a site that ends as it brings such a lock back leaves no error that nobody handles', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    onTestFinished(() => void process.off('unhandledRejection', unhandled));
    const simulation = new Simulation({ ...forgetful, sites: 3, seed: 1 });
    await simulation.openAll();
    await simulation.settle();
    const granted = simulation.acquire('c');
    await simulation.run(100);
    (await granted).release();
    await simulation.run(2_000);
    const { mesh, place } = simulation.sites.get('b')!;
    // It asks for the lock by itself, since its token is nowhere.
    expect(place.queue.tryAcquire()).toBeNull();
    while (place.waiting === 0) expect(simulation.clock.tick()).toBe(true);
    mesh.crash(new InvariantError('EFFECT_FAILED', 'its disk is full'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).not.toHaveBeenCalled();
  });

  test('control: without the kept promise a fence falls', async () => {
    vi.spyOn(MembersActor.prototype, 'raiseFloor').mockImplementation(() => {});
    const broken = await Promise.all([1, 2].map((seed) => fences(seed).then(rise, () => false)));
    expect(broken).toEqual([false, false]);
  });
});
