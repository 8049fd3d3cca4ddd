import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import type { Address, Cluster, ClusterOptions, Discovery, Held, Notice } from '../index.ts';
import { compareFences, joinCluster } from '../index.ts';
import { anyPort, codes, openMembers } from '../testing/cluster.ts';
import { Authority } from '../testing/credentials.ts';
import { eventually } from '../testing/eventually.ts';
import { identity, plain, RawPeer } from '../testing/peer.ts';
import { Relay } from '../testing/relay.ts';
import { anySite, asGuest } from '../wire/frames.ts';

const timing = { heartbeatMs: 50, failureTimeoutMs: 300 };
/** Where nobody is to be believed gone, however busy the machine is. */
const calm = { timing: { heartbeatMs: 100, failureTimeoutMs: 10_000 } };
const relays: Relay[] = [];

afterEach(() => {
  for (const relay of relays.splice(0)) relay.close();
});

async function members(overrides: Partial<ClusterOptions> = {}, ids = ['a', 'b', 'c']) {
  const all = await openMembers(ids, { timing, ...overrides });
  onTestFinished(() => all[Symbol.asyncDispose]());
  return all;
}

async function guest(at: readonly Cluster[] | readonly Relay[], overrides: Partial<ClusterOptions> = {}) {
  const notices: Notice[] = [];
  const cluster = await joinCluster({
    cluster: 'test',
    site: 'web',
    guest: true,
    discovery: at.map(({ address }) => address),
    timing,
    ...overrides,
  });
  cluster.on('notice', (notice) => notices.push(notice));
  onTestFinished(() => cluster.close({ graceful: false }));
  return { cluster, notices };
}

async function relayed({ cluster }: { readonly cluster: Cluster }): Promise<Relay> {
  const relay = await Relay.open(cluster.address);
  relays.push(relay);
  return relay;
}

const lost = (held: Held) =>
  new Promise<string>((resolve) => {
    const tell = () => resolve((held.signal.reason as { code: string }).code);
    if (held.signal.aborted) tell();
    else held.signal.addEventListener('abort', tell);
  });

test('a guest has the API of a site, and the fences of the cluster', async () => {
  const { members: sites } = await members(calm);
  const { cluster } = await guest([sites[1]!.cluster], calm);
  await cluster.ready({ timeoutMs: 5_000 });
  const main = cluster.lock('main');
  const before = await sites[0]!.lock.run(({ fence }) => fence);
  const fence = await main.run((held) => {
    expect(held.signal.aborted).toBe(false);
    held.check();
    return held.fence;
  });
  expect(compareFences(fence, before)).toBeGreaterThan(0);
  const held = await main.acquire({ timeoutMs: 0 });
  expect(main.tryAcquire()).toBe(null);
  await expect(sites[2]!.lock.acquire({ timeoutMs: 100 })).rejects.toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
  held.release();
  const all = await cluster.acquireAll(['one', 'two']);
  expect(all.locks.size).toBe(2);
  all.release();
  const led = new Promise<void>((resolve) => {
    const leadership = cluster.lead('leader', (term) => {
      resolve();
      return lost(term).then(() => undefined);
    });
    onTestFinished(() => leadership.close());
  });
  await led;
  expect(cluster.status()).toMatchObject({ connected: ['b'], majority: true });
  expect(main.status()).toMatchObject({ client: 'idle', last: 'b' });
  await expect(cluster.removeMember('a')).rejects.toMatchObject({ code: 'NOT_A_MEMBER' });
});

test('the lock of a guest that leaves or dies is freed', async () => {
  const { members: sites } = await members();
  const limits = { closeTimeoutMs: 50 };
  const [first, second] = [await guest([sites[1]!.cluster]), await guest([sites[1]!.cluster], { limits })];
  await first.cluster.lock('main').acquire();
  const guestNames = [first.cluster.site, second.cluster.site].sort();
  await expect.poll(() => sites[1]!.cluster.members().guests).toEqual(guestNames);
  expect(sites[0]!.cluster.members().guests).toEqual([]);
  const waiting = second.cluster.lock('main').acquire();
  // Dies: nothing is released, and no goodbye is said.
  await first.cluster.close({ graceful: false });
  const held = await waiting;
  await second.cluster.close();
  expect(held.signal.aborted).toBe(true);
  await sites[0]!.lock.run(() => {});
});

