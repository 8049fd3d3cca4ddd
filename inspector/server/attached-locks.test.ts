import { expect, it, onTestFinished } from 'vitest';
import { AttachedLocks } from './attached-locks.ts';

function attached() {
  const locks = new AttachedLocks({ urls: [], lock: 'main', say: () => undefined });
  onTestFinished(() => locks.close());
  return locks;
}

it('shows a lock once, however many pages ask for it, and the first without being asked', () => {
  const locks = attached();
  expect(locks.of('main')).toBe(locks.of(null));
  expect(locks.of('orders')).toBe(locks.of('orders'));
  expect(locks.of('orders')).not.toBe(locks.of('jobs'));
  expect([...locks.all]).toEqual([locks.of(null), locks.of('orders'), locks.of('jobs')]);
});

it('shows four at a time; one that no page shows makes room', () => {
  const locks = attached();
  const [one] = ['one', 'two', 'three'].map((name) => locks.of(name));
  expect(() => locks.of('four')).toThrow('4 locks are shown already');
  locks.left(one!);
  const four = locks.of('four');
  expect([...locks.all]).toContain(four);
  expect([...locks.all]).not.toContain(one);
  expect(() => locks.of('five')).toThrow('4 locks are shown already');
  locks.left(locks.of(null));
  expect(() => locks.of('five')).toThrow('4 locks are shown already');
});

it.each(['', 'x'.repeat(2_049)])('refuses what no lock is called: %j', (name) => {
  expect(() => attached().of(name)).toThrow('1 to 1024 characters');
});

it('keeps a lock whose page is loaded again', () => {
  const locks = attached();
  const [one] = ['one', 'two', 'three'].map((name) => locks.of(name));
  locks.left(one!);
  expect(locks.of('one')).toBe(one);
  expect(() => locks.of('four')).toThrow('4 locks are shown already');
});
