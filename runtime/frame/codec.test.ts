import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { OperatingError } from '../errors.ts';
import { frameBytes } from '../testing/peer.ts';
import { type Codec, Decoder, encode } from './codec.ts';
import { type Frame, frameSchema } from './frames.ts';

const message = z.strictObject({ type: z.literal('REQUEST'), origin: z.enum(['a', 'b']) });
const codec: Codec = { schema: frameSchema(['a', 'b'], 'main', message), maxFrameBytes: 400 };

const site = fc.constantFrom('a', 'b', 'c');
const identity = {
  version: fc.constant(2 as const),
  cluster: fc.string({ minLength: 1, maxLength: 20 }),
  site,
  target: site,
  incarnation: fc.uuid(),
  life: fc.integer({ min: 1, max: 9 }),
  memoryOnly: fc.boolean(),
};

const anyFrame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ type: fc.constant('hello' as const), ...identity }),
  fc.record({ type: fc.constant('welcome' as const), ...identity, ack: fc.nat() }),
  fc.record({
    type: fc.constant('data' as const),
    seq: fc.nat(),
    ack: fc.nat(),
    envelope: fc.record({
      source: fc.constantFrom('a', 'b'),
      target: fc.constantFrom('a', 'b'),
      lock: fc.constant('main'),
      message: fc.record({ type: fc.constant('REQUEST'), origin: fc.constantFrom('a', 'b') }),
      stamp: fc.record({ seq: fc.nat(), clock: fc.dictionary(fc.constantFrom('a', 'b'), fc.nat()) }),
    }),
  }),
  fc.record({ type: fc.constant('ack' as const), ack: fc.nat() }),
  fc.record({ type: fc.constantFrom('ping' as const, 'pong' as const), number: fc.nat() }),
  fc.record({
    type: fc.constant('bye' as const),
    reason: fc.constantFrom('left' as const, 'closed' as const),
  }),
);

/** What a decoder makes of a stream that is cut at these places. */
function decode(bytes: Buffer, cuts: readonly number[] = []): { frames: Frame[]; refusal: string | null } {
  const decoder = new Decoder(codec);
  const frames: Frame[] = [];
  const places = [...cuts.map((cut) => cut % (bytes.length + 1)), 0, bytes.length].sort((x, y) => x - y);
  try {
    for (let i = 1; i < places.length; i++) {
      for (const frame of decoder.push(bytes.subarray(places[i - 1], places[i]))) frames.push(frame);
    }
  } catch (error) {
    if (!(error instanceof OperatingError)) throw error;
    return { frames, refusal: error.code };
  }
  return { frames, refusal: decoder.partial ? 'partial' : null };
}

const bye = { type: 'bye', reason: 'left' } as const;

describe('what is encoded is decoded', () => {
  test('however the stream is cut', () => {
    const runs = fc.property(fc.array(anyFrame), fc.array(fc.nat()), (frames, cuts) => {
      const stream = Buffer.concat(frames.map((frame) => encode(codec, frame)));
      expect(decode(stream, cuts)).toEqual({ frames, refusal: null });
    });
    fc.assert(runs, { numRuns: 500 });
  });

  test('byte by byte, and a stream that ends within a frame is partial at every place', () => {
    const stream = encode(codec, bye);
    for (let end = 1; end < stream.length; end++) {
      const cuts = Array.from({ length: end }, (_, i) => i);
      expect(decode(stream.subarray(0, end), cuts)).toEqual({ frames: [], refusal: 'partial' });
    }
  });
});

