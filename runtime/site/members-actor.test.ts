import { describe, expect, test } from 'vitest';
import { Simulation } from '../../harness/simulation/simulation.ts';
import type { OperatingError } from '../api/errors.ts';
import type { Channel } from '../mailbox/memory.ts';
import type { WantedChange } from './members-actor.ts';

/** Delivers what is under way on these channels, the first of them first, until nothing is or it is enough. */
async function deliver(simulation: Simulation, channels: readonly string[], isEnough = () => false) {
  const rank = ({ source, target }: Channel) => channels.indexOf(`${source} to ${target}`);
  while (!isEnough()) {
    await Promise.resolve();
    const [next] = simulation
      .pending()
      .filter((channel) => rank(channel) >= 0)
      .toSorted((one, other) => rank(one) - rank(other));
    if (!next) return;
    simulation.hub.deliver(next);
  }
}

test.each([
  ['another site told it the same', false],
  ['the removed site went out of reach', true],
])(
  'a change is agreed on where a voter, which did not vote for the coordinator, adopts it because %s',
  async (_, isCut) => {
    const simulation = new Simulation({ sites: 3, seed: 1, changes: true });
    const { clock, sites } = simulation;
    await simulation.openAll();
    await simulation.settle();
    const at = (id: string) => sites.get(id)!.mesh;
    // Both stand for term 1. So c does not vote for a.
    const ofC = at('c')
      .change({ add: 'c' }, 1)
      .catch(({ code }) => code);
    let isDone = false;
    void at('a')
      .change({ remove: 'b' }, 10_000)
      .then(() => {
        isDone = true;
      });
    clock.tick();
    clock.tick();
    await deliver(simulation, ['a to b', 'b to a', 'a to c']);
    expect(at('a').configuration).toMatchObject({ term: 1, version: 2 });
    expect(at('c').configuration).toMatchObject({ term: 0, version: 1 });

    if (isCut) simulation.cut('b', 'c');
    else await deliver(simulation, ['b to c']);
    expect(at('c').configuration).toMatchObject({ term: 1, version: 2 });
    await simulation.run(1);
    expect(isDone).toBe(true);
    expect(await ofC).toBe('CHANGE_TIMEOUT');
  },
);

test('a change after which no majority would be in reach is not begun, since none could undo it', async () => {
  const simulation = new Simulation({ sites: 3, seed: 1, changes: true });
  const { sites } = simulation;
  await simulation.openAll();
  await simulation.settle();
  const at = (id: string) => sites.get(id)!.mesh;
  const refused = async (change: WantedChange) => {
    const error = at('a')
      .change(change, 500)
      .catch((reason: OperatingError) => reason);
    await simulation.run(1_000);
    return `${await error}`;
  };
  const voters = () => [at('a'), at('b')].map(({ configuration }) => Object.keys(configuration!.voters));
  simulation.crash('c');
  expect(await refused({ remove: 'b' })).toMatch('without b no majority would be in reach (not in reach: c)');
  expect(voters()).toEqual([
    ['a/a', 'b/b', 'c/c'],
    ['a/a', 'b/b', 'c/c'],
  ]);
  const removed = at('a').change({ remove: 'c' }, 500);
  await simulation.run(1_000);
  await removed;
  // Its data as they were met are not there any more.
  simulation.empty('c');
  expect(await refused({ add: 'c' })).toMatch('a does not reach c, which is to be added');
  expect(voters()).toEqual([
    ['a/a', 'b/b'],
    ['a/a', 'b/b'],
  ]);
  const added = at('a').change({ add: 'c' }, 2_000);
  await simulation.open('c');
  await simulation.run(2_000);
  await added;
  expect(voters()[0]).toHaveLength(3);
});

