import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { SiteId } from '../../machines/actor.ts';
import type { NatsConnection } from '../api/nats.ts';
import type { Address } from '../api/peer.ts';
import { abortBoxes, type BoxOptions, beliefs, openBox, post, texts } from '../testing/box.ts';
import { eventually } from '../testing/eventually.ts';
import { NatsServer, natsVersion } from '../testing/nats-server.ts';
import { natsTransport } from './nats/nats-transport.ts';
import type { Transport } from './pipe.ts';
import { plain, transportOf } from './tcp/transport.ts';

/* What every transport of messages between processes must do. */

interface Way {
  readonly transport: (site: SiteId) => Promise<Transport>;
  /** Where a site listens that has not listened before. */
  readonly listen: (site: SiteId) => Address;
}

const anyPort = () => ({ host: '127.0.0.1', port: 0 });
const secret = 'a secret of at least thirty-two bytes';
let server: NatsServer | null = null;

const ways: Readonly<Record<string, Way>> = {
  TCP: { transport: async () => plain, listen: anyPort },
  'TLS by a secret': {
    transport: async (site) =>
      transportOf({ cluster: 'test', site, listen: anyPort(), peers: {}, secret, insecure: false }),
    listen: anyPort,
  },
  NATS: {
    transport: async (site) => natsTransport(await server!.connect(), 'test', site),
    listen: (site) => ({ host: site, port: 1 }),
  },
};

const isMissing = (name: string) => name === 'NATS' && natsVersion === null;

beforeAll(async () => {
  if (natsVersion !== null) server = await NatsServer.start();
});
afterEach(abortBoxes);
afterAll(() => server?.stop());

const nowhere = { host: '127.0.0.1', port: 9 };

for (const [name, { transport, listen }] of Object.entries(ways)) {
  const open = async (site: SiteId, peers: Record<SiteId, Address>, options: BoxOptions = {}) =>
    openBox(site, peers, { listen: listen(site), transport: await transport(site), ...options });
  const openTwo = async (options: BoxOptions = {}) => {
    const b = await open('b', { a: nowhere });
    const a = await open('a', { b: b.mailbox.address }, options);
    await eventually(() => expect([a.mailbox.connected(), b.mailbox.connected()]).toEqual([['b'], ['a']]));
    return { a, b };
  };

  describe.skipIf(isMissing(name))(name, () => {
    test('messages arrive once and in order, both ways', async () => {
      const { a, b } = await openTwo();
      const sent = Array.from({ length: 500 }, (_, index) => `${index}${'𝄞'.repeat(100)}`);
      for (const text of sent) {
        post(a, 'b', text);
        post(b, 'a', text);
      }
      await eventually(() => expect([texts(a), texts(b)]).toEqual([sent, sent]));
    });

    test('a message waits for a peer that is not up yet', async () => {
      const place = await open('b', { a: nowhere });
      const { address } = place.mailbox;
      await place.mailbox.close('closed');
      const a = await open('a', { b: address }, { dialMinMs: 5, dialMaxMs: 20, failureTimeoutMs: 500 });
      post(a, 'b', 'early');
      const b = await open('b', { a: nowhere }, { listen: address });
      await eventually(() => expect(texts(b)).toEqual(['early']));
    });

    test('another run of a peer is told, and what waited for the one before never arrives', async () => {
      const { a, b } = await openTwo({ dialMinMs: 5, dialMaxMs: 20 });
      const { address } = b.mailbox;
      post(a, 'b', 'one');
      await eventually(() => expect(texts(b)).toEqual(['one']));
      b.mailbox.abort();
      post(a, 'b', 'two');
      const again = await open('b', { a: nowhere }, { listen: address, incarnation: 'b-2', run: 2 });
      await eventually(() => expect(beliefs(a).at(-1)).toContain('restarted'));
      post(a, 'b', 'three');
      await eventually(() => expect(texts(again)).toEqual(['three']));
    });

    test('a peer that leaves is down', async () => {
      const { a, b } = await openTwo();
      await b.mailbox.close('left');
      await eventually(() => expect(beliefs(a).at(-1)).toBe('b left'));
      expect(a.mailbox.connected()).toEqual([]);
    });
  });
}

describe.skipIf(natsVersion === null)('a NATS server that loses messages', () => {
  test('breaks connections, and no message of a site is lost, doubled or overtaken', async () => {
    let count = 0;
    let lost = 0;
    let isLossy = true;
    const lossy = (nats: NatsConnection): NatsConnection => ({
      subscribe: (...subscription) => nats.subscribe(...subscription),
      publish: (...packet) => {
        count += 1;
        if (isLossy && count % 7 === 0) lost += 1;
        else nats.publish(...packet);
      },
    });
    const options = { failureTimeoutMs: 300, heartbeatMs: 50, dialMinMs: 5, dialMaxMs: 20 };
    const box = async (site: SiteId, peers: Record<SiteId, Address>) =>
      openBox(site, peers, {
        ...options,
        listen: { host: site, port: 1 },
        transport: natsTransport(lossy(await server!.connect()), 'lossy', site),
      });
    const b = await box('b', { a: nowhere });
    const a = await box('a', { b: b.mailbox.address });
    const sent = Array.from({ length: 60 }, (_, index) => String(index));
    for (const text of sent) {
      post(a, 'b', text);
      post(b, 'a', text);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    isLossy = false;
    await eventually(() => expect([texts(a), texts(b)]).toEqual([sent, sent]));
    expect(lost).toBeGreaterThan(0);
  });
});
