import { afterEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../api/clock.ts';
import { OperatingError } from '../../api/errors.ts';
import type { PeerChange, StampedEnvelope } from '../../api/peer.ts';
import {
  abortBoxes,
  beliefs,
  meetRaw,
  nowhere,
  openBox,
  openWithMetPeer,
  post,
  serveRaw,
  texts,
} from '../../testing/box.ts';
import { codes } from '../../testing/cluster.ts';
import { eventually } from '../../testing/eventually.ts';
import { data, RawPeer, welcome } from '../../testing/peer.ts';
import { Relay } from '../../testing/relay.ts';

const relays: Relay[] = [];
afterEach(() => {
  abortBoxes();
  for (const relay of relays.splice(0)) relay.close();
});

const quick = { heartbeatMs: 50, failureTimeoutMs: 300 };
const never = { heartbeatMs: 60_000, failureTimeoutMs: 120_000 };

/** `a` dials `b`, each knows where the other listens, and both have met. */
async function openPair(options = {}) {
  const place = await openBox('a', { b: nowhere });
  const listen = place.mailbox.address;
  await place.mailbox.close('closed');
  const b = await openBox('b', { a: listen }, options);
  const relay = await Relay.open(b.mailbox.address);
  relays.push(relay);
  const a = await openBox('a', { b: relay.address }, { listen, ...options });
  await eventually(() => expect([a.mailbox.connected(), b.mailbox.connected()]).toEqual([['b'], ['a']]));
  return { a, b, relay };
}

describe('a process that is gone', () => {
  test('is believed down by a site that dials it, though no heartbeat is due', async () => {
    const b = await openBox('b', { a: nowhere });
    const a = await openBox('a', { b: b.mailbox.address }, never);
    await eventually(() => expect(b.mailbox.connected()).toEqual(['a']));
    b.mailbox.abort();
    await eventually(() => expect(beliefs(a)).toEqual(['b up', 'b refused']));
  });

  test('is believed down by a site that it dialled and that probes it, though no heartbeat is due', async () => {
    const { a, b, relay } = await openPair(never);
    // Until b has found out that its address for a is right.
    await new Promise((resolve) => setTimeout(resolve, 50));
    a.mailbox.abort();
    relay.reset();
    await eventually(() => expect(beliefs(b)).toEqual(['a up', 'a refused']));
    expect([...a.mailbox.refused]).toEqual([]);
  });

  test('is not taken for dead where the address is wrong: it is only silent', async () => {
    const b = await openBox('b', { a: nowhere }, quick);
    const a = await openBox('a', { b: b.mailbox.address });
    await eventually(() => expect(b.mailbox.connected()).toEqual(['a']));
    a.mailbox.abort();
    await eventually(() => expect(beliefs(b)).toEqual(['a up', 'a silent']));
  });

  test('that was never there is refused once it should have been', async () => {
    const a = await openBox('a', { b: nowhere }, { ...quick, dialMinMs: 5 });
    expect(beliefs(a)).toEqual([]);
    await eventually(() => expect(beliefs(a)).toEqual(['b refused']));
  });
});

describe('a peer that says nothing', () => {
  test('that is silent to both ends is redialled, is up when it answers, and loses no message', async () => {
    const { a, b, relay } = await openPair(quick);
    relay.stall(true);
    post(a, 'b', 'one');
    post(b, 'a', 'two');
    await eventually(() =>
      expect([beliefs(a), beliefs(b)]).toEqual([
        ['b up', 'b silent'],
        ['a up', 'a silent'],
      ]),
    );
    relay.stall(false);
    await eventually(() => expect([texts(a), texts(b)]).toEqual([['two'], ['one']]));
    expect([beliefs(a).at(-1), beliefs(b).at(-1)]).toEqual(['b up', 'a up']);
    expect([...codes(a.notices), ...codes(b.notices)]).toEqual([]);
  });

  test('is silent, too, when its kernel alone takes the connection', async () => {
    const answers = [welcome('b', 'a')];
    const { address, accepted, stop } = await serveRaw(() => answers.shift() ?? null);
    const a = await openBox('a', { b: address }, quick);
    await eventually(() => expect(beliefs(a)).toEqual(['b up', 'b silent']));
    await eventually(() => expect(accepted.length).toBeGreaterThan(2));
    expect([...a.mailbox.refused]).toEqual([]);
    stop();
  });

  test('that has nothing to say is up, and costs little', async () => {
    const { a, b } = await openPair(quick);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const idle = a.mailbox.traffic.bytesReceived;
    expect([beliefs(a), beliefs(b)]).toEqual([['b up'], ['a up']]);
    await new Promise((resolve) => setTimeout(resolve, 400));
    // Two pings and two pongs a heartbeat at the most, of 30 bytes or so.
    const beats = 400 / (quick.heartbeatMs * 0.75);
    expect(a.mailbox.traffic.bytesReceived - idle).toBeGreaterThan(0);
    expect(a.mailbox.traffic.bytesReceived - idle).toBeLessThan(beats * 4 * 45);
  });
});

describe('a process that was stopped', () => {
  test('trusts nobody before each has answered what was asked afterwards, and hears nothing before that', async () => {
    let skipped = 0;
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + skipped };
    const { a, b } = await openWithMetPeer({ clock, heartbeatMs: 500, failureTimeoutMs: 1_000 });
    b.changes.splice(0);
    skipped = 10_000;
    const pings = () => a.received.flatMap((frame) => (isPing(frame) ? frame.number : []));
    const before = pings().length;
    a.say(data('a', 'b', { type: 'NOTE', text: 'from before' }));
    await eventually(() => expect(texts(b)).toEqual(['from before']));
    expect(beliefs(b)).toEqual(['a silent']);
    await eventually(() => expect(pings().length).toBeGreaterThan(before));
    a.say({ type: 'pong', number: pings().at(-1)! - 1 });
    a.say({ type: 'ping', number: 1 });
    await eventually(() => expect(a.received).toContainEqual({ type: 'pong', number: 1 }));
    expect(beliefs(b)).toEqual(['a silent']);
    a.say({ type: 'pong', number: pings().at(-1) });
    await eventually(() => expect(beliefs(b)).toEqual(['a silent', 'a up']));
  });
});