test('a guest that is silent is told first, and its member goes on after it', async () => {
  const { members: sites } = await members();
  const relay = await relayed(sites[1]!);
  const { cluster } = await guest([relay]);
  const held = await cluster.lock('main').acquire();
  const order: string[] = [];
  const told = lost(held).then((code) => order.push(`guest ${code}`));
  const next = sites[1]!.lock.run(() => order.push('member'));
  relay.stall(true);
  await Promise.all([told, next]);
  expect(order).toEqual(['guest LOCK_LOST', 'member']);
});

test('a connection that breaks and comes back costs a guest neither its lock nor its place', async () => {
  const { members: sites } = await members(calm);
  const relay = await relayed(sites[1]!);
  const [holder, waiter] = [await guest([relay], calm), await guest([relay], calm)];
  const held = await holder.cluster.lock('main').acquire();
  const waiting = waiter.cluster.lock('main').acquire();
  await eventually(() => expect(sites[1]!.cluster.lock('main').status().waiting).toBe(1));
  for (const breaks of [1, 2]) {
    relay.reset();
    await eventually(() => expect(relay.accepted).toBe(2 * (breaks + 1)));
  }
  held.check();
  held.release();
  (await waiting).release();
  const moves = [...holder.notices, ...waiter.notices].filter(({ type }) => type === 'moved');
  expect(moves).toEqual([]);
});

test('a guest whose member dies loses what it holds, and asks another member again', async () => {
  const { members: sites } = await members();
  const at = sites.map(({ cluster }) => cluster);
  const [holder, waiter] = [await guest([at[1]!, at[2]!]), await guest([at[1]!, at[2]!])];
  await Promise.all([holder, waiter].map(({ cluster }) => cluster.ready()));
  const held = await holder.cluster.lock('main').acquire();
  const waiting = waiter.cluster.lock('main').acquire();
  const member = holder.cluster.status().connected[0]!;
  await at[member === 'b' ? 1 : 2]!.close({ graceful: false });
  expect(await lost(held)).toBe('LOCK_LOST');
  const next = await waiting;
  expect(compareFences(next.fence, held.fence)).toBeGreaterThan(0);
  next.release();
  (await holder.cluster.lock('main').acquire()).release();
});

test('a member that leaves sends its guests to another', async () => {
  const { members: sites } = await members();
  const { cluster } = await guest(sites.map((site) => site.cluster));
  await cluster.ready();
  const member = cluster.status().connected[0]!;
  await sites.find((site) => site.cluster.site === member)!.cluster.close();
  await cluster.lock('main').run(() => {});
  expect(cluster.status().connected).not.toEqual([member]);
});

test('guests of a member that is cut off go to another; one that leads there gives up, and other holders go on', async () => {
  // A busy machine ends no session, and takes nobody for gone that is not.
  const patient = { timing: { heartbeatMs: 100, failureTimeoutMs: 1_000 } };
  const common = { cluster: 'test', ...patient };
  const nowhere = { host: '127.0.0.1', port: 1 };
  const site = async (name: string, peers: ClusterOptions['peers'] = {}) => {
    const cluster = await joinCluster({ ...common, site: name, listen: anyPort, peers });
    onTestFinished(() => cluster.close({ graceful: false }));
    return cluster;
  };
  // The first site of each pair dials, so all messages of a go through relays.
  const c = await site('c', { a: nowhere, b: nowhere });
  const b = await site('b', { a: nowhere, c: c.address });
  const links = [await relayed({ cluster: b }), await relayed({ cluster: c })];
  const a = await site('a', { b: links[0]!.address, c: links[1]!.address });
  await Promise.all([a, b, c].map((cluster) => cluster.ready({ timeoutMs: 10_000 })));
  // They know a alone at first; where a reaches the others, they do not.
  const shows: ((addresses: readonly Address[]) => void)[] = [];
  const discovery: Discovery = {
    watch: ({ found }) => {
      found([a.address]);
      shows.push(found);
      return () => {};
    },
  };
  const of = () => guest([], { discovery, ...patient });
  const [leader, holder, waiter] = [await of(), await of(), await of()];
  const terms: Held[] = [];
  const leads = leader.cluster.lead(
    'cron',
    (held) => {
      terms.push(held);
      return lost(held).then(() => undefined);
    },
    { retryMs: 5 },
  );
  onTestFinished(() => leads.close());
  await eventually(() => expect(leads.leading).toBe(true));
  const kept = await holder.cluster.lock('kept').acquire();
  const own = await a.lock('own').acquire();
  const waits = waiter.cluster.lock('own').acquire();
  await eventually(() => expect(a.lock('own').status().waiting).toBe(1));

  for (const show of shows) show([a, b, c].map(({ address }) => address));
  for (const link of links) link.stall(true);
  await eventually(() => expect(terms.map(({ signal }) => signal.aborted)).toEqual([true, false]));
  expect(terms[0]!.signal.reason).toMatchObject({
    code: 'LOCK_LOST',
    message: expect.stringContaining('a reaches no majority of the voters'),
  });
  expect(leader.cluster.status().connected).not.toEqual(['a']);
  expect(compareFences(terms[1]!.fence, terms[0]!.fence)).toBeGreaterThan(0);
  // The holder at the member itself is told when the link is whole again: the fence of the next one is higher.
  const next = await waits;
  expect(compareFences(next.fence, own.fence)).toBeGreaterThan(0);
  expect([kept.signal.aborted, holder.cluster.status().connected]).toEqual([false, ['a']]);
  // It asks elsewhere as soon as it holds nothing there.
  kept.release();
  await holder.cluster.lock('kept').run(() => {}, { timeoutMs: 10_000 });
  expect(holder.cluster.status().connected).not.toEqual(['a']);
});

