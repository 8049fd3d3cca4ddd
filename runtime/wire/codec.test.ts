import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { longestName } from '../../machines/watch.ts';
import { OperatingError } from '../api/errors.ts';
import { frameBytes } from '../testing/peer.ts';
import { Codec } from './codec.ts';
import { Decoder } from './decoder.ts';
import {
  type Frame,
  frameCodes,
  magic,
  mostInClock,
  mostSites,
  oldestVersion,
  protocolVersion,
} from './frames.ts';
import type { Layout } from './layout.ts';
import { Writer } from './writer.ts';

const members = ['a', 'b'];
const layout = {
  REQUEST: { origin: 'site', round: 'count' },
  VOTE: { holds: 'count?', stays: 'flag', text: 'name' },
  TOKEN: { line: 'sites' },
} satisfies Layout;
const codec = new Codec(layout);

const site = fc.constantFrom('a', 'b', 'c-1.x');
const member = fc.constantFrom(...members);
const count = fc.oneof(fc.nat(300), fc.maxSafeNat(), fc.constant(Number.MAX_SAFE_INTEGER));
const printable = /^\P{C}+$/u;
const name = fc
  .oneof(
    fc.string({ minLength: 1, maxLength: 20 }),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
  )
  .filter((text) => printable.test(text) && [...text].length <= longestName);
const identity = {
  version: fc.constant(protocolVersion),
  oldest: fc.constant(oldestVersion),
  cluster: name,
  configuration: name,
  founders: name,
  site,
  target: site,
  incarnation: fc.uuid(),
  life: fc.integer({ min: 1, max: 9 }),
  id: site,
  run: count,
  host: name,
  port: count,
};
const message = fc.oneof(
  fc.record({ type: fc.constant('REQUEST'), origin: member, round: count }),
  fc.record({
    type: fc.constant('VOTE'),
    holds: fc.option(count),
    stays: fc.boolean(),
    text: name,
  }),
  fc.record({ type: fc.constant('TOKEN'), line: fc.uniqueArray(member, { maxLength: 1 }) }),
);

const anyFrame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ type: fc.constant('hello' as const), ...identity }),
  fc.record({ type: fc.constant('welcome' as const), ...identity, ack: count }),
  fc.record({
    type: fc.constant('data' as const),
    seq: count,
    ack: count,
    envelope: fc.record({
      source: member,
      target: member,
      lock: name,
      message,
      stamp: fc.record({
        seq: count,
        clock: fc.option(fc.dictionary(member, count, { noNullPrototype: true })),
      }),
    }),
  }),
  fc.record({ type: fc.constant('ack' as const), ack: count }),
  fc.record({ type: fc.constantFrom('ping' as const, 'pong' as const), number: count }),
  fc.record({
    type: fc.constant('bye' as const),
    reason: fc.constantFrom('left' as const, 'closed' as const),
  }),
);

/** The frames that a decoder reads from a stream that is cut at these places. */
function decode(
  bytes: Buffer,
  cuts: readonly number[] = [],
  by = codec,
): { frames: Frame[]; refusal: string | null } {
  const decoder = new Decoder(by);
  const frames: Frame[] = [];
  const places = [...cuts.map((cut) => cut % (bytes.length + 1)), 0, bytes.length].sort((x, y) => x - y);
  try {
    for (let i = 1; i < places.length; i++) {
      decoder.push(bytes.subarray(places[i - 1], places[i]));
      for (let frame = decoder.next(); frame; frame = decoder.next()) frames.push(frame);
    }
  } catch (error) {
    if (!(error instanceof OperatingError)) throw error;
    return { frames, refusal: error.code };
  }
  return { frames, refusal: decoder.partial ? 'partial' : null };
}

const bye = { type: 'bye', reason: 'left' } as const;