function isPing(frame: unknown): frame is { readonly type: 'ping'; readonly number: number } {
  return (frame as { type: string }).type === 'ping';
}

describe('a peer that starts again', () => {
  test('has restarted: what waited for it is counted and dropped, and numbers begin again', async () => {
    const { a, b } = await openWithMetPeer();
    a.say(data('a', 'b', { type: 'NOTE', text: 'one' }));
    await eventually(() => expect(texts(b)).toEqual(['one']));
    post(b, 'a', 'for the first');
    a.socket.destroy();
    const again = await RawPeer.dial(b.mailbox.address);
    await meetRaw(again, b, { incarnation: 'a-2' });
    again.say(data('a', 'b', { type: 'NOTE', text: 'two' }));
    await eventually(() => expect(texts(b)).toEqual(['one', 'two']));
    expect(b.changes).toEqual([
      { type: 'up', peer: 'a', incarnation: 'a-1' },
      {
        type: 'restarted',
        peer: 'a',
        incarnation: 'a-2',
        lost: [expect.objectContaining({ message: { type: 'NOTE', text: 'for the first' } })],
      },
    ]);
    expect(b.notices).toContainEqual({ type: 'dropped', peer: 'a', count: 1 });
    post(b, 'a', 'for the second');
    await eventually(() =>
      expect(again.received).toContainEqual(data('b', 'a', { type: 'NOTE', text: 'for the second' }, 1, 1)),
    );
  });

  test('after a goodbye is met again', async () => {
    const { a, b } = await openWithMetPeer();
    a.say({ type: 'bye', reason: 'left' });
    await a.closed();
    post(b, 'a', 'too late');
    const again = await RawPeer.dial(b.mailbox.address);
    await meetRaw(again, b, { incarnation: 'a-2' });
    expect(beliefs(b)).toEqual(['a up', 'a left', 'a restarted']);
    expect(b.changes.at(-1)).toMatchObject({ lost: [{ message: { text: 'too late' } }] });
    expect(b.notices).toContainEqual({ type: 'dropped', peer: 'a', count: 1 });
  });
});

