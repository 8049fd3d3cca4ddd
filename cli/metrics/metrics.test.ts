import { request } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Cluster, Notice } from '../../runtime/index.ts';
import { freePorts } from '../../runtime/testing/free-ports.ts';
import { BatonProcess, baton } from '../testing/baton.ts';
import { HealthCheck } from './health.ts';
import { Prometheus } from './prometheus.ts';
import { serveMetrics } from './server.ts';

interface Answered {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function ask(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { headers, method, agent: false }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      const type = response.headers['content-type'] ?? '';
      resolve({ status: response.statusCode!, type, body: Buffer.concat(chunks).toString() });
    });
    asking.on('error', reject).end();
  });
}

/** The value of a line, without the labels that every line has. */
function sample(text: string, line: string): number | null {
  const plain = text
    .replace(/baton_(cluster_name|site_id)="[^"]*",?|otel_scope_\w+="[^"]*",?/g, '')
    .replace(/,}/g, '}');
  const found = plain.split('\n').find((one) => one.startsWith(`${line} `));
  return found === undefined ? null : Number(found.split(' ').at(-1));
}

async function threeSites() {
  const ports = await freePorts(3);
  const ids = ['a', 'b', 'c'];
  return ids.map((id, at) => {
    const peers = ids.flatMap((other, i) => (other === id ? [] : `${other}=127.0.0.1:${ports[i]}`));
    const words = ['site', '--id', id, '--listen', `127.0.0.1:${ports[at]}`, '--peers', peers.join()];
    return new BatonProcess([...words, '--metrics', '0']);
  }) as [BatonProcess, BatonProcess, BatonProcess];
}

