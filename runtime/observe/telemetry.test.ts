import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Cluster } from '../api/cluster.ts';
import type { Counters } from '../api/status.ts';
import type { ClusterOptions } from '../options/schema.ts';
import { openMembers } from '../testing/cluster.ts';
import { eventually } from '../testing/eventually.ts';
import { meterOf } from './instruments.ts';
import { metrics } from './metrics.ts';
import { Collector } from './testing/collector.ts';
import { tracerOf } from './tracer.ts';

const ids = ['a', 'b', 'c'];

/** The differences between the collected metrics of a site and its own counters; none, where both agree. */
function differences(points: Record<string, Record<string, number>>, counters: Counters): string[] {
  const { sent, received, refused, bytesSent, bytesReceived } = counters;
  const wanted: Record<string, Readonly<Record<string, number | undefined>>> = {
    'baton.lock.grants': { '': counters.entered },
    'baton.lock.wait.duration': { '': counters.entered },
    'baton.lock.hold.duration': { '': counters.entered },
    'baton.lock.losses': { '': counters.lost },
    'baton.lock.handoffs': { '': received['TOKEN'] ?? 0 },
    'baton.message.sent': sent,
    'baton.message.received': received,
    'baton.epoch.suspicions': { '': counters.suspicions },
    'baton.epoch.elections': { '': counters.elections },
    'baton.connection.refused': refused,
    'baton.network.io': { transmit: bytesSent, receive: bytesReceived },
  };
  return Object.entries(wanted).flatMap(([name, expected]) => {
    const found = points[name] ?? {};
    return [...new Set([...Object.keys(expected), ...Object.keys(found)])]
      .filter((key) => expected[key] !== found[key])
      .map((key) => `${name} ${key}: expected ${expected[key]}, not ${found[key]}`);
  });
}

async function observed(more: Partial<ClusterOptions> = {}, names: ClusterOptions['telemetry'] = {}) {
  const collector = new Collector();
  const members = await openMembers(ids, { telemetry: { ...collector.providers, ...names }, ...more });
  onTestFinished(() => members[Symbol.asyncDispose]());
  return {
    collector,
    clusters: members.members.map(({ cluster }) => cluster) as [Cluster, Cluster, Cluster],
  };
}

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});
afterAll(() => context.disable());

