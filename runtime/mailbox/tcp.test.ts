import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { SiteId } from '../../machines/actor.ts';
import { systemChance, systemClock } from '../doors.ts';
import { frameSchema, type StampedEnvelope } from '../frame/frames.ts';
import type { Address, Limits, Notice } from '../options.ts';
import { defaultLimits } from '../site.ts';
import { anyPort, codes } from '../testing/cluster.ts';
import { eventually } from '../testing/eventually.ts';
import { frameBytes, hello, message, RawPeer } from '../testing/peer.ts';
import { Connection } from './tcp/connection.ts';
import { TcpMailbox } from './tcp.ts';

const sites = ['a', 'b', 'c'] as const;
const note = z.strictObject({ type: z.literal('NOTE'), text: z.string() });

interface Box {
  readonly mailbox: TcpMailbox;
  readonly notices: Notice[];
  readonly received: StampedEnvelope[];
}

const opened: TcpMailbox[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((mailbox) => mailbox.close('closed')));
});

async function openBox(
  self: SiteId,
  peers: Record<SiteId, Address>,
  {
    listen = anyPort,
    incarnation = `${self}-1`,
    ...limits
  }: Partial<Limits> & { listen?: Address; incarnation?: string } = {},
): Promise<Box> {
  const notices: Notice[] = [];
  const received: StampedEnvelope[] = [];
  const all = { ...defaultLimits, ...limits };
  const mailbox = new TcpMailbox({
    self,
    cluster: 'test',
    incarnation,
    listen,
    peers,
    codec: { schema: frameSchema([...sites], 'main', note), maxFrameBytes: all.maxFrameBytes },
    limits: all,
    clock: systemClock,
    chance: systemChance,
    notice: (notice) => notices.push(notice),
  });
  opened.push(mailbox);
  await mailbox.open((envelope) => received.push(envelope));
  return { mailbox, notices, received };
}

const nowhere: Address = { host: '127.0.0.1', port: 1 };

const post = ({ mailbox }: Box, target: SiteId, text: string, seq = 1) =>
  mailbox.post({
    source: mailbox.self,
    target,
    lock: 'main',
    message: { type: 'NOTE', text } as { type: string },
    stamp: { seq, clock: { [mailbox.self]: seq } },
  });

const texts = ({ received }: Box) =>
  received.map((envelope) => (envelope.message as unknown as { text: string }).text);

/** `b` alone, with a peer `a` that the test plays. */
async function openWithRawPeer(limits: Partial<Limits> = {}) {
  const b = await openBox('b', { a: nowhere }, limits);
  const a = await RawPeer.dial(b.mailbox.address);
  return { a, b };
}

/** A server that the test plays, and that says `frame` to whoever dials it. */
async function serveRaw(frame: object) {
  const accepted: RawPeer[] = [];
  const server = createServer((socket) => {
    const peer = RawPeer.over(socket);
    accepted.push(peer);
    peer.say(frame);
  });
  server.listen(anyPort);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return { address: { host: anyPort.host, port }, accepted, stop: () => server.close() };
}

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
    expect(codes(b.notices)).toEqual(['PEER_CLOSED']);
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
    opened.pop();
  });
});
