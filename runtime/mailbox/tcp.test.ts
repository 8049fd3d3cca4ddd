import { afterEach, describe, expect, test, vi } from 'vitest';
import { closeBoxes, nowhere, openBox, openWithRawPeer, post, serveRaw, texts } from '../testing/box.ts';
import { codes } from '../testing/cluster.ts';
import { eventually } from '../testing/eventually.ts';
import { hello, message, RawPeer } from '../testing/peer.ts';
import { Connection } from './tcp/connection.ts';

afterEach(closeBoxes);

describe('messages', () => {
  test('arrive once and in order, both ways, many times what a socket takes at once', async () => {
    const b = await openBox('b', { a: nowhere });
    const a = await openBox('a', { b: b.mailbox.address });
    const numbers = Array.from({ length: 3_000 }, (_, i) => String(i));
    const long = 'x'.repeat(1_000);
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
    expect(codes(a.notices)).toEqual([]);
  });

  test('more than may wait for one peer are refused to the sender', async () => {
    const b = await openBox('b', { a: nowhere }, { maxOutboxBytes: 1_000 });
    expect(() => {
      for (let i = 0; i < 100; i++) post(b, 'a', 'x'.repeat(100));
    }).toThrow(expect.objectContaining({ code: 'OUTBOX_FULL' }));
  });

  test('are not handed to a socket that wants no more, until it does', async () => {
    const { a, b } = await openWithRawPeer();
    a.say(hello('a', 'b'));
    await eventually(() => expect(b.mailbox.connected()).toEqual(['a']));
    a.socket.pause();
    const flood = async () => {
      for (let round = 0; round < 200; round++) {
        for (let i = 0; i < 50; i++) post(b, 'a', 'x'.repeat(10_000));
        await new Promise(setImmediate);
      }
    };
    await expect(flood()).rejects.toMatchObject({ code: 'OUTBOX_FULL' });
    const sent = b.mailbox.traffic.bytesSent;
    a.socket.resume();
    await eventually(() => expect(b.mailbox.traffic.bytesSent).toBeGreaterThan(sent + 1_000_000));
    a.socket.destroy();
  });

  test('are gathered: one turn of the event loop makes one write', async () => {
    const { a, b } = await openWithRawPeer();
    a.say(hello('a', 'b'));
    await eventually(() => expect(a.received.length).toBe(1));
    const write = vi.spyOn(Connection.prototype, 'write');
    for (let i = 0; i < 100; i++) post(b, 'a', 'short');
    await eventually(() => expect(a.received.length).toBe(101));
    expect(write).toHaveBeenCalledTimes(1);
    write.mockRestore();
    a.socket.destroy();
  });
});