const helloOf = (site: string) =>
  ({
    type: 'hello',
    version: protocolVersion,
    oldest: oldestVersion,
    cluster: 'c',
    configuration: 'x',
    founders: 'y',
    site,
    target: 'b',
    incarnation: 'i',
    life: 1,
    id: 'a1',
    run: 0,
    host: '127.0.0.1',
    port: 1,
  }) as const;

describe('an encoded frame is decoded', () => {
  test('however the stream is cut', () => {
    const runs = fc.property(fc.array(anyFrame), fc.array(fc.nat()), (frames, cuts) => {
      const stream = Buffer.concat(frames.map((frame) => codec.encode(frame)));
      expect(decode(stream, cuts)).toEqual({ frames, refusal: null });
    });
    fc.assert(runs, { numRuns: 500 });
  });

  test('byte by byte, and a stream that ends within a frame is partial at every place', () => {
    const stream = codec.encode(bye);
    for (let end = 1; end < stream.length; end++) {
      const cuts = Array.from({ length: end }, (_, i) => i);
      expect(decode(stream.subarray(0, end), cuts)).toEqual({ frames: [], refusal: 'partial' });
    }
  });

  test('lists of sites, in one order whatever the order in which they are told', () => {
    const names = ['b', 'a', 'a-1', 'a.b', 'a0'];
    const of = (told: readonly string[]): Frame => ({
      type: 'data',
      seq: 1,
      ack: 0,
      envelope: {
        source: 'a',
        target: 'b',
        lock: '@members',
        message: {
          type: 'MEMBERS',
          ids: Object.fromEntries(told.map((name) => [name, `id-${name}`])),
          configuration: {
            term: 3,
            version: 2,
            base: 7,
            voters: Object.fromEntries(told.map((name) => [`${name}/id-${name}`, true])),
          },
          addresses: Object.fromEntries(told.map((name) => [name, { host: '::1', port: 65_535 }])),
        } as { type: string },
        stamp: { seq: 1, clock: Object.fromEntries(told.map((name, seq) => [name, seq + 1])) },
      },
    });
    const lists = new Codec({
      MEMBERS: { ids: 'ids', configuration: 'configuration', addresses: 'addresses' },
    });
    expect(decode(lists.encode(of(names)), [], lists)).toEqual({ frames: [of(names)], refusal: null });
    const stampless = (frame: Frame) => ({
      ...frame,
      ...(frame.type === 'data' && { envelope: { ...frame.envelope, stamp: { seq: 1, clock: null } } }),
    });
    const [one, other] = [names, names.toReversed()].map((told) =>
      lists.encode(stampless(of(told)) as Frame),
    );
    expect(one!.equals(other!)).toBe(true);
    const many = Array.from({ length: mostSites + 1 }, (_, at) => `site-${at}`);
    expect(() => lists.encode(of(many))).toThrow('at most 64 sites');
  });
});

