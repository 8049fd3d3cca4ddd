import { expect, test } from 'vitest';
import { Writer } from './writer.ts';

/** Writes `bytes` bytes, each the number of the piece. */
function write(writer: Writer, number: number, bytes: number): void {
  writer.reserve(bytes);
  for (let i = 0; i < bytes; i++) writer.byte(number);
}

test('taken bytes are never overwritten, though the next bytes lie in the same memory', () => {
  const writer = new Writer();
  const taken: Buffer[] = [];
  const memories = new Set<ArrayBufferLike>();
  for (let number = 0; number < 200; number++) {
    write(writer, number, 500);
    const [piece, ...more] = writer.take();
    expect(more).toEqual([]);
    taken.push(piece!);
    memories.add(piece!.buffer);
  }
  for (const [number, piece] of taken.entries()) expect(piece.equals(Buffer.alloc(500, number))).toBe(true);
  expect(memories.size).toBeLessThan(10);
});

test('bytes that do not fit into one piece of memory are taken as several, in order, and never copied', () => {
  const writer = new Writer();
  expect(writer.empty).toBe(true);
  for (let number = 0; number < 100; number++) write(writer, number, 1_000);
  write(writer, 100, 200_000);
  expect(writer.empty).toBe(false);
  const pieces = writer.take();
  expect(pieces.length).toBeGreaterThan(2);
  const whole = Buffer.concat(pieces);
  expect(whole.length).toBe(300_000);
  for (let number = 0; number < 100; number++) expect(whole[number * 1_000 + 999]).toBe(number);
  expect(whole.subarray(100_000).equals(Buffer.alloc(200_000, 100))).toBe(true);
  expect([writer.empty, writer.take()]).toEqual([true, []]);
});
