import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { NamedAction, SiteId } from '../../machines/actor.ts';
import type { Fence } from '../../machines/epoch/messages.ts';
import { siteMachine as epochMachine } from '../../machines/epoch/site.ts';
import { type SiteEvent, type SiteSnapshot, siteMachine } from '../../machines/line/site.ts';
import type { RecordLine } from '../../machines/record.ts';
import type { Held } from '../../runtime/api/lock.ts';
import { defaultTiming } from '../../runtime/options/schema.ts';
import { Admission } from '../../runtime/site/admission.ts';
import { start, take } from '../../statechart/xstate.ts';
import { simulatedMutants } from './mutants.ts';
import { ordeal } from './ordeal.ts';
import { Simulation, type SimulationOptions } from './simulation.ts';

const { patienceMs, suspectMinMs } = defaultTiming;

async function opened(options: SimulationOptions): Promise<Simulation> {
  const simulation = new Simulation(options);
  await simulation.openAll();
  await simulation.settle();
  return simulation;
}

/** The lock of `id`, asked for now; `held` once it is granted. */
function wanted(simulation: Simulation, id: SiteId) {
  const wait: { held: Held | null; failure: unknown } = { held: null, failure: null };
  simulation.acquire(id).then(
    (held) => {
      wait.held = held;
    },
    (error: unknown) => {
      wait.failure = error;
    },
  );
  return wait;
}

async function granted(simulation: Simulation, id: SiteId, withinMs = 1_000): Promise<Held> {
  const wait = wanted(simulation, id);
  await simulation.run(withinMs);
  if (!wait.held) throw new Error(`${id} is not granted within ${withinMs} ms`);
  return wait.held;
}

/** The messages that an event sent, each with its target and origin. */
function sent(effects: readonly NamedAction[]): string[] {
  return effects.flatMap((effect) => {
    if (effect.type !== 'send') return [];
    const { type, origin, line } = effect['message'] as {
      type: string;
      origin?: SiteId;
      line?: readonly SiteId[];
    };
    return [`${type}(${origin ?? line}) to ${effect['target']}`];
  });
}

const numberOf = ({ epoch: of, k }: Fence) => of * 1e6 + k;

describe('without failures', () => {
  test('a critical section costs the messages of the line rule and no others', async () => {
    const plain = new Map<SiteId, SiteSnapshot>();
    const differences: unknown[] = [];
    /** Has the statechart of the line rule take the same event, and compares what both send. */
    const witness = (line: RecordLine) => {
      const { site } = line;
      if (line.kind === 'start')
        plain.set(site, start(siteMachine, { self: site, root: 'a', peers: 4 }).snapshot);
      if (line.kind !== 'event') return;
      const { epoch: _, root: __, k: ___, ...event } = line.event as SiteEvent & Record<string, unknown>;
      const { snapshot, effects } = take(siteMachine, plain.get(site)!, event as SiteEvent);
      plain.set(site, snapshot);
      const [expected, found] = [sent(effects), sent(line.effects)];
      if (expected.join() !== found.join()) differences.push({ event, expected, found });
    };
    const simulation = await opened({ sites: 5, seed: 7, witness });
    for (let turn = 0; turn < 300; turn++) {
      const waits = [(turn * turn) % 5, (turn * 3 + 1) % 5].map((at) =>
        wanted(simulation, simulation.ids[at]!),
      );
      while (waits.length > 0) {
        await simulation.run(10);
        const [first] = waits.splice(
          waits.findIndex(({ held }) => held),
          1,
        );
        first!.held!.release();
      }
    }
    expect(differences).toEqual([]);
    const tallies = [...simulation.sites.values()].map(({ mesh }) => mesh.tally);
    expect(tallies.reduce((sum, { entered }) => sum + entered, 0)).toBe(600);
    expect([...tallies[0]!.sent.keys()].sort()).toEqual(['REQUEST', 'TOKEN']);
  });

  test('no site sends a request before a majority is up, and none suspects afterwards', async () => {
    const simulation = new Simulation({ sites: 3, seed: 1 });
    await simulation.open('a');
    const wait = wanted(simulation, 'a');
    await simulation.run(60_000);
    expect(wait.held).toBe(null);
    await simulation.open('b');
    await simulation.run(10);
    expect(wait.held?.fence).toMatchObject({ epoch: 0, k: 1 });
    expect(simulation.elections()).toBe(0);
  });
});

