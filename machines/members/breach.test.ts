import { expect, it } from 'vitest';
import { breachOf } from './breach.ts';
import { firstConfiguration } from './configuration.ts';

const own = firstConfiguration(['a/1', 'b/1', 'c/1']);
const at = { promised: 0, top: 40, configuration: own };
const told = (base: number) =>
  ({ type: 'CONFIGURATION', configuration: { ...own, version: 2, base }, origin: 'a/1' }) as const;
const acknowledged = (top: number) =>
  ({ type: 'ACKNOWLEDGE', term: 0, version: 1, voter: 'a/1', top }) as const;

it('refuses an epoch far above the known ones', () => {
  for (const most of [40, 40 + 2 ** 24]) {
    expect(breachOf(told(most), 'a/1', at)).toBeNull();
    expect(breachOf(acknowledged(most), 'a/1', at)).toBeNull();
  }
  for (const more of [41 + 2 ** 24, 2 ** 52]) {
    expect(breachOf(told(more), 'a/1', at)).toContain('expected epochs of at most');
    expect(breachOf(acknowledged(more), 'a/1', at)).toContain('expected epochs of at most');
  }
});

it('accepts any epoch at a site that has joined no cluster yet', () => {
  expect(breachOf(told(2 ** 40), 'a/1', { ...at, configuration: null })).toBeNull();
});