describe('bytes that are no frame are refused with a code', () => {
  test('garbage gives frames or a coded error, the same however it is cut', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => frameBytes(Buffer.from(bytes))),
      fc
        .tuple(fc.constantFrom(...Object.values(frameCodes)), fc.uint8Array({ maxLength: 60 }))
        .map(([code, bytes]) => frameBytes(Buffer.from([code, ...bytes]))),
      fc.json().map(frameBytes),
      fc.nat(4).map((version) => frameBytes(JSON.stringify({ type: 'hello', version }))),
      anyFrame.map((frame) => codec.encode(frame)),
      fc.tuple(anyFrame, fc.nat(), fc.integer({ min: 1, max: 255 })).map(([frame, place, flip]) => {
        const bytes = codec.encode(frame);
        const at = place % bytes.length;
        bytes[at] = bytes[at]! ^ flip;
        return bytes;
      }),
    );
    const seen = new Set<string | null>();
    const runs = fc.property(fc.array(piece), fc.array(fc.nat()), (pieces, cuts) => {
      const stream = Buffer.concat(pieces);
      const whole = decode(stream);
      expect(decode(stream, cuts)).toEqual(whole);
      // There is one way to write each frame.
      const read = Buffer.concat(whole.frames.map((frame) => codec.encode(frame)));
      expect(read.equals(stream.subarray(0, read.length))).toBe(true);
      seen.add(whole.refusal);
    });
    fc.assert(runs, { numRuns: 2_000, seed: 7 });
    expect([...seen].sort()).toEqual(
      [null, 'FOREIGN_VERSION', 'FRAME_MALFORMED', 'FRAME_TOO_LARGE', 'FRAME_UNKNOWN', 'partial'].sort(),
    );
  });

  const { hello, data, ack, bye: byeCode } = frameCodes;
  const lock = [1, 0x6d];
  const [a, b] = [
    [1, 0x61],
    [1, 0x62],
  ];
  test.each([
    ['nothing', [], 'FRAME_MALFORMED'],
    ['a type that is not on the list', [8], 'FRAME_UNKNOWN'],
    ['a count that is not there', [ack], 'FRAME_MALFORMED'],
    ['a count that ends in the middle', [ack, 0x80], 'FRAME_MALFORMED'],
    ['a count that could be shorter', [ack, 0x80, 0], 'FRAME_MALFORMED'],
    ['a count of 2^53', [ack, ...Array(7).fill(0x80), 0x10], 'FRAME_MALFORMED'],
    ['a count without end', [ack, ...Array(1_000).fill(0x80), 1], 'FRAME_MALFORMED'],
    ['a flag that is neither', [byeCode, 2], 'FRAME_MALFORMED'],
    ['a byte too many', [byeCode, 1, 0], 'FRAME_MALFORMED'],
    ['a site with a name that none has', [data, 1, 0, 1, 0x20, ...b!, ...lock, 1, 0, 2], 'FRAME_UNKNOWN'],
    ['a lock without a name', [data, 1, 0, ...a!, ...b!, 0, 1, 0, 2], 'FRAME_UNKNOWN'],
    ['a name that ends in the middle', [data, 1, 0, ...a!, ...b!, 9, 0x6d], 'FRAME_MALFORMED'],
    [
      'a name of 2049 bytes',
      [data, 1, 0, ...a!, ...b!, 0x81, 0x10, ...Array(2049).fill(0x6d), 1, 0, 2],
      'FRAME_UNKNOWN',
    ],
    [
      'a name of 1,025 characters',
      [data, 1, 0, ...a!, ...b!, 0x81, 8, ...Array(1_025).fill(0x6d), 1, 0, 2],
      'FRAME_UNKNOWN',
    ],
    ['a name that is no UTF-8', [data, 1, 0, ...a!, ...b!, 1, 0xff, 1, 0, 2], 'FRAME_UNKNOWN'],
    ['a name that a terminal would obey', [data, 1, 0, ...a!, ...b!, 1, 0x1b, 1, 0, 2], 'FRAME_UNKNOWN'],
    [
      'a clock of a site with a name that none has',
      [data, 1, 0, ...a!, ...b!, ...lock, 1, 2, 1, 0x20, 1, 2],
      'FRAME_UNKNOWN',
    ],
    [
      'a clock with a site twice',
      [data, 1, 0, ...a!, ...b!, ...lock, 1, 3, ...a!, 1, ...a!, 1, 2],
      'FRAME_UNKNOWN',
    ],
    ['a message that the protocol has not', [data, 1, 0, ...a!, ...b!, ...lock, 1, 0, 3], 'FRAME_UNKNOWN'],
    [
      'a message about a site with a name that none has',
      [data, 1, 0, ...a!, ...b!, ...lock, 1, 0, 0, 1, 0x20, 0],
      'FRAME_UNKNOWN',
    ],
    [
      'a clock of more sites than there can be',
      [data, 1, 0, ...a!, ...b!, ...lock, 1, 0xff, 0x7f],
      'FRAME_UNKNOWN',
    ],
    ['a hello of something else', [hello, 0x42, ...magic.subarray(1), 3], 'FRAME_MALFORMED'],
    ['a hello of an earlier version', [hello, ...magic, 2], 'FOREIGN_VERSION'],
    [
      'a hello of a later version that speaks none of ours',
      [hello, ...magic, protocolVersion + 2, protocolVersion + 1, 1],
      'FOREIGN_VERSION',
    ],
    ['a welcome of a later version', [frameCodes.welcome, ...magic, 0x84, 1, 0x83, 1, 0], 'FOREIGN_VERSION'],
    [
      'a hello that spoke JSON',
      [...Buffer.from('{"type":"hello","version":2,"cluster":"c"}')],
      'FOREIGN_VERSION',
    ],
    ['other JSON', [...Buffer.from('{"type":"ping","version":2}')], 'FRAME_MALFORMED'],
    ['JSON that is no UTF-8', [...Buffer.from('{"type":"hello","version":2'), 0xff], 'FRAME_MALFORMED'],
  ])('%s', (_, payload, code) => {
    const before = codec.encode(bye);
    const bytes = frameBytes(Buffer.from(payload));
    expect(decode(Buffer.concat([before, bytes, before]))).toEqual({ frames: [bye], refusal: code });
  });

  test('a life of 0', () => {
    const bytes = codec.encode({ ...helloOf('a'), life: 0 });
    expect(decode(bytes)).toEqual({ frames: [], refusal: 'FRAME_UNKNOWN' });
  });

  test('a site id that is only a name', () => {
    const bytes = codec.encode(helloOf('a b'));
    expect(decode(bytes)).toEqual({ frames: [], refusal: 'FRAME_UNKNOWN' });
  });
});

