import { maxNameBytes } from './names.ts';

/** Bytes that are allocated at once. */
const slabBytes = 64 * 1024;

/**
 * Bytes in the order in which they were written. Bytes that have been taken are never overwritten, so that a socket
 * may hold them as long as it likes; further bytes go behind them, into the same memory while there is room.
 */
export class Writer {
  #full: Buffer[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  /** Where the unread bytes begin, and where the next byte goes. */
  #start = 0;
  #at = 0;

  get empty(): boolean {
    return this.#at === this.#start && this.#full.length === 0;
  }

  /** The next `bytes` bytes will lie side by side. */
  reserve(bytes: number): void {
    if (this.#bytes.length - this.#at >= bytes) return;
    if (this.#at > this.#start) this.#full.push(this.#bytes.subarray(this.#start, this.#at));
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(slabBytes, bytes));
    this.#start = 0;
    this.#at = 0;
  }

  /** All that was not taken yet. */
  take(): readonly Buffer[] {
    const full = this.#full;
    const rest = this.#bytes.subarray(this.#start, this.#at);
    this.#start = this.#at;
    if (full.length === 0) return rest.length === 0 ? full : [rest];
    this.#full = [];
    if (rest.length > 0) full.push(rest);
    return full;
  }

  /** Leaves room for the length of what follows; to be given to `end`. */
  begin(): number {
    this.#at += lengthBytes;
    return this.#at;
  }

  /** As if `begin` had not been called. */
  undo(begun: number): void {
    this.#at = begun - lengthBytes;
  }

  end(begun: number): void {
    this.#bytes.writeUInt32BE(this.#at - begun, begun - lengthBytes);
  }

  byte(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  /** Seven bits a byte, the lowest first; all but the last byte have the eighth. */
  count(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`expected a count, not ${value}`);
    let rest = value;
    for (; rest > maxInt32; rest = Math.floor(rest / 128)) this.#bytes[this.#at++] = (rest % 128) | 0x80;
    for (; rest > 0x7f; rest >>= 7) this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#at++] = rest;
  }

  /** A name: UTF-8 behind the count of its bytes. */
  text(value: string): void {
    const { length } = value;
    const bytes = this.#bytes;
    const start = this.#at + 1;
    if (length <= 0x7f) {
      let index = 0;
      for (; index < length; index++) {
        const code = value.charCodeAt(index);
        if (code > 0x7f) break;
        bytes[start + index] = code;
      }
      if (index === length) {
        bytes[this.#at] = length;
        this.#at = start + length;
        return;
      }
    }
    const size = Buffer.byteLength(value);
    if (size > maxNameBytes)
      throw new RangeError(`expected a name of at most ${maxNameBytes} bytes, not ${size}`);
    this.count(size);
    this.#at += bytes.write(value, this.#at);
  }
}

export const lengthBytes = 4;
const maxInt32 = 0x7fffffff;
