import { afterEach, describe, expect, test } from 'vitest';
import { closeBoxes, nowhere, openBox, openWithRawPeer, serveRaw, texts } from '../../testing/box.ts';
import { codes } from '../../testing/cluster.ts';
import { eventually } from '../../testing/eventually.ts';
import { frameBytes, hello, message, RawPeer } from '../../testing/peer.ts';

afterEach(closeBoxes);

describe('a connection that brings what no correct peer sends is closed, and nothing else', () => {
  const request = { type: 'NOTE', text: 'hi' };
  const cases: readonly [string, string, readonly (object | Buffer)[]][] = [
    ['another cluster', 'FOREIGN_CLUSTER', [hello('a', 'b', { cluster: 'other' })]],
    ['another version', 'FOREIGN_VERSION', [hello('a', 'b', { version: 2 })]],
    ['a site that nobody knows', 'FOREIGN_SITE', [hello('z', 'b')]],
    ['a site that is to be dialled, not to dial', 'FOREIGN_SITE', [hello('c', 'b')]],
    ['ourselves', 'FOREIGN_SITE', [hello('b', 'b')]],
    ['a hello for another site', 'FOREIGN_TARGET', [hello('a', 'c')]],
    ['a message before the hello', 'FRAME_OUT_OF_PLACE', [message('a', 'b', request)]],
    ['a bye before the hello', 'FRAME_OUT_OF_PLACE', [{ type: 'bye', reason: 'left' }]],
    ['a frame past the limit', 'FRAME_TOO_LARGE', [Buffer.from('ffffffff', 'hex')]],
    ['no JSON', 'FRAME_MALFORMED', [frameBytes('GET / HTTP/1.1')]],
    ['no frame of ours', 'FRAME_UNKNOWN', [{ type: 'ping' }]],
    ['a second hello', 'FRAME_OUT_OF_PLACE', [hello('a', 'b'), hello('a', 'b')]],
    ['a message of another source', 'FOREIGN_SOURCE', [hello('a', 'b'), message('c', 'b', request)]],
    ['a message for another target', 'FOREIGN_TARGET', [hello('a', 'b'), message('a', 'c', request)]],
    [
      'a message that the protocol has not',
      'FRAME_UNKNOWN',
      [hello('a', 'b'), message('a', 'b', { type: 'X' })],
    ],
    [
      'a message after the bye',
      'FRAME_OUT_OF_PLACE',
      [hello('a', 'b'), { type: 'bye', reason: 'left' }, message('a', 'b', request)],
    ],
  ];

  test.each(cases)('%s: %s', async (_, code, frames) => {
    const b = await openBox('b', { a: nowhere, c: nowhere });
    const bystander = await RawPeer.dial(b.mailbox.address);
    const peer = await RawPeer.dial(b.mailbox.address);
    for (const frame of frames) {
      if (Buffer.isBuffer(frame)) peer.socket.write(frame);
      else peer.say(frame);
    }
    await peer.closed();
    expect([...b.mailbox.refused]).toEqual([[code, 1]]);
    expect(codes(b.notices)[0]).toBe(code);
    expect(b.received).toEqual([]);
    expect(bystander.socket.closed).toBe(false);
    bystander.socket.destroy();
  });

  test('a stream that ends within a frame', async () => {
    const { a, b } = await openWithRawPeer();
    a.socket.end(Buffer.from('0000', 'hex'));
    await a.closed();
    expect([...b.mailbox.refused]).toEqual([['FRAME_MALFORMED', 1]]);
  });

  test('a second connection for a site that is connected, which stays so', async () => {
    const { a, b } = await openWithRawPeer();
    a.say(hello('a', 'b'));
    await eventually(() => expect(b.mailbox.connected()).toEqual(['a']));
    for (const incarnation of ['a-1', 'a-2']) {
      const second = await RawPeer.dial(b.mailbox.address);
      second.say(hello('a', 'b', { incarnation }));
      await second.closed();
    }
    expect([...b.mailbox.refused]).toEqual([['DUPLICATE_CONNECTION', 2]]);
    a.say(message('a', 'b', request));
    await eventually(() => expect(texts(b)).toEqual(['hi']));
    a.socket.destroy();
  });

  test('silence instead of a hello', async () => {
    const { a, b } = await openWithRawPeer({ handshakeTimeoutMs: 30 });
    await a.closed();
    expect([...b.mailbox.refused]).toEqual([['HANDSHAKE_TIMEOUT', 1]]);
  });

  test('one of too many that have not said hello; the place is free again when one goes', async () => {
    const { a, b } = await openWithRawPeer({ maxHandshakes: 1 });
    const second = await RawPeer.dial(b.mailbox.address);
    await second.closed();
    expect([...b.mailbox.refused]).toEqual([['TOO_MANY_HANDSHAKES', 1]]);
    a.say(hello('a', 'b'));
    await eventually(() => expect(b.mailbox.connected()).toEqual(['a']));
    const third = await RawPeer.dial(b.mailbox.address);
    third.say(hello('z', 'b'));
    await third.closed();
    expect(b.mailbox.refused.get('FOREIGN_SITE')).toBe(1);
    a.socket.destroy();
  });

  test('the answer to a dial is held to the same rules, and dialled again', async () => {
    const { address, accepted, stop } = await serveRaw(hello('c', 'a'));
    const a = await openBox('a', { b: address, c: nowhere }, { dialMinMs: 5, dialMaxMs: 10 });
    await eventually(() => expect(accepted.length).toBeGreaterThan(2));
    expect(a.mailbox.refused.get('FOREIGN_SITE')).toBeGreaterThan(1);
    expect(accepted[0]!.received).toEqual([
      expect.objectContaining({ type: 'hello', site: 'a', target: 'b' }),
    ]);
    await a.mailbox.close('closed');
    stop();
  });
});
