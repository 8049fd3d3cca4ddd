import { isUtf8 } from 'node:buffer';
import { type ZodType, z } from 'zod';
import { OperatingError } from '../errors.ts';
import { anyHello, type Frame, protocolVersion } from './frames.ts';

/**
 * Bytes to frames and back: a length of four bytes, big-endian, then that many bytes of UTF-8 JSON.
 * It parses or refuses: nothing behind it checks the shape of a frame again.
 */
export interface Codec {
  readonly schema: ZodType<Frame>;
  /** Bytes of one frame without its length. */
  readonly maxFrameBytes: number;
}

const lengthBytes = 4;

/** Throws `FRAME_TOO_LARGE`. */
export function encode(codec: Codec, frame: Frame): Buffer {
  const json = JSON.stringify(frame);
  const length = Buffer.byteLength(json);
  if (length > codec.maxFrameBytes) throw tooLarge(length, codec.maxFrameBytes);
  const bytes = Buffer.allocUnsafe(lengthBytes + length);
  bytes.writeUInt32BE(length, 0);
  bytes.write(json, lengthBytes);
  return bytes;
}

/** Frames out of a stream that arrives in pieces of any size. After it has thrown it is of no more use. */
export class Decoder {
  readonly #codec: Codec;
  #chunks: Buffer[] = [];
  #size = 0;
  /** Of the frame that is under way, once its length has arrived. */
  #length: number | null = null;

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  /** True when the stream, if it ended here, would end within a frame. */
  get partial(): boolean {
    return this.#size > 0 || this.#length !== null;
  }

  /**
   * The frames that `chunk` completes, one by one, so that those before a bad one are not lost with it.
   *
   * Throws `FRAME_TOO_LARGE`, `FRAME_MALFORMED` (no JSON in UTF-8), `FRAME_UNKNOWN` (JSON, but no frame
   * of ours), `FOREIGN_VERSION`.
   */
  *push(chunk: Buffer): Generator<Frame, void, void> {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    for (;;) {
      if (this.#length === null) {
        if (this.#size < lengthBytes) return;
        this.#length = this.#take(lengthBytes).readUInt32BE(0);
        if (this.#length > this.#codec.maxFrameBytes) throw tooLarge(this.#length, this.#codec.maxFrameBytes);
      }
      if (this.#size < this.#length) return;
      const payload = this.#take(this.#length);
      this.#length = null;
      yield parse(this.#codec.schema, payload);
    }
  }

  #take(size: number): Buffer {
    // Only when all of it is here, so that a frame in many pieces is copied once.
    const whole = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#chunks = whole.length > size ? [whole.subarray(size)] : [];
    this.#size -= size;
    return whole.subarray(0, size);
  }
}

function parse(schema: ZodType<Frame>, payload: Buffer): Frame {
  const value = parseJson(payload);
  const frame = schema.safeParse(value);
  if (frame.success) return frame.data;
  const hello = anyHello.safeParse(value);
  if (hello.success && hello.data.version !== protocolVersion) {
    throw new OperatingError(
      'FOREIGN_VERSION',
      `expected protocol version ${protocolVersion}, a hello of version ${hello.data.version} came; run the same release at every site`,
    );
  }
  // It quotes what came, which is a stranger's: one line, and nothing that a terminal would obey.
  const wrong = z
    .prettifyError(frame.error)
    .replace(/\p{C}+/gu, ' ')
    .slice(0, 300);
  throw new OperatingError('FRAME_UNKNOWN', `JSON that is no frame of this wire: ${wrong}`);
}

function parseJson(payload: Buffer): unknown {
  if (!isUtf8(payload)) throw malformed(payload, 'bytes that are not UTF-8');
  try {
    return JSON.parse(payload.toString());
  } catch (error) {
    throw malformed(payload, 'text that is not JSON', error);
  }
}

function malformed(payload: Buffer, what: string, cause?: unknown): OperatingError {
  return new OperatingError(
    'FRAME_MALFORMED',
    `expected a frame of UTF-8 JSON, ${payload.length} bytes came with ${what}; does something else speak to this port?`,
    { cause },
  );
}

function tooLarge(length: number, limit: number): OperatingError {
  return new OperatingError('FRAME_TOO_LARGE', `expected at most ${limit} bytes in a frame, not ${length}`);
}
