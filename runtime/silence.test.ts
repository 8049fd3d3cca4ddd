import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type Cluster,
  type ClusterOptions,
  type Held,
  joinCluster,
  type Logger,
  systemClock,
} from './index.ts';
import { anyPort, openMembers } from './testing/cluster.ts';
import { eventually } from './testing/eventually.ts';

const three = ['a', 'b', 'c'];
const nowhere = { host: '127.0.0.1', port: 1 };
const timing = { heartbeatMs: 50, failureTimeoutMs: 200, electionMaxMs: 200 };
const lost = expect.objectContaining({ code: 'LOCK_LOST' });

/** On a busy machine it is over before anybody listens. */
const overAsOf = ({ signal }: Held) =>
  new Promise((over) => (signal.aborted ? over(signal) : signal.addEventListener('abort', over)));

async function alone(options: Partial<ClusterOptions> = {}): Promise<Cluster> {
  const cluster = await joinCluster({
    ...{ cluster: 'test', site: 'a', listen: anyPort, peers: { b: nowhere, c: nowhere } },
    ...options,
  });
  onTestFinished(() => cluster.close({ graceful: false }));
  return cluster;
}

/** The warnings that Node was given meanwhile. */
function warnings(): Error[] {
  const told: Error[] = [];
  const listener = (warning: Error) => void told.push(warning);
  process.on('warning', listener);
  onTestFinished(() => void process.off('warning', listener));
  return told;
}

describe('the lock is lost under the work of a run', () => {
  test('run rejects with the loss, however the work ended; keepResult has the result', async () => {
    for (const [options, outcome] of [
      [undefined, 'LOCK_LOST'],
      [{ keepResult: false }, 'LOCK_LOST'],
      [{ keepResult: true }, 'done'],
    ] as const) {
      await using group = await openMembers(three, { timing, strict: { leaseMs: 200 } });
      const [a, b, c] = group.members;
      const runs = a!.lock.run(async (held) => {
        await Promise.all([b, c].map((member) => member!.cluster.close({ graceful: false })));
        await overAsOf(held);
        return 'done';
      }, options);
      expect(await runs.catch(({ code }) => code)).toBe(outcome);
    }
  });

  test('an error that the work throws itself comes first', async () => {
    await using group = await openMembers(three, { timing, strict: { leaseMs: 200 } });
    const [a, b, c] = group.members;
    const runs = a!.lock.run(async (held) => {
      await Promise.all([b, c].map((member) => member!.cluster.close({ graceful: false })));
      await overAsOf(held);
      throw new Error('of the work');
    });
    await expect(runs).rejects.toThrow('of the work');
  });
});

describe('a leader in a minority', () => {
  test('gives up, and leads again when it reaches a majority', async () => {
    await using group = await openMembers(three, { timing });
    const [a, b, c] = group.members;
    const reasons: unknown[] = [];
    let terms = 0;
    const leads = a!.cluster.lead(
      'cron',
      async (held) => {
        terms += 1;
        await overAsOf(held);
        reasons.push(held.signal.reason);
      },
      { retryMs: 5 },
    );
    await eventually(() => expect(leads.leading).toBe(true));
    await b!.cluster.close({ graceful: false });
    await new Promise((resolve) => setTimeout(resolve, 2 * timing.failureTimeoutMs));
    expect([leads.leading, terms]).toEqual([true, 1]);
    await c!.cluster.close({ graceful: false });
    await eventually(() => expect(leads.leading).toBe(false));
    await eventually(() => expect(reasons).toEqual([lost]));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(terms).toBe(1);
    await leads.close();
  });

  test('goes on where it is told to', async () => {
    await using group = await openMembers(three, { timing });
    const [a, b, c] = group.members;
    await using leads = a!.cluster.lead('cron', async (held) => void (await overAsOf(held)), {
      abortInMinority: false,
    });
    await eventually(() => expect(leads.leading).toBe(true));
    for (const member of [b, c]) await member!.cluster.close({ graceful: false });
    await new Promise((resolve) => setTimeout(resolve, 2 * timing.failureTimeoutMs));
    expect(leads.leading).toBe(true);
  });

  test('many campaigns with one signal cause no warning of a leak', async () => {
    const told = warnings();
    await using group = await openMembers(['a']);
    const stop = new AbortController();
    const all = Array.from({ length: 30 }, (_, index) =>
      group.members[0]!.cluster.lead(`l${index}`, overAsOf as (held: Held) => Promise<void>, {
        signal: stop.signal,
      }),
    );
    await eventually(() => expect(all.every(({ leading }) => leading)).toBe(true));
    stop.abort();
    await Promise.all(all.map((leads) => leads.close()));
    expect(told).toEqual([]);
  });
});