describe('the length of a frame', () => {
  test('of exactly the limit passes, one more is refused before its bytes come', () => {
    const length = (bytes: number) => {
      const prefix = Buffer.alloc(4);
      prefix.writeUInt32BE(bytes);
      return prefix;
    };
    expect(decode(length(codec.longestFrame))).toEqual({ frames: [], refusal: 'partial' });
    expect(decode(length(codec.longestFrame + 1))).toEqual({ frames: [], refusal: 'FRAME_TOO_LARGE' });
  });

  test.each([
    ['1603010200', 'it begins as TLS does: here is neither tls nor secret'],
    ['474554202f', 'does something else speak to this port (it begins with "GET ")?'],
    ['fffe000000', 'does something else speak to this port?'],
  ])('of %s tells which program may have called', (hex, text) => {
    const decoder = new Decoder(codec);
    decoder.push(Buffer.from(hex, 'hex'));
    expect(() => decoder.next()).toThrow(text);
  });

  test('is bounded by construction, and some frame is as long', () => {
    const most = Number.MAX_SAFE_INTEGER;
    const longName = '𝄞'.repeat(longestName);
    const longId = (at: number) => `${at}`.padEnd(64, 'x');
    const data: Frame = {
      type: 'data',
      seq: most,
      ack: most,
      envelope: {
        source: longId(0),
        target: longId(1),
        lock: longName,
        message: { type: 'TOKEN', line: Array.from({ length: mostSites }, (_, at) => longId(at)) } as {
          type: string;
        },
        stamp: {
          seq: most,
          clock: Object.fromEntries(Array.from({ length: mostInClock }, (_, at) => [longId(at), most])),
        },
      },
    };
    const bytes = codec.encode(data);
    expect(bytes.length - 4).toBe(codec.longestFrame);
    expect(decode(bytes).frames).toEqual([data]);
  });
});