describe('baton site --metrics', () => {
  it('serves Prometheus and Kubernetes until the site is gone', async () => {
    const [a, b, c] = await threeSites();
    const said = await b.hear(/^metrics and health at /);
    const url = said.split(' ').at(-1)!;
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    await b.hear(/ is up$/);
    await b.hear(/ is up$/);
    b.type('request');
    await b.hear(/^the token is here/);

    const { status, type, body } = await ask(`${url}/metrics`);
    expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(sample(body, 'baton_lock_grants_total{}')).toBe(1);
    expect(sample(body, 'baton_lock_handoffs_total{}')).toBe(1);
    expect(sample(body, 'baton_lock_held{}')).toBe(1);
    expect(sample(body, 'baton_lock_wait_duration_count{}')).toBe(1);
    expect(sample(body, 'baton_link_up{}')).toBe(2);
    expect(sample(body, 'baton_message_received_total{baton_message_type="TOKEN"}')).toBe(1);
    expect(sample(body, 'baton_lock_no_such_thing{}')).toBe(null);

    expect(JSON.parse((await ask(`${url}/health`)).body)).toMatchObject({
      status: 'ok',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      site: 'b',
      majority: true,
      peers: { a: { connected: true, state: 'up' }, c: { connected: true, state: 'up' } },
      locks: { known: 1, frozen: 0 },
      epochs: { adopted: 0, highest: 0 },
    });
    for (const path of ['/health', '/ready', '/live']) expect((await ask(url + path)).status, path).toBe(200);

    for (const other of [a, c]) {
      other.child.kill('SIGKILL');
      await other.end();
      await b.hear(/ is down: /);
    }
    await expect.poll(async () => (await ask(`${url}/ready`)).status).toBe(503);
    const { status: ill, body: why } = await ask(`${url}/health`);
    expect([ill, JSON.parse(why)]).toMatchObject([
      503,
      { status: 'no majority', peers: { a: { connected: false } } },
    ]);
    expect((await ask(`${url}/live`)).status).toBe(200);
    expect(sample((await ask(`${url}/metrics`)).body, 'baton_cluster_majority{}')).toBe(0);

    b.type('quit');
    expect(await b.end()).toMatchObject({ status: 0 });
    await expect(ask(`${url}/live`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('is refused where it cannot listen, and the site ends', async () => {
    const taken = await serveMetrics({ host: '127.0.0.1', port: 0 }, {});
    onTestFinished(() => taken.close());
    const words = ['site', '--id', 'a', '--listen', '127.0.0.1:0', '--peers', 'b=127.0.0.1:9', '--metrics'];
    const { status, stderr } = await baton(...words, taken.url.split(':').at(-1)!);
    expect([status, stderr]).toEqual([2, expect.stringContaining('cannot serve metrics on 127.0.0.1:')]);
    expect(await baton(...words, 'here')).toMatchObject({ status: 2 });
  });
});

describe('the metrics server', () => {
  it('refuses a request for another host, a change, or an unknown path', async () => {
    const answers = {
      '/live': () => ({ status: 200, type: 'text/plain', body: 'yes' }),
      '/broken': () => {
        throw new Error('no');
      },
    };
    const server = await serveMetrics({ host: '127.0.0.1', port: 0 }, answers);
    onTestFinished(() => server.close());
    const { url } = server;
    expect(await ask(`${url}/live?x=1`)).toMatchObject({ status: 200, body: 'yes' });
    expect(await ask(`${url}/live`, {}, 'HEAD')).toMatchObject({ status: 200, body: '' });
    expect((await ask(`${url}/live`, { host: 'evil.example' })).status).toBe(403);
    expect((await ask(`${url}/live`, { host: 'localhost:9' })).status).toBe(200);
    expect((await ask(`${url}/live`, {}, 'POST')).status).toBe(405);
    expect((await ask(`${url}/toString`)).status).toBe(404);
    expect((await ask(`${url}/broken`)).status).toBe(500);
    expect((await ask(`${url}/live`, { 'x-long': 'x'.repeat(20_000) })).status).toBe(431);
  });

  it('collects once for all requests during a collection', async () => {
    const prometheus = new Prometheus();
    let collected = 0;
    const counter = prometheus.meterProvider.getMeter('test').createObservableCounter('collected');
    counter.addCallback((result) => result.observe(++collected));
    const [one, two] = await Promise.all([prometheus.scrape(), prometheus.scrape()]);
    expect(one.body).toBe(two.body);
    expect(collected).toBe(1);
    await prometheus.scrape();
    expect(collected).toBe(2);
  });
});

describe('health', () => {
  const status = { connected: ['b'], majority: true, locks: 3, frozen: 1 };

  it('depends on the majority, frozen locks, leaving and crashes', () => {
    let tell!: (notice: Notice) => void;
    let now = status;
    const cluster = {
      name: 'test',
      site: 'a',
      status: () => now,
      on: (_: string, listener: typeof tell) => {
        tell = listener;
      },
    } as unknown as Cluster;
    const check = new HealthCheck(cluster, ['b', 'c'], '1.2.3');
    const told = () => ({ ...JSON.parse(check.health().body), code: check.health().status });
    tell({ type: 'up', peer: 'b', incarnation: 'x' });
    tell({ type: 'down', peer: 'c', why: 'silent' });
    tell({ type: 'adopted', lock: 'l', epoch: 7, root: 'b' });
    tell({ type: 'adopted', lock: 'm', epoch: 2, root: 'b' });
    expect(told()).toMatchObject({
      code: 200,
      status: 'frozen',
      locks: { known: 3, frozen: 1 },
      epochs: { adopted: 2, highest: 7 },
      peers: { b: { connected: true, state: 'up' }, c: { connected: false, state: 'down: silent' } },
    });
    now = { ...status, frozen: 0 };
    expect(told()).toMatchObject({ code: 200, status: 'ok' });
    now = { ...status, majority: false };
    expect([told(), check.ready().status]).toMatchObject([{ code: 503, status: 'no majority' }, 503]);
    now = status;
    check.stop();
    expect([told(), check.ready().status, check.live().status]).toMatchObject([
      { code: 503, status: 'stopped' },
      503,
      200,
    ]);
  });
});
