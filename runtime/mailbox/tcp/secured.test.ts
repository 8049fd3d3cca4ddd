import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { abortBoxes, beliefs, nowhere, openBox, post, texts } from '../../testing/box.ts';
import { anyPort, codes } from '../../testing/cluster.ts';
import { Authority } from '../../testing/credentials.ts';
import { eventually } from '../../testing/eventually.ts';
import { Relay } from '../../testing/relay.ts';
import type { Transport } from '../pipe.ts';
import { transportOf } from './transport.ts';

const authority = new Authority('test');
const secret = 'a secret of thirty-two bytes, at least';
const own = (site: string) => ({ cluster: 'test', site, listen: anyPort, peers: { a: nowhere, b: nowhere } });
const transports: readonly (readonly [string, (site: string) => Transport])[] = [
  ['certificates', (site) => transportOf({ ...own(site), tls: authority.tls('test', site) })],
  ['a secret', (site) => transportOf({ ...own(site), secret })],
];

const relays: Relay[] = [];
afterEach(() => {
  abortBoxes();
  for (const relay of relays.splice(0)) relay.close();
});

describe.each(transports)('by %s, as by TCP alone', (_, transport) => {
  /** `a` dials `b` over a relay, each knows where the other listens. */
  async function openPair(options = {}, budget?: () => number) {
    const place = await openBox('a', { b: nowhere });
    const listen = place.mailbox.address;
    await place.mailbox.close('closed');
    const b = await openBox('b', { a: listen }, { transport: transport('b'), ...options });
    const relay = await Relay.open(b.mailbox.address, budget);
    relays.push(relay);
    const a = await openBox('a', { b: relay.address }, { listen, transport: transport('a'), ...options });
    return { a, b, relay, met: () => eventually(() => expect(connected(a, b)).toEqual([['b'], ['a']])) };
  }
  type Box = Awaited<ReturnType<typeof openBox>>;
  const connected = (...boxes: Box[]) => boxes.map(({ mailbox }) => mailbox.connected());
  const complaints = (...boxes: Box[]) =>
    boxes.flatMap(({ mailbox, notices }) => [...codes(notices), ...mailbox.refused.keys()]);

  test('wherever a connection is cut, each message arrives once and in order, and nobody is accused', async () => {
    // A handshake is some 2,000 bytes, a message some 60: cuts fall into both, and into the next.
    const budgets = fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 12 });
    const runs = fc.asyncProperty(budgets, async (cuts) => {
      const left = [...cuts];
      const quick = { dialMinMs: 1, dialMaxMs: 5 };
      const { a, b, relay } = await openPair(quick, () => left.shift() ?? Number.POSITIVE_INFINITY);
      const all = Array.from({ length: 40 }, (_, i) => String(i));
      for (const text of all) {
        post(a, 'b', text);
        post(b, 'a', text);
        await new Promise(setImmediate);
      }
      await eventually(() => expect([texts(a), texts(b)]).toEqual([all, all]));
      expect(complaints(a, b)).toEqual([]);
      abortBoxes();
      relay.close();
    });
    await fc.assert(runs, { numRuns: 10, seed: 11 });
  });

  test('a process that is gone is refused, to both, and a probe of the port does not count as a stranger', async () => {
    const never = { heartbeatMs: 60_000, failureTimeoutMs: 120_000 };
    const first = await openPair(never);
    await first.met();
    first.b.mailbox.abort();
    // It is the relay that still listens, and then nobody.
    first.relay.close();
    await eventually(() => expect(beliefs(first.a)).toEqual(['b up', 'b refused']));

    const second = await openPair(never);
    await second.met();
    // Until b has found out that its address for a is right.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(complaints(second.a, second.b)).toEqual([]);
    second.a.mailbox.abort();
    second.relay.reset();
    await eventually(() => expect(beliefs(second.b)).toEqual(['a up', 'a refused']));
    expect(complaints(second.a, second.b)).toEqual([]);
  });

  test('a goodbye arrives behind all that was posted, and what the other says meanwhile is read', async () => {
    const { a, b, met } = await openPair();
    await met();
    for (let i = 0; i < 200; i++) {
      post(a, 'b', String(i));
      post(b, 'a', String(i));
    }
    await a.mailbox.close('left');
    expect(texts(b)).toHaveLength(200);
    expect(beliefs(b)).toEqual(['a up', 'a left']);
    await b.mailbox.close('left');
    expect(complaints(b)).toEqual([]);
    // a was closing: the message is reported, and not lost silently.
    expect(texts(a).length + complaints(a).filter((code) => code === 'UNDELIVERED').length).toBe(200);
  });

  test('a peer that only the network keeps silent is silent, and up again', async () => {
    const { a, b, relay, met } = await openPair({ heartbeatMs: 50, failureTimeoutMs: 300 });
    await met();
    relay.stall(true);
    await eventually(() => expect([beliefs(a).at(-1), beliefs(b).at(-1)]).toEqual(['b silent', 'a silent']));
    relay.stall(false);
    await eventually(() => expect([beliefs(a).at(-1), beliefs(b).at(-1)]).toEqual(['b up', 'a up']));
    expect(complaints(a, b)).toEqual([]);
  });
});