test('guests share the line of their member with its own callers', async () => {
  const { members: sites } = await members(calm, ['a']);
  const guests = await Promise.all([guest([sites[0]!.cluster], calm), guest([sites[0]!.cluster], calm)]);
  const order: string[] = [];
  const held = await sites[0]!.lock.acquire();
  const waits: Promise<unknown>[] = [];
  const waiting = () => sites[0]!.lock.status().waiting;
  for (let round = 0; round < 3; round++) {
    for (const [name, { lock }] of [
      ['one', { lock: guests[0]!.cluster.lock('main') }],
      ['own', sites[0]!],
      ['two', { lock: guests[1]!.cluster.lock('main') }],
    ] as const) {
      const before = waiting();
      const isFirst = round === 0 || name === 'own';
      waits.push(lock.run(() => order.push(name)));
      if (isFirst) await eventually(() => expect(waiting()).toBe(before + 1));
    }
  }
  held.release();
  await Promise.all(waits);
  expect(order.slice(0, 3)).toEqual(['one', 'own', 'two']);
  // Each guest stands in line once for all of its callers.
  expect(order.filter((name) => name === 'one')).toHaveLength(3);
  expect(order.filter((name) => name === 'two')).toHaveLength(3);
});

test('a grant costs a guest three messages, two where its callers wait, and an idle guest sends none', async () => {
  const { members: sites } = await members(calm);
  const { cluster } = await guest([sites[1]!.cluster], calm);
  const lock = cluster.lock('main');
  for (let count = 0; count < 50; count++) await lock.run(() => {});
  // The last release is sent at the end of the turn.
  await new Promise(setImmediate);
  const { sent, received } = cluster.counters();
  expect({ sent, received }).toEqual({ sent: { ASK: 50, RELEASE: 50 }, received: { GRANT: 50 } });
  // Where a caller waits, the release is the next request.
  const held = await lock.acquire();
  const waits = Array.from({ length: 20 }, () => lock.run(() => {}));
  held.release();
  await Promise.all(waits);
  await new Promise(setImmediate);
  const all = cluster.counters();
  expect([all.sent, all.received]).toEqual([{ ASK: 51, RELEASE: 71 }, { GRANT: 71 }]);
  await sleep(5 * calm.timing.heartbeatMs);
  expect(cluster.counters().sent).toEqual(all.sent);
});

test('in strict mode the lease of a guest ends before that of its member', async () => {
  const { members: sites } = await members({ strict: { leaseMs: 1_800 }, ...calm });
  const strict = { leaseMs: 1_800 };
  const relay = await relayed(sites[1]!);
  const { cluster } = await guest([relay], { strict, ...calm });
  const held = await cluster.lock('main').acquire();
  // Longer than its session would last by itself.
  await sleep(800);
  held.check();
  let insideAt = Number.POSITIVE_INFINITY;
  const next = sites[0]!.lock.run(() => {
    insideAt = performance.now();
  });
  relay.stall(true);
  await lost(held);
  expect(performance.now()).toBeLessThan(insideAt);
  await next;
});