test('a line names different sites, and not too many', () => {
  const token = (line: readonly string[]) =>
    codec.encode({
      ...{ type: 'data', seq: 1, ack: 0 },
      envelope: {
        ...{ source: 'a', target: 'b', lock: 'x', stamp: { seq: 1, clock: null } },
        message: { type: 'TOKEN', line } as { type: string },
      },
    });
  // The line is the end of the frame: a count, then the names.
  const ending = (count: number, ...names: readonly string[]) => {
    const begun = token([]);
    const line = names.flatMap((name) => [name.length, ...Buffer.from(name)]);
    const bytes = Buffer.concat([begun.subarray(0, -1), Buffer.from([count, ...line])]);
    bytes.writeUInt32BE(bytes.length - 4);
    return decode(bytes).refusal;
  };
  const many = Array.from({ length: mostSites + 1 }, (_, at) => `s${at}`);
  expect(decode(token(['c', 'a'])).frames).toMatchObject([{ envelope: { message: { line: ['c', 'a'] } } }]);
  expect(ending(2, 'c', 'a')).toBeNull();
  expect(ending(2, 'b', 'b')).toBe('FRAME_UNKNOWN');
  expect(ending(1, 'a b')).toBe('FRAME_UNKNOWN');
  expect(ending(many.length - 1, ...many.slice(1))).toBeNull();
  expect(ending(many.length, ...many)).toBe('FRAME_UNKNOWN');
  expect(ending(2, 'b')).toBe('FRAME_MALFORMED');
});

test('messages share memory, however long others may be: a thousand tokens take no more than two slabs', () => {
  const allocated = vi.spyOn(Buffer, 'allocUnsafeSlow');
  onTestFinished(() => allocated.mockRestore());
  const all = new Codec({ ...layout, ADDRESSES: { addresses: 'addresses' } });
  expect(all.longestFrame).toBeGreaterThan(100_000);
  const writer = new Writer();
  const message = { type: 'TOKEN', line: ['site-b', 'site-c'] } as { type: string };
  const stamp = { seq: 5_678, clock: null };
  for (let seq = 1; seq <= 1_000; seq++) {
    const envelope = { source: 'site-a', target: 'site-b', lock: 'orders/4711', message, stamp };
    all.writeData(seq, seq, envelope, writer);
  }
  expect(allocated.mock.calls.length).toBeLessThanOrEqual(2);
});

test.each(['a', '𝄞', '\u4e2d'])('a lock named by any number of %j has room where the memory ends', (unit) => {
  const writer = new Writer();
  const stamp = { seq: 1, clock: null };
  const message = { type: 'TOKEN', line: [] } as { type: string };
  const frames = Array.from({ length: 512 }, (_, at): Frame => {
    const lock = `x${unit.repeat(Math.floor(at / unit.length))}`;
    return { type: 'data', seq: 1, ack: 0, envelope: { source: 'a', target: 'b', lock, message, stamp } };
  });
  for (const frame of frames) codec.write(frame, writer);
  expect(decode(Buffer.concat(writer.take())).frames).toEqual(frames);
});

describe('a frame that must not be sent is an error of the sender', () => {
  const envelope = {
    source: 'a',
    target: 'b',
    lock: 'main',
    message: { type: 'REQUEST', origin: 'a', round: 1 } as { type: string },
    stamp: { seq: 1, clock: null },
  };
  test.each([
    ['a site with a name that is too long', { ...envelope, target: 'z'.repeat(65) }],
    ['a message that the layout has not', { ...envelope, message: { type: 'NEW' } }],
    ['a count that is none', { ...envelope, stamp: { seq: -1, clock: null } }],
    ['a number that is no count', { ...envelope, stamp: { seq: 1.5, clock: null } }],
    [
      'a line of too many sites',
      { ...envelope, message: { type: 'TOKEN', line: Array(mostSites + 1).fill('a') } as { type: string } },
    ],
    ['a lock whose name is too long', { ...envelope, lock: 'x'.repeat(4_097) }],
  ])('%s, and leaves nothing behind', (_, wrong) => {
    const writer = new Writer();
    codec.write(bye, writer);
    expect(() => codec.writeData(1, 0, wrong, writer)).toThrow(RangeError);
    codec.write(bye, writer);
    expect(decode(Buffer.concat(writer.take()))).toEqual({ frames: [bye, bye], refusal: null });
  });
});