describe('metrics', () => {
  it('count exactly what the sites have done', async () => {
    // No heartbeat may come between the reading of the counters and the collection.
    const { collector, clusters } = await observed({
      timing: { heartbeatMs: 20_000, failureTimeoutMs: 60_000 },
    });
    for (let round = 0; round < 4; round += 1)
      for (const cluster of clusters) await cluster.lock(`lock ${round % 2}`).run(() => undefined);

    let grants = 0;
    let handoffs = 0;
    for (const cluster of clusters) {
      const points = await collector.points(cluster.site);
      expect(differences(points, cluster.counters())).toEqual([]);
      expect(points).toMatchObject({
        'baton.lock.waiting': { '': 0 },
        'baton.lock.held': { '': 0 },
        'baton.lock.known': { '': 2 },
        'baton.lock.frozen': { '': 0 },
        'baton.link.up': { '': 2 },
        'baton.cluster.majority': { '': 1 },
      });
      grants += points['baton.lock.grants']!['']!;
      handoffs += points['baton.lock.handoffs']!['']!;
    }
    expect(grants).toBe(12);
    // Each turn of two locks is at another site than the one before, the root's first of each aside.
    expect(handoffs).toBe(10);
  });

  it.each(['missing', 'wrong'])('would not agree if one were %s', async (how) => {
    const { collector, clusters } = await observed({
      timing: { heartbeatMs: 20_000, failureTimeoutMs: 60_000 },
    });
    for (const cluster of clusters) await cluster.lock('main').run(() => undefined);
    const [a] = clusters;
    const points = await collector.points('a');
    const counters = a.counters();
    expect(differences(points, counters)).toEqual([]);
    for (const [name, values] of Object.entries(points))
      for (const key of Object.keys(values)) {
        const mutant = structuredClone(points);
        if (how === 'missing') delete mutant[name]![key];
        else mutant[name]![key]! += 1;
        const known = differences({}, counters).some((line) => line.startsWith(`${name} ${key}:`));
        expect(differences(mutant, counters), `${name} ${key}`).toHaveLength(known ? 1 : 0);
      }
    expect(differences({}, counters).length).toBeGreaterThanOrEqual(10);
  });

  it('show waiting callers and holders, and why a wait or a hold has failed', async () => {
    const { collector, clusters } = await observed();
    const [a, b] = clusters;
    const held = await a.lock('main').acquire();
    const waits = b.lock('main').acquire({ timeoutMs: 150 });
    expect(await collector.points('a')).toMatchObject({ 'baton.lock.held': { '': 1 } });
    expect(await collector.points('b')).toMatchObject({ 'baton.lock.waiting': { '': 1 } });
    await expect(waits).rejects.toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
    await expect(b.lock('main').acquire({ signal: AbortSignal.abort() })).rejects.toThrow(/aborted/);
    expect(await collector.points('b')).toMatchObject({
      'baton.lock.waiting': { '': 0 },
      'baton.lock.wait.duration': { ACQUIRE_TIMEOUT: 1, aborted: 1 },
    });
    held.release();
    held.release();
    expect((await collector.points('a'))['baton.lock.hold.duration']).toEqual({ '': 1 });
  });

  it('are in seconds', async () => {
    const { collector, clusters } = await observed();
    await clusters[0].lock('main').run(() => new Promise((done) => setTimeout(done, 60)));
    const hold = (await collector.metrics()).find(
      ({ descriptor }) => descriptor.name === metrics.holdDuration.name,
    )!;
    const [point] = hold.dataPoints;
    const { sum } = point!.value as { sum: number };
    expect(sum).toBeGreaterThan(0.055);
    expect(sum).toBeLessThan(20);
  });

  it('count an election, the adoptions of its epoch, and a loss', async () => {
    const { collector, clusters } = await observed();
    const [a, b, c] = clusters;
    await a.lock('main').acquire();
    await a.close({ graceful: false });
    await b.lock('main').run(() => undefined);
    await eventually(async () => {
      const all = [await collector.points('b'), await collector.points('c')];
      const sum = (name: string) => all.reduce((total, points) => total + points[name]!['']!, 0);
      expect(sum('baton.epoch.elections')).toBeGreaterThan(0);
      expect(sum('baton.epoch.suspicions')).toBe(b.counters().suspicions + c.counters().suspicions);
      expect(sum('baton.epoch.adoptions')).toBeGreaterThan(0);
      expect(sum('baton.link.up')).toBe(2);
    });
    // The holder's site is closed: how it ended is told, and the site is read no more.
    const left = await collector.points('a');
    expect(left['baton.lock.hold.duration']).toEqual({ SITE_CLOSED: 1 });
  });

  it('have the name of the lock only where it is asked for', async () => {
    for (const [lockNames, expected] of [
      [undefined, { '': 2 }],
      [true, { 'tenant 1': 1, 'tenant 2': 1 }],
      [(lock: string) => lock.split(' ')[0]!, { tenant: 2 }],
    ] as const) {
      const { collector, clusters } = await observed({}, lockNames === undefined ? {} : { lockNames });
      for (const name of ['tenant 1', 'tenant 2']) await clusters[0].lock(name).run(() => undefined);
      expect((await collector.points('a'))['baton.lock.wait.duration']).toEqual(expected);
    }
  });

  it('count successful calls of tryAcquire only', async () => {
    const { collector, clusters } = await observed();
    const [a, b] = clusters;
    expect(b.lock('main').tryAcquire()).toBe(null);
    a.lock('main').tryAcquire()!.release();
    const of = async (site: string) => (await collector.points(site))['baton.lock.hold.duration'];
    expect([await of('a'), await of('b')]).toEqual([{ '': 1 }, undefined]);
  });

  it('take no lock when a function that names it throws', async () => {
    const broken = () => {
      throw new Error('no name');
    };
    const { clusters } = await observed({}, { lockNames: broken });
    await expect(clusters[0].lock('main').acquire()).rejects.toThrow('no name');
    expect(() => clusters[0].lock('main').tryAcquire()).toThrow('no name');
    await eventually(() =>
      expect(clusters[0].lock('main').status()).toMatchObject({ client: 'idle', waiting: 0 }),
    );
  });

  it('are exactly those of the table', async () => {
    const { collector, clusters } = await observed();
    await clusters[1].lock('main').run(() => undefined);
    const found = (await collector.metrics()).map(({ descriptor: { name, unit, description } }) => ({
      name,
      unit,
      description,
    }));
    const table = Object.values(metrics).map(({ name, unit, description }) => ({ name, unit, description }));
    const byName = (x: { name: string }, y: { name: string }) => (x.name < y.name ? -1 : 1);
    // Without a refusal there is none to show.
    const shown = table.filter(({ name }) => name !== metrics.refused.name);
    expect(found.filter(({ name }) => name !== metrics.refused.name).sort(byName)).toEqual(
      shown.sort(byName),
    );
  });
});