describe('the death', () => {
  test('of the holder lets a waiting site be served under a higher fence', async () => {
    const simulation = await opened({ sites: 3, seed: 1 });
    const { fence } = await granted(simulation, 'a');
    const [b, c] = [wanted(simulation, 'b'), wanted(simulation, 'c')];
    await simulation.run(100);
    simulation.crash('a');
    await simulation.run(500);
    const [first, second] = b.held ? [b, c] : [c, b];
    expect(numberOf(first.held!.fence)).toBeGreaterThan(numberOf(fence));
    first.held!.release();
    await simulation.run(10);
    expect(second.held).not.toBe(null);
  });

  test('of an idle site costs one election, and the critical section of a voting holder goes on', async () => {
    const simulation = await opened({ sites: 3, seed: 2 });
    const held = await granted(simulation, 'a');
    const wait = wanted(simulation, 'b');
    await simulation.run(100);
    simulation.crash('c');
    await simulation.run(patienceMs / 2);
    expect([simulation.elections(), held.signal.aborted, held.fence]).toMatchObject([
      1,
      false,
      { epoch: 0, k: 1 },
    ]);
    held.release();
    await simulation.run(10);
    expect([simulation.elections(), wait.held?.fence]).toMatchObject([1, { epoch: 1, k: 1 }]);
  });

  test.each([0, 500])(
    'of one of many sites costs no holder its lock that answers %i ms late: its vote is awaited',
    async (lateMs) => {
      for (let seed = 0; seed < 30; seed++) {
        const simulation = await opened({ sites: 5, seed });
        const held = await granted(simulation, 'a', 10);
        wanted(simulation, 'b');
        await simulation.run(10);
        simulation.crash('e');
        if (lateMs > 0) await simulation.run(lateMs, 'a');
        await simulation.run(2_000);
        expect([simulation.elections(), held.signal.aborted]).toEqual([1, false]);
      }
    },
  );

  test('of a site for which no other waits costs nothing, and then one election at the next request', async () => {
    const simulation = await opened({ sites: 3, seed: 3 });
    simulation.crash('c');
    await simulation.run(60_000);
    expect(simulation.elections()).toBe(0);
    for (let turn = 0; turn < 20; turn++) {
      (await granted(simulation, turn % 2 === 0 ? 'b' : 'a', 200)).release();
      await simulation.run(1);
    }
    expect(simulation.elections()).toBeLessThanOrEqual(1);
  });

  test('of a candidate right after its election leaves no site waiting', async () => {
    for (let delivered = 0; delivered < 8; delivered++) {
      const simulation = await opened({ sites: 5, seed: delivered });
      await granted(simulation, 'a');
      const wait = wanted(simulation, 'b');
      await simulation.settle();
      simulation.crash('a');
      expect(wait.held).toBe(null);
      while (simulation.contextOf('b').promised === 0) simulation.clock.tick();
      for (let i = 0; i < delivered && simulation.pending().length > 0; i++)
        simulation.hub.deliver(simulation.pending()[0]!);
      simulation.crash('b');
      const [c, d] = [wanted(simulation, 'c'), wanted(simulation, 'd')];
      await simulation.run(5_000);
      expect(Boolean(c.held)).not.toBe(Boolean(d.held));
      expect(numberOf((c.held ?? d.held)!.fence)).toBeGreaterThan(wait.held ? numberOf(wait.held.fence) : 1);
    }
  });

  test('of every holder in turn, which restarts, leaves no site waiting', async () => {
    const simulation = await opened({ sites: 3, seed: 5 });
    let highest = 0;
    for (let turn = 0; turn < 12; turn++) {
      const [holder, next] = [simulation.ids[turn % 3]!, simulation.ids[(turn + 1) % 3]!];
      const held = await granted(simulation, holder, 3_000);
      const wait = wanted(simulation, next);
      await simulation.run(50);
      simulation.crash(holder);
      await simulation.run(3_000);
      expect(numberOf(held.fence)).toBeGreaterThan(highest);
      highest = numberOf(wait.held!.fence);
      expect(highest).toBeGreaterThan(numberOf(held.fence));
      wait.held!.release();
      await simulation.open(holder);
    }
  });

  test('of the only other voter, which restarts with its disk, leaves no site waiting', async () => {
    const simulation = await opened({ sites: 3, seed: 6 });
    simulation.crash('c');
    (await granted(simulation, 'b')).release();
    simulation.crash('b');
    const wait = wanted(simulation, 'a');
    await simulation.run(60_000);
    expect(wait.held).toBe(null);
    await simulation.open('b');
    await simulation.run(1_000);
    expect(wait.held).not.toBe(null);
  });
});