describe('what is no frame is refused by a code', () => {
  test('garbage gives frames or a coded error, the same however it is cut', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => frameBytes(Buffer.from(bytes))),
      fc.json().map(frameBytes),
      fc.nat(4).map((version) => frameBytes(JSON.stringify({ type: 'hello', version }))),
      anyFrame.map((frame) => encode(codec, frame)),
      fc.tuple(anyFrame, fc.nat(), fc.integer({ min: 1, max: 255 })).map(([frame, place, flip]) => {
        const bytes = encode(codec, frame);
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
      seen.add(whole.refusal);
    });
    fc.assert(runs, { numRuns: 2_000, seed: 7 });
    expect([...seen].sort()).toEqual(
      [null, 'FOREIGN_VERSION', 'FRAME_MALFORMED', 'FRAME_TOO_LARGE', 'FRAME_UNKNOWN', 'partial'].sort(),
    );
  });

  test.each([
    ['no JSON', frameBytes('{'), 'FRAME_MALFORMED'],
    ['nothing', frameBytes(''), 'FRAME_MALFORMED'],
    ['no UTF-8', frameBytes(Buffer.from([0x22, 0xff, 0x22])), 'FRAME_MALFORMED'],
    ['a length past the limit, before its bytes come', Buffer.from([0, 0, 1, 0x91]), 'FRAME_TOO_LARGE'],
    ['a type that is not on the list', frameBytes('{"type":"pang"}'), 'FRAME_UNKNOWN'],
    ['a key too many', frameBytes('{"type":"bye","reason":"left","more":1}'), 'FRAME_UNKNOWN'],
    ['a message of another lock', frameBytes(dataJson({ lock: 'other' })), 'FRAME_UNKNOWN'],
    [
      'a message that the protocol has not',
      frameBytes(dataJson({ message: { type: 'NEW' } })),
      'FRAME_UNKNOWN',
    ],
    [
      'a site that nobody knows',
      frameBytes(dataJson({ message: { type: 'REQUEST', origin: 'z' } })),
      'FRAME_UNKNOWN',
    ],
    [
      'a clock of a site that nobody knows',
      frameBytes(dataJson({ stamp: { seq: 1, clock: { z: 1 } } })),
      'FRAME_UNKNOWN',
    ],
    ['a welcome of a later version', frameBytes('{"type":"welcome","version":3}'), 'FOREIGN_VERSION'],
    [
      'a hello of an earlier version',
      frameBytes('{"type":"hello","version":1,"shape":"another"}'),
      'FOREIGN_VERSION',
    ],
    ['nesting as deep as fits', frameBytes('['.repeat(400)), 'FRAME_MALFORMED'],
  ])('%s', (_, bytes, code) => {
    const before = encode(codec, bye);
    expect(decode(Buffer.concat([before, bytes, before]))).toEqual({ frames: [bye], refusal: code });
  });

  test('what is said of it holds no control characters of the sender', () => {
    const bytes = frameBytes(JSON.stringify({ ...bye, '\u001b[2J\n': 1 }));
    expect(() => [...new Decoder(codec).push(bytes)]).toThrow(/^FRAME_UNKNOWN: \P{C}+$/u);
  });

  test('a frame of exactly the limit passes, one byte more is refused on both sides', () => {
    const exactly: Codec = { ...codec, maxFrameBytes: encode(codec, bye).length - 4 };
    const less: Codec = { ...codec, maxFrameBytes: exactly.maxFrameBytes - 1 };
    const bytes = encode(exactly, bye);
    expect([...new Decoder(exactly).push(bytes)]).toEqual([bye]);
    expect(() => [...new Decoder(less).push(bytes)]).toThrow(
      expect.objectContaining({ code: 'FRAME_TOO_LARGE' }),
    );
    expect(() => encode(less, bye)).toThrow(expect.objectContaining({ code: 'FRAME_TOO_LARGE' }));
  });
});

function dataJson(change: object): string {
  const envelope = {
    source: 'a',
    target: 'b',
    lock: 'main',
    message: { type: 'REQUEST', origin: 'a' },
    stamp: { seq: 1, clock: { a: 1 } },
  };
  return JSON.stringify({ type: 'data', seq: 1, ack: 0, envelope: { ...envelope, ...change } });
}