describe('more than may wait for a peer', () => {
  test('ends this life of the link, and both hear of it; nothing is thrown at the poster', async () => {
    const { a, b, relay } = await openPair({ maxOutbox: 10, dialMinMs: 5 });
    relay.stall(true);
    post(b, 'a', 'for the old life');
    for (let i = 0; i < 11; i++) post(a, 'b', String(i));
    post(a, 'b', 'for the new life');
    await eventually(() => expect(codes(a.notices)).toEqual(['OUTBOX_FULL']));
    relay.reset();
    relay.stall(false);
    await eventually(() => expect(texts(b)).toEqual(['for the new life']));
    expect([beliefs(a), beliefs(b)]).toEqual([
      ['b up', 'b silent', 'b restarted'],
      ['a up', 'a restarted'],
    ]);
    expect(a.notices).toContainEqual({ type: 'dropped', peer: 'b', count: 11 });
    expect(b.notices).toContainEqual({ type: 'dropped', peer: 'a', count: 1 });
    expect(texts(a)).toEqual([]);
    post(b, 'a', 'again');
    await eventually(() => expect(texts(a)).toEqual(['again']));
  });

  test('is far more than a burst: 3,000 messages for a peer that is away go out when it is there', async () => {
    const place = await openBox('b', { a: nowhere });
    const { address } = place.mailbox;
    await place.mailbox.close('closed');
    const a = await openBox('a', { b: address }, { dialMinMs: 5, dialMaxMs: 20 });
    for (let i = 0; i < 3_000; i++) post(a, 'b', String(i));
    const b = await openBox('b', { a: nowhere }, { listen: address });
    await eventually(() => expect(b.received).toHaveLength(3_000));
    expect(texts(b).at(-1)).toBe('2999');
  });
});

describe('a message that is refused', () => {
  const receive = ({ message }: StampedEnvelope) => {
    if (JSON.stringify(message).includes('one too many'))
      throw new OperatingError('TOO_MANY_LOCKS', 'no room');
  };

  test('ends this life of the link: both hear of it, the sender of what is lost, and others pass', async () => {
    const b = await openBox('b', { a: nowhere }, { receive });
    const a = await openBox('a', { b: b.mailbox.address }, { dialMinMs: 5 });
    await eventually(() => expect(a.mailbox.connected()).toEqual(['b']));
    for (const text of ['one', 'one too many', 'behind it']) post(a, 'b', text);
    await eventually(() =>
      expect([beliefs(a), beliefs(b)]).toEqual([
        ['b up', 'b restarted'],
        ['a up', 'a restarted'],
      ]),
    );
    expect([...b.mailbox.refused]).toEqual([['TOO_MANY_LOCKS', 1]]);
    expect(codes(b.notices)).toEqual(['TOO_MANY_LOCKS']);
    expect([...a.mailbox.refused, ...codes(a.notices)]).toEqual([]);
    const restarted = a.changes.at(-1) as Extract<PeerChange, { type: 'restarted' }>;
    const lost = restarted.lost.map(({ message }) => (message as unknown as { text: string }).text);
    expect([restarted.incarnation, lost.slice(-2)]).toEqual(['b-1', ['one too many', 'behind it']]);
    post(a, 'b', 'two');
    post(b, 'a', 'back');
    await eventually(() => expect([texts(a), texts(b)]).toEqual([['back'], ['one', 'two']]));
    expect(b.mailbox.connected()).toEqual(['a']);
  });

  test('is never acknowledged', async () => {
    const { a, b } = await openWithMetPeer({ receive });
    post(b, 'a', 'for the old life');
    a.say(data('a', 'b', { type: 'NOTE', text: 'one' }, 1));
    await eventually(() => expect(texts(b)).toEqual(['one']));
    a.say(data('a', 'b', { type: 'NOTE', text: 'one too many' }, 2));
    await a.closed();
    const acks = a.received.flatMap((frame) => (frame as { ack?: number }).ack ?? []);
    expect(Math.max(...acks)).toBeLessThanOrEqual(1);
    const again = await RawPeer.dial(b.mailbox.address);
    await meetRaw(again, b);
    expect(again.received).toContainEqual(
      expect.objectContaining({ type: 'welcome', site: 'b', life: 2, ack: 0 }),
    );
    expect(b.changes.at(-1)).toMatchObject({
      type: 'restarted',
      incarnation: 'a-1',
      lost: [{ message: { text: 'for the old life' } }],
    });
  });
});
