import { Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../api/clock.ts';
import {
  abortBoxes,
  beliefs,
  meetRaw,
  nowhere,
  openBox,
  openWithMetPeer,
  openWithRawPeer,
  post,
  serveRaw,
  texts,
} from '../../testing/box.ts';
import { codes } from '../../testing/cluster.ts';
import { eventually } from '../../testing/eventually.ts';
import { data, hello, RawPeer, welcome } from '../../testing/peer.ts';

afterEach(abortBoxes);

async function openTwo() {
  const b = await openBox('b', { a: nowhere });
  const a = await openBox('a', { b: b.mailbox.address });
  await eventually(() => expect([a.mailbox.connected(), b.mailbox.connected()]).toEqual([['b'], ['a']]));
  return { a, b };
}

const ofType = (frames: readonly unknown[], type: string) =>
  frames.filter((frame) => (frame as { type: string }).type === type);

describe('messages', () => {
  test('arrive once and in order, both ways, many times what a socket takes at once', async () => {
    const { a, b } = await openTwo();
    const numbers = Array.from({ length: 3_000 }, (_, i) => String(i));
    const long = '𝄞'.repeat(100);
    for (const number of numbers) {
      post(a, 'b', number + long);
      post(b, 'a', number + long);
      if (Number(number) % 100 === 0) await new Promise(setImmediate);
    }
    await eventually(() => expect([a.received.length, b.received.length]).toEqual([3_000, 3_000]));
    expect(texts(a)).toEqual(numbers.map((number) => number + long));
    expect(texts(b)).toEqual(texts(a));
    expect([codes(a.notices), codes(b.notices)]).toEqual([[], []]);
  });

  test('wait for a peer that is not up yet, which is dialled until it is', async () => {
    const place = await openBox('b', { a: nowhere });
    const { address } = place.mailbox;
    await place.mailbox.close('closed');
    const a = await openBox('a', { b: address }, { dialMinMs: 5, dialMaxMs: 20 });
    post(a, 'b', 'first');
    const failures = () => a.notices.filter(({ type }) => type === 'dial-failed').length;
    await eventually(() => expect(failures()).toBeGreaterThan(2));
    const b = await openBox('b', { a: nowhere }, { listen: address });
    post(a, 'b', 'second');
    await eventually(() => expect(texts(b)).toEqual(['first', 'second']));
    expect([codes(a.notices), beliefs(a)]).toEqual([[], ['b up']]);
  });

  test('of one turn of the event loop are one write, before which what must be on the disk is put there', async () => {
    const order: string[] = [];
    const { a, b } = await openWithMetPeer({ beforeWrite: () => order.push('sync') });
    const write = vi.spyOn(Socket.prototype, 'write').mockImplementation(function (this: Socket, ...args) {
      order.push(`write ${(args[0] as Buffer).length > 100 ? 'much' : 'little'}`);
      return Reflect.apply(realWrite, this, args);
    });
    for (let i = 0; i < 100; i++) post(b, 'a', 'short');
    await eventually(() => expect(ofType(a.received, 'data')).toHaveLength(100));
    write.mockRestore();
    expect(order).toEqual(['sync', 'write much']);
  });

  test('that are urgent are written before others, and after all that comes of what was read', async () => {
    const c = await openBox('c', { a: nowhere, b: nowhere }, { urgent: 'HASTE' });
    const peers = await Promise.all(['a', 'b'].map(() => RawPeer.dial(c.mailbox.address)));
    for (const [index, id] of ['a', 'b'].entries()) {
      peers[index]!.say(hello(id, 'c'));
      await eventually(() => expect(ofType(peers[index]!.received, 'welcome')).toHaveLength(1));
      peers[index]!.say(welcome(id, 'c', { ack: 0 }));
    }
    await eventually(() => expect(c.mailbox.connected()).toEqual(['a', 'b']));
    const ports = new Map(peers.map(({ socket }, index) => [socket.localPort, 'ab'[index]]));
    const order: unknown[] = [];
    const write = vi.spyOn(Socket.prototype, 'write').mockImplementation(function (this: Socket, ...args) {
      order.push(ports.get(this.remotePort));
      return Reflect.apply(realWrite, this, args);
    });
    post(c, 'a', 'one');
    // A grant's messages come some promises later.
    for (let i = 0; i < 10; i++) await null;
    post(c, 'b', 'two', 2);
    post(c, 'b', 'three', 3, 'HASTE');
    await eventually(() =>
      expect(peers.map(({ received }) => ofType(received, 'data').length)).toEqual([1, 2]),
    );
    write.mockRestore();
    expect(order).toEqual(['b', 'a']);
  });

  test('leave behind what must be on the disk in a close, too', async () => {
    let synced = 0;
    const { a, b } = await openWithMetPeer({ beforeWrite: () => (synced += 1) });
    post(b, 'a', 'last');
    const closed = b.mailbox.close('left');
    await eventually(() => expect(ofType(a.received, 'data')).toHaveLength(1));
    expect(synced).toBe(1);
    a.say({ type: 'ack', ack: 1 });
    await closed;
  });

  test('are acknowledged soon when nothing goes back, and on the way when something does', async () => {
    const { a, b } = await openWithMetPeer();
    a.say(data('a', 'b', { type: 'NOTE', text: 'one' }, 1));
    a.say(data('a', 'b', { type: 'NOTE', text: 'two' }, 2));
    await eventually(() => expect(a.received).toContainEqual({ type: 'ack', ack: 2 }));
    a.say(data('a', 'b', { type: 'NOTE', text: 'three' }, 3));
    await eventually(() => expect(texts(b)).toContain('three'));
    post(b, 'a', 'back');
    await eventually(() => expect(ofType(a.received, 'data')).toMatchObject([{ seq: 1, ack: 3 }]));
  });
});

test('many messages are acknowledged before any time has passed, so that few wait', async () => {
  const clock = { ...systemClock, after: () => () => undefined };
  const { a, b } = await openWithMetPeer({ clock });
  for (let seq = 1; seq <= 70; seq++) a.say(data('a', 'b', { type: 'NOTE', text: String(seq) }, seq));
  await eventually(() => expect(texts(b)).toHaveLength(70));
  await eventually(() =>
    expect(ofType(a.received, 'ack')).toEqual([32, 64].map((ack) => ({ type: 'ack', ack }))),
  );
});
const realWrite = Socket.prototype.write;

describe('a close', () => {
  test('says goodbye when all is acknowledged, and not before', async () => {
    const { a, b } = await openWithMetPeer();
    post(b, 'a', 'first');
    const closed = b.mailbox.close('left');
    await eventually(() => expect(ofType(a.received, 'ping')).toHaveLength(1));
    expect(ofType(a.received, 'bye')).toEqual([]);
    a.say({ type: 'ack', ack: 1 });
    await closed;
    expect(a.received.at(-1)).toEqual({ type: 'bye', reason: 'left' });
    expect(b.notices.filter(({ type }) => type === 'dropped')).toEqual([]);
  });

  test('delivers what waits, though no clock fires', async () => {
    const clock = { ...systemClock, after: () => () => undefined };
    const b = await openBox('b', { a: nowhere }, { clock });
    const a = await openBox('a', { b: b.mailbox.address }, { clock });
    await eventually(() => expect(a.mailbox.connected()).toEqual(['b']));
    for (let i = 0; i < 1_000; i++) post(a, 'b', String(i));
    await a.mailbox.close('left');
    expect(texts(b).length).toBe(1_000);
    expect([codes(a.notices), codes(b.notices)]).toEqual([[], []]);
    expect(beliefs(b)).toEqual(['a up', 'a left']);
    expect(b.notices).toContainEqual({ type: 'left', peer: 'a' });
    expect(b.mailbox.connected()).toEqual([]);
  });

  test('of both at once ends', async () => {
    const { a, b } = await openTwo();
    for (let i = 0; i < 10; i++) {
      post(a, 'b', String(i));
      post(b, 'a', String(i));
    }
    await Promise.all([a.mailbox.close('left'), b.mailbox.close('closed')]);
    expect([...a.notices, ...b.notices].filter(({ type }) => type === 'dropped')).toEqual([]);
  });

  test('through a break delivers what waits by the next connection', async () => {
    const { a, b } = await openWithMetPeer();
    post(b, 'a', 'one');
    post(b, 'a', 'two');
    await eventually(() => expect(ofType(a.received, 'data')).toHaveLength(2));
    const closed = b.mailbox.close('left');
    a.socket.resetAndDestroy();
    const again = await RawPeer.dial(b.mailbox.address);
    const met = meetRaw(again, b, {}, 1);
    await eventually(() => expect(ofType(again.received, 'data')).toMatchObject([{ seq: 2 }]));
    await met;
    again.say({ type: 'ack', ack: 2 });
    await closed;
    expect(again.received.at(-1)).toEqual({ type: 'bye', reason: 'left' });
  });

  test('before the welcome ends the connection only', async () => {
    const { address, accepted, stop } = await serveRaw(() => null);
    const a = await openBox('a', { b: address });
    await eventually(() => expect(accepted[0]?.received).toHaveLength(1));
    await a.mailbox.close('closed');
    await accepted[0]!.closed();
    expect(accepted[0]!.received).toMatchObject([{ type: 'hello' }]);
    stop();
  });

  test('with a peer that never answers ends all the same, and says what was not sent', async () => {
    const a = await openBox('a', { b: nowhere });
    post(a, 'b', 'never');
    await a.mailbox.close('closed');
    expect(a.notices.at(-1)).toEqual({ type: 'dropped', peer: 'b', count: 1 });
    expect(() => post(a, 'b', 'more')).toThrow(expect.objectContaining({ code: 'MAILBOX_CLOSED' }));
  });

  test('with a peer that acknowledges nothing is given up, and what waited is counted', async () => {
    const { a, b } = await openWithMetPeer({ closeTimeoutMs: 50 });
    a.socket.pause();
    for (let i = 0; i < 300; i++) post(b, 'a', '𝄞'.repeat(128));
    await b.mailbox.close('closed');
    expect(b.notices.at(-1)).toEqual({ type: 'dropped', peer: 'a', count: 300 });
  });
});

test('an address that is taken is an error of the opener', async () => {
  const b = await openBox('b', { a: nowhere });
  const taken = openBox('c', { b: nowhere }, { listen: b.mailbox.address });
  await expect(taken).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
});

test('a second connection of the same life takes the place of the first', async () => {
  const { a, b } = await openWithMetPeer();
  post(b, 'a', 'one');
  await eventually(() => expect(ofType(a.received, 'data')).toHaveLength(1));
  const second = await RawPeer.dial(b.mailbox.address);
  await meetRaw(second, b);
  await a.closed();
  await eventually(() => expect(ofType(second.received, 'data')).toMatchObject([{ seq: 1 }]));
  expect([b.mailbox.connected(), beliefs(b), [...b.mailbox.refused]]).toEqual([['a'], ['a up'], []]);
});

test('a dialled peer that answers in another name is refused, and dialled again in pauses', async () => {
  const { address, accepted, stop } = await serveRaw(() => welcome('b', 'a', { cluster: 'other' }));
  const a = await openBox('a', { b: address }, { dialMinMs: 5, dialMaxMs: 10 });
  await eventually(() => expect(accepted.length).toBeGreaterThan(2));
  expect(a.mailbox.refused.get('FOREIGN_CLUSTER')).toBeGreaterThan(1);
  expect(beliefs(a)).toEqual([]);
  stop();
});

test('a stranger that only looks whether a process listens is no bad handshake', async () => {
  const { a, b } = await openWithRawPeer({ handshakeTimeoutMs: 30 });
  a.socket.destroy();
  await a.closed();
  const { a: silent, b: other } = await openWithRawPeer({ handshakeTimeoutMs: 30 });
  await silent.closed();
  expect([[...b.mailbox.refused], [...other.mailbox.refused]]).toEqual([[], [['HANDSHAKE_TIMEOUT', 1]]]);
});