test('what a guest may not say ends its connection, and nothing else', async () => {
  const { members: sites, notices } = await members({}, ['a']);
  const address = sites[0]!.cluster.address;
  const { configuration } = plain;
  const hello = (change: object = {}) => ({
    ...{ type: 'hello', ...identity('evil', 'a'), configuration, founders: asGuest, target: anySite },
    ...change,
  });
  const said = async (frame: object, lock: string, message: object) => {
    const peer = await RawPeer.dial(address, plain.codec);
    peer.say(frame);
    await eventually(() => expect(peer.received.length).toBeGreaterThan(0));
    peer.say({ ...frame, type: 'welcome', target: 'a', ack: 0 });
    const stamp = { seq: 0, clock: null };
    const envelope = { source: 'evil', target: 'a', lock, message, stamp };
    peer.say({ type: 'data', seq: 1, ack: 0, envelope });
    await peer.closed();
  };
  const ask = { type: 'ASK', session: 1, request: 1, leaseMs: 100 };
  const hostile: readonly (readonly [string, object])[] = [
    ['main', { type: 'TOKEN', epoch: 0, root: 'a', k: 9, line: [] }],
    ['main', { type: 'REQUEST', epoch: 0, root: 'a', origin: 'evil' }],
    ['@members', ask],
    ['main', { ...ask, leaseMs: 9 }],
    ['main', { type: 'GRANT', request: 1, fence: { generation: 1, epoch: 1, k: 1 } }],
  ];
  for (const [run, [lock, message]] of hostile.entries())
    await said(hello({ incarnation: `evil-${run}`, run: run + 1 }), lock, message);
  // It may not take the name of a site, nor may a site speak as a guest does.
  const impostor = await RawPeer.dial(address, plain.codec);
  impostor.say(hello({ site: 'a' }));
  await impostor.closed();
  expect(codes(notices.get('a'))).toEqual([...hostile.map(() => 'PROTOCOL_BREACH'), 'FOREIGN_SITE']);
  await sites[0]!.lock.run(() => {});
});

test('guests are served equally often, however many of them each member has', async () => {
  const { members: sites } = await members(calm);
  const at = [...Array(10).fill(0), ...Array(7).fill(1), ...Array(3).fill(2)] as readonly number[];
  const guests = await Promise.all(at.map((member) => guest([sites[member]!.cluster], calm)));
  await Promise.all(guests.map(({ cluster }) => cluster.ready({ timeoutMs: 5_000 })));
  const rounds = 16;
  const counts = at.map(() => 0);
  let [left, inside, overlaps] = [rounds * at.length, 0, 0];
  await Promise.all(
    guests.map(async ({ cluster }, index) => {
      while (left > 0) {
        await cluster.lock('main').run(async () => {
          inside += 1;
          overlaps += inside - 1;
          await Promise.resolve();
          inside -= 1;
        });
        counts[index]! += 1;
        left -= 1;
      }
    }),
  );
  const sum = (of: (count: number) => number) => counts.reduce((total, count) => total + of(count), 0);
  const jain = sum((count) => count) ** 2 / (counts.length * sum((count) => count ** 2));
  expect(overlaps).toBe(0);
  expect(jain).toBeGreaterThan(0.99);
});

test('a guest proves that it belongs to the cluster: by the secret, or by a certificate of its name', async () => {
  const [authority, another] = [new Authority('test'), new Authority('test')];
  const as = (site: string, tls = authority.tls('test', site)) => ({ site, tls });
  const [good, bad] = [{ secret: 'a'.repeat(32) }, { secret: 'b'.repeat(32) }];
  for (const [ofMember, right, wrong] of [
    [good, good, bad],
    [as('a'), as('b'), as('b', another.tls('test', 'b'))],
  ] as const) {
    const { members: sites } = await members({ ...calm, ...ofMember }, ['a']);
    const two = [
      await guest([sites[0]!.cluster], { ...calm, ...right }),
      await guest([sites[0]!.cluster], { ...calm, ...right }),
    ];
    for (const { cluster } of two) await cluster.lock('main').run(() => {}, { timeoutMs: 10_000 });
    const stranger = await guest([sites[0]!.cluster], { ...calm, ...wrong });
    await expect(stranger.cluster.lock('main').acquire({ timeoutMs: 300 })).rejects.toMatchObject({
      code: 'ACQUIRE_TIMEOUT',
    });
    expect(sites[0]!.cluster.members().guests).toHaveLength(2);
  }
});
