import { expect, test } from 'vitest';
import { compareFences, readLocks, serveWatch } from '../index.ts';
import { allCodes, openMembers } from '../testing/cluster.ts';

const signal = 'signal: a signal is an AbortSignal';
const timeout = 'timeoutMs: a time-out is a number of ms from 0';

/** Arguments of a call that are refused, with the text of the error. */
const refused: readonly (readonly [unknown, string | RegExp])[] = [
  [5_000, 'the options are { signal, timeoutMs }, got 5000'],
  [null, 'the options are { signal, timeoutMs }, got null'],
  [{ timeoutMs: -1 }, `${timeout}, got -1`],
  [{ timeoutMs: Number.NaN }, `${timeout}, got NaN`],
  [{ timeoutMs: '500' }, `${timeout}, got "500"`],
  [{ timeout: 5 }, 'timeout: there is no such key; did you mean timeoutMs?'],
  [{ signal: null }, `${signal}, got null`],
  [{ signal: {} }, `${signal}, got {}`],
  [{ signal: new AbortController() }, new RegExp(`^OPTIONS_INVALID: ${signal}, got AbortController .*$`)],
];

test.each(refused)(
  'a request for a lock with %o is refused, with the allowed values',
  async (options, text) => {
    await using group = await openMembers(['a']);
    const { cluster, lock } = group.members[0]!;
    const given = options as object;
    const work = () => undefined;
    const invalid = (message: string) =>
      expect.objectContaining({
        code: 'OPTIONS_INVALID',
        message: typeof text === 'string' ? `OPTIONS_INVALID: ${message}` : expect.stringMatching(text),
      });
    await expect(cluster.acquireAll(['x'], given)).rejects.toEqual(invalid(`${text}`));
    const ofHold = `${text}`.replace(
      'timeoutMs }',
      'timeoutMs, minHoldMs, maxHoldMs, force, abortInMinority }',
    );
    await expect(lock.acquire(given)).rejects.toEqual(invalid(ofHold));
    const ofRun = `${text}`.replace(
      'timeoutMs }',
      'timeoutMs, minHoldMs, maxHoldMs, force, abortInMinority, keepResult }',
    );
    await expect(lock.run(work, given)).rejects.toEqual(invalid(ofRun));
    expect(lock.status()).toMatchObject({ client: 'idle', waiting: 0 });
  },
);

test('a caller may wait for ever', async () => {
  await using group = await openMembers(['a']);
  const { lock } = group.members[0]!;
  for (const options of [
    { timeoutMs: Number.POSITIVE_INFINITY },
    { timeoutMs: undefined, signal: undefined },
  ])
    (await lock.acquire(options as object)).release();
});

test('every other call checks its arguments before it does anything', async () => {
  await using group = await openMembers(['a']);
  const { cluster, lock } = group.members[0]!;
  const wrong = (value: unknown) => value as never;
  const invalid = (message: string) =>
    expect.objectContaining({ code: 'OPTIONS_INVALID', message: `OPTIONS_INVALID: ${message}` });
  const names = 'names are a list of names of locks';
  await expect(cluster.acquireAll(wrong('stock'))).rejects.toEqual(invalid(`${names}, got "stock"`));
  await expect(cluster.acquireAll(wrong(undefined))).rejects.toEqual(invalid(`${names}; it is missing`));
  await expect(lock.run(wrong(undefined))).rejects.toEqual(invalid('work is a function; it is missing'));
  const work = () => undefined;
  const throwing = [
    [() => cluster.lead('x', wrong(5)), 'work is a function, got 5'],
    [
      () => cluster.lead('x', work, wrong({ retryMs: 'soon' })),
      'retryMs: a pause is a number of ms from 0, got "soon"',
    ],
    [() => cluster.lead('x', work, wrong({ onError: 5 })), 'onError: a listener is a function, got 5'],
    [() => cluster.on(wrong('peers'), work), 'an event is epoch, elected, lost, notice or peer, got "peers"'],
    [
      () => cluster.off(wrong('peers'), work),
      'an event is epoch, elected, lost, notice or peer, got "peers"',
    ],
    [() => cluster.on('peer', wrong(undefined)), 'a listener is a function; it is missing'],
    [() => cluster.watch(wrong({})), 'a viewer has the method send, got {}'],
  ] as const;
  for (const [call, message] of throwing) expect(call).toThrow(invalid(message));
  await expect(cluster.close(wrong(null))).rejects.toEqual(
    invalid('the options are { graceful, leave }, got null'),
  );
  await expect(cluster.close(wrong({ graceful: 'no' }))).rejects.toEqual(
    invalid('graceful: a choice is true or false, got "no"'),
  );
  await lock.run(work);
  expect(lock.status().waiting).toBe(0);
  expect([allCodes(group), group.crashes]).toEqual([[], []]);
});

test('what would do nothing, or fail later, is refused at the call', async () => {
  await using group = await openMembers(['a']);
  const { cluster, lock } = group.members[0]!;
  const none = undefined as never;
  const calls: Readonly<Record<string, () => unknown>> = {
    'force releases the lock at maxHoldMs: give maxHoldMs, too; it is missing': () =>
      lock.run(() => undefined, { force: true }),
    'tryAcquire has no options: acquire({ timeoutMs: 0 }) takes the lock if it is free anywhere, got { timeoutMs: 5 }':
      () => (lock.tryAcquire as (options: object) => unknown)({ timeoutMs: 5 }),
    'a cluster is the result of joinCluster; it is missing': () => serveWatch(none),
    'left: a fence is { generation, epoch, k }, got 1': () => compareFences(1 as never, 2 as never),
    'work is a function, got a Promise': () => lock.run(Promise.resolve() as never),
    'the addresses are a list of ws://host:port/, as serveWatch gives them, got a list of 1': () =>
      readLocks(['http://127.0.0.1/']),
  };
  for (const [text, call] of Object.entries(calls))
    await expect((async () => call())(), text).rejects.toThrow(text);
  expect(lock.status()).toMatchObject({ client: 'idle', waiting: 0 });
  await cluster.close();
  expect(() => cluster.lead('x', () => undefined)).toThrow('SITE_CLOSED');
});

test('a caller that waits for a lock which this process never released learns that it is held here', async () => {
  await using group = await openMembers(['a']);
  const { lock } = group.members[0]!;
  const held = await lock.acquire();
  await expect(lock.acquire({ timeoutMs: 20 })).rejects.toThrow(
    new RegExp(
      `^ACQUIRE_TIMEOUT: no grant within 20 ms: a caller of this site has held ${lock.name} for \\d+ ms$`,
    ),
  );
  held.release();
});