describe('a holder in a minority', () => {
  const leftAlone = async (abortInMinority?: boolean) => {
    const group = await openMembers(three, { timing, ...(abortInMinority && { abortInMinority }) });
    onTestFinished(() => group[Symbol.asyncDispose]());
    const [a, b, c] = group.members;
    const lock = (name: string) => a!.cluster.lock(name);
    const end = () => Promise.all([b, c].map((member) => member!.cluster.close({ graceful: false })));
    return { lock, end };
  };
  const named = expect.objectContaining({
    code: 'LOCK_LOST',
    message: expect.stringContaining('no majority of the voters is in reach (missing: b, c)'),
  });

  test('goes on, unless it has asked to be told: then its signal aborts, and names who is missing', async () => {
    const { lock, end } = await leftAlone();
    const kept = await lock('kept').acquire();
    const given = await lock('given').acquire({ abortInMinority: true });
    const released = await lock('released').acquire({ abortInMinority: true });
    released.release();
    const runs = lock('runs').run(overAsOf, { abortInMinority: true });
    await end();
    await expect(runs).rejects.toEqual(named);
    expect([given.signal.reason, kept.signal.aborted, released.signal.aborted]).toEqual([
      named,
      false,
      false,
    ]);
    expect(lock('given').status()).toMatchObject({ hindrance: expect.stringContaining('b, c') });
    expect(lock('given').status().fence).toBeUndefined();
    expect(() => given.check()).toThrow('another site may hold the lock by now');
    kept.check();
  });

  test('is told by default where the settings say so, and goes on where it says so itself', async () => {
    const { lock, end } = await leftAlone(true);
    const kept = await lock('kept').acquire({ abortInMinority: false });
    (await lock('free').acquire()).release();
    await new Promise(setImmediate);
    const tried = lock('free').tryAcquire();
    const given = await lock('given').acquire();
    await end();
    await eventually(() => expect(given.signal.aborted).toBe(true));
    expect([tried!.signal.reason, kept.signal.aborted]).toEqual([named, false]);
  });
});

describe('callers that wait without a majority', () => {
  /** The time after which a warning is given, shortened. */
  const hasty = {
    ...systemClock,
    after: (ms: number, action: () => void) => systemClock.after(ms === 5_000 ? 30 : ms, action),
  };

  test('are told of once, though nobody has asked for a log', async () => {
    const told = warnings();
    const cluster = await alone({ clock: hasty });
    const waits = cluster.lock('x').acquire({ timeoutMs: 300 });
    const another = cluster.lock('y').acquire({ timeoutMs: 300 });
    await expect(waits).rejects.toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
    await expect(another).rejects.toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
    expect(told).toMatchObject([
      {
        name: 'BatonWarning',
        code: 'BATON_NO_MAJORITY',
        message: expect.stringMatching(/^baton test\/a: callers wait, .* 3 voters .* missing: b, c\. /),
      },
    ]);
  });

  test('a notice goes to listeners only', async () => {
    const told = warnings();
    const notices: unknown[] = [];
    const cluster = await alone({ clock: hasty });
    cluster.on('notice', (notice) => notice.type === 'no-majority' && notices.push(notice));
    await cluster
      .lock('x')
      .acquire({ timeoutMs: 200 })
      .catch(() => undefined);
    expect(notices).toEqual([{ type: 'no-majority', missing: ['b', 'c'], of: 3 }]);
    expect(told).toEqual([]);
  });

  test('nobody is, while nobody waits', async () => {
    const told = warnings();
    await alone({ clock: hasty });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(told).toEqual([]);
  });
});

test('on time-out, ready() names the missing sites', async () => {
  const cluster = await alone();
  await expect(cluster.ready({ timeoutMs: 20 })).rejects.toThrow(
    'READY_TIMEOUT: b, c not connected within 20 ms',
  );
  await expect(cluster.ready({ timeoutMs: -1 })).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
  await using group = await openMembers(three);
  await group.members[0]!.cluster.ready({ timeoutMs: 5_000 });
});

test('a console is given lines that a person reads', async () => {
  const lines: unknown[][] = [];
  const log = (...words: unknown[]) => void lines.push(words);
  const like = Object.create(console, {
    ...Object.fromEntries(
      ['trace', 'debug', 'info', 'warn', 'error'].map((level) => [level, { value: log }]),
    ),
  }) as Logger;
  const cluster = await alone({ logger: like });
  await eventually(() => expect(lines.length).toBeGreaterThan(1));
  for (const words of lines) expect(words).toEqual([expect.stringMatching(/^baton test\/a: \w/)]);
  await cluster.close({ graceful: false });
});