describe('the end of a connection', () => {
  test('a clean close sends what waits, and is no error when the site has left', async () => {
    const b = await openBox('b', { a: nowhere });
    const a = await openBox('a', { b: b.mailbox.address });
    await eventually(() => expect(a.mailbox.connected()).toEqual(['b']));
    for (let i = 0; i < 1_000; i++) post(a, 'b', String(i));
    await a.mailbox.close('left');
    expect(texts(b).length).toBe(1_000);
    expect([codes(a.notices), codes(b.notices)]).toEqual([[], []]);
    expect(b.notices.at(-1)).toEqual({ type: 'left', peer: 'a' });
    expect(b.mailbox.connected()).toEqual([]);
    post(b, 'a', 'too late');
    expect(codes(b.notices)).toEqual(['UNDELIVERED']);
  });

  test('a close without leaving is said so', async () => {
    const b = await openBox('b', { a: nowhere });
    const a = await openBox('a', { b: b.mailbox.address });
    await eventually(() => expect(b.mailbox.connected()).toEqual(['a']));
    await a.mailbox.close('closed');
    await eventually(() => expect(codes(b.notices)).toEqual(['PEER_CLOSED']));
  });

  test('so is one before the peer has answered the hello', async () => {
    const { address, accepted, stop } = await serveRaw(null);
    const a = await openBox('a', { b: address });
    await eventually(() => expect(accepted[0]?.received).toHaveLength(1));
    await a.mailbox.close('closed');
    expect(accepted[0]!.received).toMatchObject([{ type: 'hello' }, { type: 'bye', reason: 'closed' }]);
    stop();
  });

  test('a break is loud; the same incarnation may come back and gets what waited', async () => {
    const { a, b } = await openWithRawPeer();
    a.say(hello('a', 'b'));
    await eventually(() => expect(b.mailbox.connected()).toEqual(['a']));
    a.socket.resetAndDestroy();
    await eventually(() => expect(codes(b.notices)).toEqual(['PEER_LOST']));
    post(b, 'a', 'later');
    const again = await RawPeer.dial(b.mailbox.address);
    again.say(hello('a', 'b'));
    await eventually(() =>
      expect(again.received).toContainEqual(message('b', 'a', { type: 'NOTE', text: 'later' })),
    );
    again.socket.destroy();
  });

  test('what is posted while a connection is closing waits for the next one', async () => {
    const { a, b } = await openWithRawPeer();
    a.say(hello('a', 'b'));
    await eventually(() => expect(b.mailbox.connected()).toEqual(['a']));
    const closing = vi.spyOn(Connection.prototype, 'writable', 'get').mockReturnValue(false);
    post(b, 'a', 'later');
    await new Promise(setImmediate);
    closing.mockRestore();
    a.socket.destroy();
    await eventually(() => expect(codes(b.notices)).toEqual(['PEER_LOST']));
    const again = await RawPeer.dial(b.mailbox.address);
    again.say(hello('a', 'b'));
    await eventually(() => expect(again.received).toHaveLength(2));
    again.socket.destroy();
  });

  test('another incarnation is refused, and what waits for the first is said to be undelivered', async () => {
    const { a, b } = await openWithRawPeer();
    a.say(hello('a', 'b'));
    await eventually(() => expect(b.mailbox.connected()).toEqual(['a']));
    a.socket.destroy();
    await eventually(() => expect(codes(b.notices)).toEqual(['PEER_LOST']));
    const other = await RawPeer.dial(b.mailbox.address);
    other.say(hello('a', 'b', { incarnation: 'a-2' }));
    await other.closed();
    post(b, 'a', 'lost');
    expect(codes(b.notices)).toEqual(['PEER_LOST', 'PEER_RESTARTED', 'UNDELIVERED']);
  });

  test('the dialling side dials again after a break', async () => {
    const { address, accepted, stop } = await serveRaw(hello('b', 'a'));
    const a = await openBox('a', { b: address });
    await eventually(() => expect(a.mailbox.connected()).toEqual(['b']));
    accepted[0]!.socket.destroy();
    await eventually(() => expect([accepted.length, a.mailbox.connected()]).toEqual([2, ['b']]));
    expect(codes(a.notices)).toEqual(['PEER_LOST']);
    a.mailbox.abort();
    stop();
  });

  test('a close with a peer that never answers ends all the same, and says what was not sent', async () => {
    const a = await openBox('a', { b: nowhere });
    post(a, 'b', 'never');
    await a.mailbox.close('closed');
    expect(codes(a.notices)).toEqual(['UNDELIVERED']);
    expect(() => post(a, 'b', 'more')).toThrow(expect.objectContaining({ code: 'MAILBOX_CLOSED' }));
  });

  test('a peer that does not answer the bye is given up, and said to be lost', async () => {
    const { a, b } = await openWithRawPeer({ closeTimeoutMs: 50 });
    a.say(hello('a', 'b'));
    await eventually(() => expect(b.mailbox.connected()).toEqual(['a']));
    a.socket.pause();
    for (let i = 0; i < 300; i++) post(b, 'a', 'x'.repeat(10_000));
    await b.mailbox.close('closed');
    expect(codes(b.notices)).toEqual(['PEER_LOST']);
    a.socket.destroy();
  });

  test('an address that is taken is an error of the opener', async () => {
    const b = await openBox('b', { a: nowhere });
    const taken = openBox('c', { b: nowhere }, { listen: b.mailbox.address });
    await expect(taken).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
  });
});