test('a site that is removed by another one while it removes itself knows when that is agreed on', async () => {
  const simulation = new Simulation({ sites: 5, seed: 1, changes: true });
  await simulation.openAll();
  await simulation.settle();
  const at = (id: string) => simulation.sites.get(id)!.mesh;
  const removals = ['a', 'b', 'e'].map((id) => at(id).change({ remove: 'e' }, 1_000));
  const all = Promise.allSettled(removals);
  await simulation.run(1_000);
  expect((await all).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
});

test('and waits where no majority of the voters says so', async () => {
  const simulation = new Simulation({ sites: 3, seed: 1, changes: true });
  const { clock, sites } = simulation;
  await simulation.openAll();
  await simulation.settle();
  const at = (id: string) => sites.get(id)!.mesh;
  void at('a')
    .change({ remove: 'c' }, 10_000)
    .catch(() => undefined);
  const own = at('c')
    .change({ remove: 'c' }, 1_000)
    .catch(({ code }) => code);
  // Only the coordinator and the site that it removes hold the change.
  while (at('a').configuration!.version === 1) {
    clock.tick();
    await deliver(
      simulation,
      ['a to b', 'b to a', 'a to c', 'c to a'],
      () => at('a').configuration!.version === 2,
    );
  }
  simulation.cut('a', 'b');
  simulation.cut('b', 'c');
  await simulation.run(1_500);
  expect(Object.keys(at('c').configuration!.voters)).toEqual(['a/a', 'b/b']);
  expect(await own).toBe('CHANGE_TIMEOUT');
});

test('a coordinator goes on after it was asked to remove the last voter', async () => {
  const simulation = new Simulation({ sites: 2, seed: 1, changes: true });
  const { sites } = simulation;
  await simulation.openAll();
  await simulation.settle();
  const at = (id: string) => sites.get(id)!.mesh;
  // When the second is asked for there are two.
  const changes = [at('a').change({ remove: 'b' }, 5_000), at('a').change({ remove: 'a' }, 5_000)];
  const all = Promise.allSettled(changes);
  await simulation.run(1_000);
  expect(await all).toMatchObject([
    { status: 'fulfilled' },
    { status: 'rejected', reason: { code: 'TOO_FEW_VOTERS' } },
  ]);
  // It asks to be added.
  simulation.crash('b');
  await simulation.open('b');
  await simulation.run(2_000);
  expect(Object.keys(at('b').configuration!.voters)).toEqual(['a/a', 'b/b']);
});

test('two coordinators that wait for the promises of leases to be over do not outdo one another again and again', async () => {
  let terms = 0;
  for (let seed = 1; seed <= 10; seed++) {
    const strict = { leaseMs: 60, driftShare: 0.1 };
    const simulation = new Simulation({ sites: 5, seed, changes: true, strict });
    await simulation.openAll();
    await simulation.run(1_000);
    const at = (id: string) => simulation.sites.get(id)!.mesh;
    const changes = Promise.all([
      at('a').change({ remove: 'd' }, 5_000),
      at('b').change({ remove: 'e' }, 5_000),
    ]);
    await simulation.run(1_000);
    await changes;
    terms += at('c').configuration!.term;
  }
  expect(terms).toBeLessThan(60);
});

describe('in strict mode', () => {
  const promiseMs = 600;
  const strict = { leaseMs: promiseMs, driftShare: 0 };
  const begun = async (sites: number) => {
    const simulation = new Simulation({ sites, seed: 1, changes: true, strict });
    await simulation.openAll();
    await simulation.run(2 * promiseMs);
    return simulation;
  };

  test('a change of voters that were committed long ago is made at once, and the next one after the promises of before', async () => {
    const simulation = await begun(5);
    const { clock, sites } = simulation;
    const begunAt = clock.now();
    const made = (by: string, remove: string) =>
      sites
        .get(by)!
        .mesh.change({ remove }, 10_000)
        .then(() => clock.now() - begunAt);
    const changes = Promise.all([made('b', 'd'), made('b', 'e')]);
    await simulation.run(3 * promiseMs);
    const [first, second] = await changes;
    expect(first).toBeLessThan(promiseMs / 4);
    expect(second).toBeGreaterThanOrEqual(promiseMs);
    expect(second).toBeLessThan(1.25 * promiseMs);
  });

  test('all but one may leave at once, though that takes longer than a close otherwise may', async () => {
    const simulation = await begun(5);
    const leaving = Promise.all(
      ['a', 'b', 'c', 'e'].map((id) => simulation.sites.get(id)!.mesh.leave(promiseMs, true)),
    );
    await simulation.run(10 * promiseMs);
    await leaving;
    const { configuration, majority } = simulation.sites.get('d')!.mesh;
    expect([Object.keys(configuration!.voters), majority]).toEqual([['d/d'], true]);
  });
});

test('a site asks again when the configuration that added it is lost', async () => {
  const simulation = new Simulation({ sites: 3, seed: 1, changes: true });
  const { clock, sites } = simulation;
  await simulation.openAll();
  await simulation.settle();
  const at = (id: string) => sites.get(id)!.mesh;
  simulation.empty('d');
  for (const other of ['b', 'c']) simulation.cut(other, 'd');
  await simulation.open('d');
  await deliver(simulation, ['d to a', 'a to d']);
  // The first voter adds it by itself, and reaches nobody but that site when it has written its change.
  while (at('a').configuration!.version === 1) {
    clock.tick();
    await deliver(simulation, ['a to b', 'b to a'], () => at('a').configuration!.version === 2);
  }
  for (const other of ['b', 'c']) simulation.cut('a', other);
  await deliver(simulation, ['a to d']);
  expect(at('d').configuration).toMatchObject({ version: 2 });

  // The others agree on the configuration before.
  void at('b').change({ add: 'b' }, 10_000);
  for (const other of ['b', 'c']) simulation.restore(other, 'd');
  await simulation.run(3_000);
  for (const id of ['b', 'c', 'd'])
    expect(Object.keys(at(id).configuration!.voters)).toContain(`d/${simulation.idOf('d')}`);
  const held = simulation.acquire('d');
  await simulation.run(3_000);
  expect((await held).signal.aborted).toBe(false);
});

test.each([
  ['still asks', true, ['a', 'c', 'd']],
  ['asks no longer', false, ['a', 'c']],
])('there is room for a site that asked when there was none, and it %s', async (_, goesOn, expected) => {
  let wants = true;
  const fits = { mostVoters: 3, asks: (site: string) => site === 'd' && wants };
  const simulation = new Simulation({ sites: 3, seed: 1, changes: true, fits });
  await simulation.openAll();
  await simulation.settle();
  const at = (id: string) => simulation.sites.get(id)!.mesh;
  const votersOf = (id: string) =>
    Object.keys(at(id).configuration!.voters).map((voter) => voter.split('/')[0]);
  simulation.empty('d');
  await simulation.open('d');
  await simulation.run(3_000);
  expect(votersOf('a').toSorted()).toEqual(['a', 'b', 'c']);
  wants = goesOn;
  await simulation.run(3_000);
  void at('a').change({ remove: 'b' }, 10_000);
  await simulation.run(10_000);
  for (const id of ['a', 'c']) expect(votersOf(id).toSorted()).toEqual(expected);
});