describe('a waiting site', () => {
  test('wins against another one after few elections', async () => {
    const elections: number[] = [];
    for (let seed = 0; seed < 100; seed++) {
      const simulation = await opened({ sites: 3, seed });
      await granted(simulation, 'a');
      const waits = ['b', 'c'].map((id) => wanted(simulation, id));
      simulation.crash('a');
      // They stand in the same instant, whatever the jitter says.
      await simulation.settle();
      for (const id of ['b', 'c']) simulation.sites.get(id)!.place.suspect({ reason: 'death', down: {} });
      await simulation.run(3_000);
      expect(waits.filter(({ held }) => held)).toHaveLength(1);
      const [b, c] = ['b', 'c'].map((id) => simulation.sites.get(id)!.mesh.tally);
      elections.push(1 + b!.suspicions + c!.suspicions);
    }
    expect(Math.max(...elections)).toBeLessThanOrEqual(6);
  });

  test('starts one election while a site is dead, however long it waits', async () => {
    const simulation = await opened({ sites: 5, seed: 4 });
    await granted(simulation, 'a');
    wanted(simulation, 'b');
    wanted(simulation, 'c');
    await simulation.run(100);
    simulation.crash('e');
    await simulation.run(patienceMs - 100);
    expect(simulation.elections()).toBe(1);
    // Out of patience: each time after twice as long, so that in an hour it is a few.
    await simulation.run(3_600_000);
    expect(simulation.elections()).toBeLessThan(25);
  });

  test('starts no election while all sites live, however long it waits', async () => {
    const simulation = await opened({ sites: 3, seed: 4 });
    const held = await granted(simulation, 'a');
    const wait = wanted(simulation, 'b');
    await simulation.run(3_600_000);
    expect(simulation.elections()).toBe(0);
    held.release();
    await simulation.run(1);
    expect(wait.held?.fence).toMatchObject({ epoch: 0, k: 2 });
  });

  test('that is cut off for less than the jitter suspects no site', async () => {
    const simulation = await opened({ sites: 3, seed: 4 });
    await granted(simulation, 'a');
    wanted(simulation, 'b');
    await simulation.run(100);
    simulation.cut('a', 'b');
    await simulation.run(suspectMinMs - 1);
    simulation.restore('a', 'b');
    await simulation.run(60_000);
    expect(simulation.elections()).toBe(0);
  });
});

describe('a partition', () => {
  test('leaves the holder in the minority inside until it learns of its loss, and the majority goes on', async () => {
    const simulation = await opened({ sites: 5, seed: 8 });
    const held = await granted(simulation, 'a');
    const inMinority = wanted(simulation, 'b');
    const inMajority = wanted(simulation, 'c');
    await simulation.run(100);
    for (const one of ['a', 'b']) for (const other of ['c', 'd', 'e']) simulation.cut(one, other);
    await simulation.run(10_000);
    expect(held.signal.aborted).toBe(false);
    expect(numberOf(inMajority.held!.fence)).toBeGreaterThan(numberOf(held.fence));
    expect(inMinority.held).toBe(null);
    inMajority.held!.release();
    simulation.healAll();
    await simulation.run(1_000);
    expect(held.signal.reason).toMatchObject({ code: 'LOCK_LOST' });
    held.release();
    expect(inMinority.held).not.toBe(null);
    inMinority.held!.release();
    await simulation.run(10);
    for (const id of simulation.ids) (await granted(simulation, id)).release();
  });

  test('without a majority grants nothing, and afterwards every caller is served', async () => {
    const simulation = await opened({ sites: 4, seed: 9 });
    for (const one of ['a', 'b']) for (const other of ['c', 'd']) simulation.cut(one, other);
    const waits = simulation.ids.map((id) => wanted(simulation, id));
    await simulation.run(60_000);
    expect(simulation.granted).toEqual([]);
    simulation.healAll();
    for (let turn = 0; turn < 4; turn++) {
      await simulation.run(1_000);
      const wait = waits.find(({ held }) => held)!;
      waits.splice(waits.indexOf(wait), 1);
      wait.held!.release();
    }
    expect(waits).toEqual([]);
  });
});