describe('spans', () => {
  it('are one for the wait and one for the hold, which is linked, and the parent of what is done inside', async () => {
    const { collector, clusters } = await observed();
    const tracer = collector.providers.tracerProvider!.getTracer('test');
    await tracer.startActiveSpan('request', async (request) => {
      await clusters[1].lock('main').run(() => tracer.startSpan('query').end());
      request.end();
    });
    const named = (name: string) => collector.spans.find((span) => span.name === name)!;
    const [request, acquire, hold, query] = ['request', 'baton.acquire', 'baton.hold', 'query'].map(
      named,
    ) as [
      ReturnType<typeof named>,
      ReturnType<typeof named>,
      ReturnType<typeof named>,
      ReturnType<typeof named>,
    ];
    const parent = request.spanContext().spanId;
    expect([acquire, hold].map((span) => span.parentSpanContext?.spanId)).toEqual([parent, parent]);
    expect(query.parentSpanContext?.spanId).toBe(hold.spanContext().spanId);
    expect(hold.links.map((link) => link.context)).toEqual([acquire.spanContext()]);
    for (const span of [acquire, hold])
      expect(span.attributes).toEqual({
        'baton.cluster.name': 'test',
        'baton.site.id': 'b',
        'baton.lock.name': 'main',
        'baton.fence.generation': expect.any(Number),
        'baton.fence.epoch': 0,
        'baton.fence.k': 1,
      });
    expect(trace.getActiveSpan()).toBeUndefined();
  });

  it('say why there was no grant', async () => {
    const { collector, clusters } = await observed();
    await clusters[0].lock('main').acquire();
    await expect(clusters[1].lock('main').acquire({ timeoutMs: 20 })).rejects.toThrow();
    const failed = collector.spans.find(({ attributes }) => attributes['baton.site.id'] === 'b')!;
    expect(failed).toMatchObject({ name: 'baton.acquire', status: { code: 2 } });
    expect(failed.attributes['error.type']).toBe('ACQUIRE_TIMEOUT');
    expect(collector.spans.filter(({ name }) => name === 'baton.hold')).toEqual([]);
  });
});

describe('channels', () => {
  const names = ['grant', 'release', 'lost', 'epoch', 'peer', 'error'];

  it('tell what happens, in order', async () => {
    const told: [string, Record<string, unknown>][] = [];
    const listeners = names.map((name) => {
      const listener = (message: unknown) => told.push([name, message as Record<string, unknown>]);
      subscribe(`baton:${name}`, listener);
      return [`baton:${name}`, listener] as const;
    });
    const acquiring: string[] = [];
    const tracing = tracingChannel('baton:acquire');
    const subscribers = Object.fromEntries(
      ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map((step) => [step, () => acquiring.push(step)]),
    ) as unknown as Parameters<typeof tracing.subscribe>[0];
    tracing.subscribe(subscribers);
    try {
      await using members = await openMembers(ids);
      const [a, b] = members.members.map(({ cluster }) => cluster) as [Cluster, Cluster, Cluster];
      await a.lock('main').run(() => undefined);
      expect(acquiring.splice(0)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
      expect(told.filter(([name]) => name === 'peer').length).toBeGreaterThanOrEqual(6);
      const [grant, release] = told.filter(([name]) => name === 'grant' || name === 'release');
      const fence = { generation: expect.any(Number), epoch: 0, k: 1 };
      expect(grant).toEqual([
        'grant',
        { cluster: 'test', site: 'a', lock: 'main', fence, waitedMs: expect.any(Number) },
      ]);
      expect(release).toEqual([
        'release',
        { cluster: 'test', site: 'a', lock: 'main', fence, heldMs: expect.any(Number) },
      ]);
      await a.lock('main').acquire();
      acquiring.length = 0;
      await expect(b.lock('main').acquire({ timeoutMs: 10 })).rejects.toThrow();
      expect(acquiring).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
      await a.close({ graceful: false });
      await b.lock('main').acquire();
      const epochs = told.filter(([name]) => name === 'epoch').map(([, { notice }]) => notice);
      expect(epochs).toContainEqual(expect.objectContaining({ type: 'adopted', lock: 'main' }));
    } finally {
      tracing.unsubscribe(subscribers);
      for (const [name, listener] of listeners) unsubscribe(name, listener);
    }
  });
});

describe('without observers', () => {
  it('there are no instruments, no tracer, and a caller has what the lock gives', async () => {
    expect([meterOf({}), tracerOf({})]).toEqual([null, null]);
    await using members = await openMembers(['a']);
    const held = await members.members[0]!.lock.acquire();
    expect(held.constructor.name).not.toBe('WatchedHeld');
    held.release();
  });
});
