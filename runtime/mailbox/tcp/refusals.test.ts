import { afterEach, describe, expect, test } from 'vitest';
import {
  abortBoxes,
  beliefs,
  meetRaw,
  nowhere,
  openBox,
  openWithMetPeer,
  openWithRawPeer,
  serveRaw,
  texts,
} from '../../testing/box.ts';
import { codes } from '../../testing/cluster.ts';
import { eventually } from '../../testing/eventually.ts';
import { data, frameBytes, hello, RawPeer, testCodec, welcome } from '../../testing/peer.ts';
import { type Frame, protocolVersion } from '../../wire/frames.ts';
import { isLoopback } from './loopback.ts';
import { plain } from './transport.ts';

afterEach(abortBoxes);

describe('a connection that brings what no correct peer sends is closed, and nothing else', () => {
  const note = { type: 'NOTE', text: 'hi' };
  const met = [hello('a', 'b'), welcome('a', 'b')];
  const bye = { type: 'bye', reason: 'left' };
  const unknownMessage = testCodec.encode(data('a', 'b', note) as Frame);
  unknownMessage[unknownMessage.length - 'hi'.length - 2] = 9;
  const cases: readonly [string, string, readonly (object | Buffer)[]][] = [
    ['another cluster', 'FOREIGN_CLUSTER', [hello('a', 'b', { cluster: 'other' })]],
    [
      'a later version that speaks none of ours',
      'FOREIGN_VERSION',
      [hello('a', 'b', { version: protocolVersion + 2, oldest: protocolVersion + 1 })],
    ],
    ['another configuration', 'FOREIGN_CONFIGURATION', [hello('a', 'b', { configuration: 'other' })]],
    ['ourselves', 'FOREIGN_SITE', [hello('b', 'b')]],
    ['a hello for another site', 'FOREIGN_TARGET', [hello('a', 'c')]],
    ['a welcome of another site than the hello', 'FOREIGN_SITE', [hello('a', 'b'), welcome('c', 'b')]],
    ['a welcome before the hello', 'FRAME_OUT_OF_PLACE', [welcome('a', 'b')]],
    ['a message before the hello', 'FRAME_OUT_OF_PLACE', [data('a', 'b', note)]],
    ['a message before the welcome', 'FRAME_OUT_OF_PLACE', [hello('a', 'b'), data('a', 'b', note)]],
    ['a bye before the welcome', 'FRAME_OUT_OF_PLACE', [hello('a', 'b'), bye]],
    ['a ping before the welcome', 'FRAME_OUT_OF_PLACE', [hello('a', 'b'), { type: 'ping', number: 1 }]],
    ['a frame past the limit', 'FRAME_TOO_LARGE', [Buffer.from('ffffffff', 'hex')]],
    ['JSON', 'FRAME_MALFORMED', [frameBytes('{}')]],
    ['a hello of an earlier version', 'FOREIGN_VERSION', [frameBytes('{"type":"hello","version":2}')]],
    ['no frame of ours', 'FRAME_UNKNOWN', [frameBytes('GET / HTTP/1.1')]],
    ['a second hello', 'FRAME_OUT_OF_PLACE', [...met, hello('a', 'b')]],
    ['a second welcome', 'FRAME_OUT_OF_PLACE', [...met, welcome('a', 'b')]],
    ['a message of another source', 'FOREIGN_SOURCE', [...met, data('c', 'b', note)]],
    ['a message for another target', 'FOREIGN_TARGET', [...met, data('a', 'c', note)]],
    ['a message that is not the next', 'FRAME_OUT_OF_PLACE', [...met, data('a', 'b', note, 2)]],
    ['an ack of what was never sent', 'FRAME_OUT_OF_PLACE', [...met, { type: 'ack', ack: 1 }]],
    ['a message that the protocol has not', 'FRAME_UNKNOWN', [...met, unknownMessage]],
    ['a message after the bye', 'FRAME_OUT_OF_PLACE', [...met, bye, data('a', 'b', note)]],
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

  test('nothing at all, or half a frame, is only a connection that broke', async () => {
    const { a, b } = await openWithRawPeer();
    a.socket.end();
    await a.closed();
    const half = await RawPeer.dial(b.mailbox.address);
    half.socket.end(Buffer.from('0000', 'hex'));
    await half.closed();
    expect([...b.mailbox.refused, ...codes(b.notices)]).toEqual([]);
  });

  test('silence instead of a hello', async () => {
    const { a, b } = await openWithRawPeer({ handshakeTimeoutMs: 30 });
    await a.closed();
    expect([...b.mailbox.refused]).toEqual([['HANDSHAKE_TIMEOUT', 1]]);
  });

  test('of too many that have not said hello the oldest; a place is free again when one goes', async () => {
    const { a, b } = await openWithRawPeer({ maxHandshakes: 2 });
    const second = await RawPeer.dial(b.mailbox.address);
    const third = await RawPeer.dial(b.mailbox.address);
    await a.closed();
    expect([...b.mailbox.refused]).toEqual([['TOO_MANY_HANDSHAKES', 1]]);
    await meetRaw(second, b);
    const fourth = await RawPeer.dial(b.mailbox.address);
    fourth.say(hello('b', 'b'));
    await fourth.closed();
    expect(third.socket.closed).toBe(false);
    expect([...b.mailbox.refused]).toEqual([
      ['TOO_MANY_HANDSHAKES', 1],
      ['FOREIGN_SITE', 1],
    ]);
    third.socket.destroy();
  });

  test('founders that were told of others, but not one where the cluster is founded', async () => {
    const b = await openBox('b', { a: nowhere }, { founders: () => 'abc' });
    const other = await RawPeer.dial(b.mailbox.address);
    other.say(hello('a', 'b', { founders: 'abd' }));
    await other.closed();
    expect([...b.mailbox.refused]).toEqual([['FOREIGN_CONFIGURATION', 1]]);
    await meetRaw(await RawPeer.dial(b.mailbox.address), b);
  });

  test('the answer to a dial is held to the same rules, and dialled again', async () => {
    const { address, accepted, stop } = await serveRaw(() => welcome('c', 'a'));
    const a = await openBox('a', { b: address, c: nowhere }, { dialMinMs: 5, dialMaxMs: 10 });
    await eventually(() => expect(accepted.length).toBeGreaterThan(2));
    expect(a.mailbox.refused.get('FOREIGN_SITE')).toBeGreaterThan(1);
    expect(accepted[0]!.received).toEqual([
      expect.objectContaining({ type: 'hello', site: 'a', target: 'b' }),
    ]);
    stop();
  });

  test('a life that is over: an earlier run of the same data, while the later may go on', async () => {
    const { a, b } = await openWithMetPeer({ incarnation: 'b-1' });
    const other = await RawPeer.dial(b.mailbox.address);
    other.say(hello('a', 'b', { incarnation: 'a-2', run: 1 }));
    await other.closed();
    expect([...b.mailbox.refused]).toEqual([['PEER_RESTARTED', 1]]);
    a.say(data('a', 'b', note));
    await eventually(() => expect(texts(b)).toEqual(['hi']));
  });

  test('a life that is over: of a site that has said goodbye, or was met in another', async () => {
    const { a, b } = await openWithMetPeer();
    // A later run is met when the one before is gone: it may come of a copy of the data.
    const early = await RawPeer.dial(b.mailbox.address);
    early.say(hello('a', 'b', { incarnation: 'a-2' }));
    await early.closed();
    expect(b.mailbox.connected()).toEqual(['a']);
    a.say(bye);
    await a.closed();
    const second = await RawPeer.dial(b.mailbox.address);
    await meetRaw(second, b, { incarnation: 'a-2' });
    const late = await RawPeer.dial(b.mailbox.address);
    late.say(hello('a', 'b'));
    await late.closed();
    second.say(bye);
    await second.closed();
    const back = await RawPeer.dial(b.mailbox.address);
    back.say(hello('a', 'b', { incarnation: 'a-2' }));
    await back.closed();
    expect([...b.mailbox.refused]).toEqual([['PEER_RESTARTED', 3]]);
  });
});

describe('a site that nobody has told of', () => {
  test('is met when it dials, and is gone without a trace when it is removed', async () => {
    const b = await openBox('b', {});
    const a = await RawPeer.dial(b.mailbox.address);
    await meetRaw(a, b);
    expect([b.mailbox.addressOf('a'), beliefs(b)]).toEqual([{ host: '127.0.0.1', port: 1 }, ['a up']]);
    b.mailbox.remove('a');
    expect([b.mailbox.connected(), b.mailbox.addressOf('a')]).toEqual([[], null]);
    await meetRaw(await RawPeer.dial(b.mailbox.address), b);
  });

  test('and is to be dialled says where it is, and is dialled there', async () => {
    const a = await openBox('a', {});
    const b = await openBox('b', { a: a.mailbox.address });
    await eventually(() => expect(beliefs(b)).toEqual(['a up']));
    expect(beliefs(a)).toEqual(['b up']);
    expect(a.mailbox.addressOf('b')).toEqual(b.mailbox.address);
    expect([...a.mailbox.refused, ...b.mailbox.refused]).toEqual([]);
  });

  test('which is found elsewhere than it was looked for, too, unless the settings say where', async () => {
    const a = await openBox('a', { c: nowhere }, { dialMinMs: 60_000, dialMaxMs: 60_000 });
    a.mailbox.add('b', nowhere);
    const [b] = [await openBox('b', { a: a.mailbox.address }), await openBox('c', { a: a.mailbox.address })];
    await eventually(() => expect([beliefs(a), beliefs(b)]).toEqual([['b up'], ['a up']]));
    expect(a.mailbox.addressOf('c')).toEqual(nowhere);
  });

  test('is refused where nothing but this machine may be called, and it is elsewhere', async () => {
    const transport = { ...plain, mayCall: isLoopback };
    const a = await openBox('a', {}, { transport });
    const b = await RawPeer.dial(a.mailbox.address);
    b.say(hello('b', 'a', { host: '192.0.2.1' }));
    await b.closed();
    expect([...a.mailbox.refused]).toEqual([['INSECURE_PEER', 1]]);
  });

  test('is refused where there is no room for more', async () => {
    const b = await openBox(
      'b',
      Object.fromEntries(Array.from({ length: 128 }, (_, at) => [`c${at}`, nowhere])),
    );
    const a = await RawPeer.dial(b.mailbox.address);
    a.say(hello('a', 'b'));
    await a.closed();
    expect([...b.mailbox.refused]).toEqual([['FOREIGN_SITE', 1]]);
  });
});