describe('a root with no room for a lock that another asks for', () => {
  const asked = async (options: Pick<SimulationOptions, 'statechart'> = {}) => {
    const simulation = await opened({ sites: 3, seed: 3, roomless: ['a'], ...options });
    const held = await granted(simulation, 'b');
    return { simulation, held };
  };

  test('answers OVER, and the others elect an epoch without it', async () => {
    const { held } = await asked();
    expect(held.fence).toMatchObject({ epoch: 1, k: 1 });
  });

  test('control: without M5 the others wait for it for ever', async () => {
    const statechart = epochMachine.provide({ guards: { waitsInVain: () => false } });
    await expect(asked({ statechart })).rejects.toThrow('b is not granted');
  });

  test('has no token when it uses the lock itself later', async () => {
    const { simulation } = await asked();
    expect(simulation.sites.get('a')!.place.queue.tryAcquire()).toBeNull();
  });

  test('control: if it took itself for the root, two sites would be inside at once', async () => {
    const mock = vi.spyOn(Admission.prototype, 'mayHaveRefused').mockReturnValue(false);
    onTestFinished(() => mock.mockRestore());
    const { simulation } = await asked();
    expect(simulation.sites.get('a')!.place.queue.tryAcquire()?.fence).toMatchObject({ epoch: 0, k: 1 });
  });
});

describe('the simulation itself', () => {
  test('joins a site again that stopped while it was suspended, since its disk failed', async () => {
    const simulation = await opened({ sites: 4, seed: 1 });
    await granted(simulation, 'b');
    wanted(simulation, 'a');
    await simulation.run(10);
    // It stands, and writes, as it hears that a majority is out of reach, before the last link is cut.
    simulation.failDisk('a');
    simulation.suspend('a');
    expect(simulation.sites.has('a')).toBe(false);
    await simulation.open('a');
    expect(simulation.sites.get('a')!.mesh.reached.toSorted()).toEqual(['b', 'c', 'd']);
  });

  test('takes no lease for one that lasts too long while its site is suspended (S6)', async () => {
    const simulation = new Simulation({ sites: 1, seed: 1, strict: { leaseMs: 60, driftShare: 0.1 } });
    await simulation.openAll();
    await simulation.run(1_000);
    const acquired = simulation.acquire('a');
    await simulation.run(1);
    const held = await acquired;
    simulation.suspend('a');
    await simulation.run(1_000);
    simulation.resume('a');
    // Its heartbeat comes before the end of its lease, and it alone is a majority.
    await simulation.run(20);
    expect(held.signal.aborted).toBe(false);
  });

  test('has a suspended site hear of nothing, also not of a site that starts', async () => {
    const events: string[] = [];
    const simulation = new Simulation({
      sites: 3,
      seed: 1,
      witness: (line) => void (line.kind === 'start' || events.push(line.site)),
    });
    await simulation.openAll();
    await simulation.run(1_000);
    simulation.suspend('a');
    simulation.crash('b');
    const before = simulation.sites.get('a')!.notices.length;
    events.length = 0;
    await simulation.open('b');
    void simulation.acquire('b');
    await simulation.run(1_000);
    simulation.hub.lose('a', 'b');
    expect([events.includes('a'), simulation.sites.get('a')!.notices.length]).toEqual([false, before]);
    expect(simulation.sites.get('b')!.mesh.reached).toEqual(['c']);
    simulation.resume('a');
    await simulation.run(1);
    expect(simulation.sites.get('b')!.mesh.reached.toSorted()).toEqual(['a', 'c']);
  });

  test('a caller at a suspended site does nothing', async () => {
    const simulation = new Simulation({ sites: 1, seed: 1 });
    await simulation.openAll();
    let isAwake = false;
    void simulation.sleepAt('a', 10).then(() => {
      isAwake = true;
    });
    simulation.suspend('a');
    await simulation.run(1_000);
    expect(isAwake).toBe(false);
    simulation.resume('a');
    await simulation.run(1);
    expect(isAwake).toBe(true);
  });

  test('takes no site for one that waits which was served, however long the others hold the lock', async () => {
    await ordeal({ sites: 3, seed: 3, holdMs: 300 }, 1_000);
  });

  test('leaves nothing running behind a promise that is broken', async () => {
    let stopped: Simulation | null = null;
    const stop = vi.spyOn(Simulation.prototype, 'stop').mockImplementation(function (this: Simulation) {
      stopped = this;
      stop.mockRestore();
      return this.stop();
    });
    await expect(
      ordeal({ sites: 3, seed: 1, statechart: epochMachine.provide({ guards: { elected: () => true } }) }),
    ).rejects.toThrow(/^S[12]|INVARIANT_BROKEN/);
    const { clock, sites } = stopped!;
    expect([clock.next, [...sites.values()].map(({ mesh }) => mesh.majority)]).toEqual([
      null,
      [...sites].map(() => false),
    ]);
  });
});

