import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Cluster, joinCluster } from './index.ts';
import { eventually } from './testing/eventually.ts';
import { NatsServer, natsVersion } from './testing/nats-server.ts';
import { overNats, Sections } from './testing/over-nats.ts';

/* Locks of members and guests over a NATS server. The mailbox alone: runtime/mailbox/conformance.test.ts. */

const timing = { heartbeatMs: 50, failureTimeoutMs: 1_000 };

async function serverWith(args: readonly string[] = []): Promise<NatsServer> {
  const server = await NatsServer.start(args);
  onTestFinished(() => server.stop());
  return server;
}

/** Each site enters `times` sections of one lock. */
async function enter(sites: readonly Cluster[], sections: Sections, times: number): Promise<void> {
  const loop = async (site: Cluster) => {
    for (let entered = 0; entered < times; entered++)
      await site.lock('main').run(sections.enter, { timeoutMs: 20_000 });
  };
  await Promise.all(sites.map(loop));
}

describe.skipIf(natsVersion === null)('over NATS', () => {
  test('a server that ends and comes back delays members and guests, and costs no lock its exclusion', async () => {
    const server = await serverWith();
    const patient = { reconnectTimeWait: 20, maxReconnectAttempts: -1 };
    await using sites = await overNats(server, ['a', 'b', 'c'], 3, { timing }, patient);
    const all = [...sites.members, ...sites.guests];
    const sections = new Sections();
    await enter(all, sections, 20);
    await server.restart();
    await enter(all, sections, 20);
    expect(sections).toMatchObject({ grants: 40 * all.length, overlaps: 0, falls: 0 });
  });

  test('the server says who may take part, and under which subjects', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'nats-'));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const file = join(dir, 'nats.conf');
    writeFileSync(
      file,
      `authorization { users: [
        { user: shop, password: right, permissions: { publish: "baton.test.>", subscribe: "baton.test.>" } }
        { user: other, password: right, permissions: { publish: "baton.other.>", subscribe: "baton.other.>" } }
      ] }`,
    );
    const server = await serverWith(['-c', file]);
    await expect(server.connect({ user: 'shop', pass: 'wrong' })).rejects.toThrow('Authorization');
    const login = { user: 'shop', pass: 'right' };
    await using sites = await overNats(server, ['a', 'b'], 1, { timing }, login);
    const sections = new Sections();
    await enter([...sites.members, ...sites.guests], sections, 5);
    expect(sections).toMatchObject({ grants: 15, overlaps: 0, falls: 0 });
    const stranger = await joinCluster({
      ...{ cluster: 'test', site: 'web', guest: true, timing },
      nats: await server.connect({ user: 'other', pass: 'right' }),
      discovery: [{ host: 'a', port: 1 }],
    });
    onTestFinished(() => stranger.close({ graceful: false }));
    await expect(stranger.ready({ timeoutMs: 500 })).rejects.toMatchObject({ code: 'READY_TIMEOUT' });
  });

  test('processes that find each other become members and guests', async () => {
    const server = await serverWith();
    const names = ['p', 'q', 'r', 's'];
    const discovery = names.map((host) => ({ host, port: 7420 }));
    const all = await Promise.all(
      names.map(async (site) =>
        joinCluster({
          ...{ cluster: 'test', site, size: 3, discovery, timing, nats: await server.connect() },
          members: { foundAfterMs: 300 },
        }),
      ),
    );
    onTestFinished(async () => void (await Promise.all(all.map((one) => one.close({ graceful: false })))));
    await eventually(() => expect(all.filter((one) => one.status().founded)).toHaveLength(3));
    const sections = new Sections();
    await enter(all, sections, 5);
    expect(sections).toMatchObject({ grants: 20, overlaps: 0, falls: 0 });
  });
});
