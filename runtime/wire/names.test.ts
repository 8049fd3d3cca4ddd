import { expect, onTestFinished, test, vi } from 'vitest';
import { Names } from './names.ts';

const bytesOf = (name: string) => Buffer.from(`<${name}>`);
const read = (names: Names, name: string) => {
  const bytes = bytesOf(name);
  return names.read(bytes, 1, bytes.length - 1);
};

test('names are what their bytes say, however many there are and however often they come', () => {
  const names = new Names();
  for (let round = 0; round < 5; round++)
    for (let n = 0; n < 40_000; n++) expect(read(names, `lock ${n} ü`)).toBe(`lock ${n} ü`);
});

test('bytes that are no name are none, whatever was read before', () => {
  const names = new Names();
  expect(read(names, 'a')).toBe('a');
  for (const no of ['', 'a\n', '\u0000', 'x'.repeat(1_025)]) expect(read(names, no)).toBeNull();
  expect(names.read(Buffer.from([0xff, 0xfe]), 0, 2)).toBeNull();
  expect(read(names, 'a')).toBe('a');
});

test('most of a thousand names are made once, and not each time they come', () => {
  const names = new Names();
  const round = () => {
    for (let n = 0; n < 1_000; n++) read(names, `lock ${n}`);
  };
  for (let i = 0; i < 200; i++) round();
  const copies = vi.spyOn(Buffer.prototype, 'toString');
  onTestFinished(() => copies.mockRestore());
  round();
  expect(copies.mock.calls.length).toBeLessThan(300);
});

test('a name of the longest is read, and not kept: many of them take no memory', () => {
  const names = new Names();
  const url = `https://example.org/${'x'.repeat(488)}`;
  expect([read(names, `${url}/ü🔒`), read(names, `${url}/ü🔒`)]).toEqual([`${url}/ü🔒`, `${url}/ü🔒`]);
  const copies = vi.spyOn(Buffer.prototype, 'toString');
  onTestFinished(() => copies.mockRestore());
  read(names, `${url}/ü🔒`);
  expect(copies).toHaveBeenCalledTimes(1);
});