describe('under any failures in any order', () => {
  test.each([
    [3, 25],
    [5, 12],
  ])('%i sites keep every promise, and all are served when it is over', async (sites, seeds) => {
    for (let seed = 1; seed <= seeds; seed++) {
      await ordeal({ sites, seed }).catch((error: Error) => {
        throw new Error(`seed ${seed}: ${error.message}`, { cause: error });
      });
    }
  });

  /** The root is one of them. */
  const roomless = ['a', 'c'];

  test('sites without room for a lock until they use it themselves keep every property', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      await ordeal({ sites: 5, seed, roomless }).catch((error: Error) => {
        throw new Error(`seed ${seed}: ${error.message}`, { cause: error });
      });
    }
  });

  const strict = { leaseMs: 60, driftShare: 0.1 };

  test('with leases no two sites are inside with a valid lease, although clocks drift (S6)', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      await ordeal({ sites: 3, seed, strict }).catch((error: Error) => {
        throw new Error(`seed ${seed}: ${error.message}`, { cause: error });
      });
    }
  });

  /** The first harm in forty seeds. */
  async function firstHarm(
    options: Omit<SimulationOptions, 'seed'>,
    steps?: number,
  ): Promise<string | undefined> {
    for (let seed = 1; seed <= 40; seed++) {
      const harm = await ordeal({ ...options, seed }, steps).then(
        () => undefined,
        ({ message }: Error) => message,
      );
      if (harm !== undefined) return harm;
    }
    return undefined;
  }

  test.each<[string, Omit<SimulationOptions, 'seed'>, RegExp]>([
    ['a disk that does not keep what it was told to', { sites: 3, syncs: false }, /^S[123]/],
    [
      'a site that takes itself for a majority',
      { sites: 3, believes: (site) => [site] },
      /^(S[123]|minority)/,
    ],
    [
      'a promise that is over before the lease',
      { sites: 3, strict: { leaseMs: 60, driftShare: -0.8 }, driftShare: 0 },
      /^S6/,
    ],
    [
      'a site that never suspects another',
      { sites: 3, timing: { suspectMinMs: 1e9, suspectMaxMs: 1e9, electionMinMs: 1e9, electionMaxMs: 1e9 } },
      /wait though nothing fails any more/,
    ],
  ])('%s is seen', async (_, options, harm) => {
    expect(await firstHarm(options)).toMatch(harm);
  });

  test('sites keep every promise while one at a time is cut off', async () => {
    for (let seed = 1; seed <= 5; seed++) await ordeal({ sites: 3, seed, faults: 'isolate' }, 1_000);
  });

  const mutated = (name: string) => simulatedMutants.get(`epoch/${name}`)!.mutated;

  test.each([
    ['R2: the token of before is kept', /^INVARIANT_BROKEN: [abc] after [A-Z]+: L[23]/],
    ['R6: the winner takes the token from any holder', /^S4: at [abc], no chain of messages puts it /],
    ['R2: the fence rises inside a critical section', /^R2: [abc] was granted /],
    ['again: a frozen site goes on', /^R3: [abc] is granted while it is frozen with the token/],
  ])('mutant %s: seen where holders are cut off', async (name, harm) => {
    const where = { sites: 3, faults: 'isolate', holdMs: 300 } as const;
    expect(await firstHarm({ ...where, ...mutated(name) }, 1_000)).toMatch(harm);
  });

  test.each([
    [
      'R12: entries of the token go before the own line',
      /^bounded overtaking: /,
      { sites: 4, pauseMs: 0, holdMs: 4 },
    ],
    [
      'R12: a site that asks again leaves no entry',
      /^R12: [abc] hands on a line that ends with [abc], and sends requests to null/,
      { sites: 3, pauseMs: 5 },
    ],
  ])('mutant %s: seen where sites soon want the lock again', async (name, harm, where) => {
    expect(await firstHarm({ ...where, ...mutated(name) }, 200)).toMatch(harm);
  });
});
